"""What is loaded before a command runs, or a code is asked for, is counted: a person waits for it."""

import json
import subprocess
import sys

# Everything that a warm run loads beyond what the interpreter has loaded when it starts.
WARM_MODULES = {
    "_signal",
    "gds_exec",
    "gds_exec.__main__",
    "gds_exec.child",
    "gds_exec.child.replacement",
    "gds_exec.credentials",
    "gds_exec.credentials.session",
    "gds_exec.credentials.session_file",
    "gds_exec.delivery",
    "gds_exec.delivery.environment",
    "gds_exec.invocation",
    "gds_exec.warm",
}
# What no run needs before the question for a code, and each of which costs more than our own modules.
TOO_DEAR_BEFORE_THE_QUESTION = {
    "argparse", "asyncio", "boto3", "botocore", "click", "ctypes", "dataclasses", "datetime", "difflib",
    "email", "enum", "hashlib", "http", "importlib.metadata", "inspect", "ipaddress", "json", "locale",
    "logging", "pathlib", "psutil", "random", "re", "rich", "secrets", "selectors", "shlex", "shutil",
    "signal", "socket", "ssl", "string", "subprocess", "tempfile", "threading", "traceback", "typer",
    "typing", "urllib",
}  # fmt: skip
LOADED_BY = """
import json, sys
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(module: str) -> set[str]:
    # Without `site`, whose .pth files load what they like; the path is handed over instead.
    script = f"import sys; sys.path[:] = {sys.path!r}\n{LOADED_BY.format(module=module)}"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def at_start() -> set[str]:
    script = "import json, os, sys, time; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_warm_path_loads_these_modules_and_no_other() -> None:
    ours = loaded_by("gds_exec.__main__") - at_start()

    assert ours | {"_signal"} == WARM_MODULES


def test_all_that_stands_before_the_question_is_lean() -> None:
    loaded = loaded_by("gds_exec.cli.edge, gds_exec.cli.running")

    assert "gds_exec.credentials.provider" in loaded
    assert loaded & TOO_DEAR_BEFORE_THE_QUESTION == set()
