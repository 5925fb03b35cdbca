"""What is loaded before a command runs, or a code is asked for, is counted: a person waits for it."""

import json
import subprocess
import sys

# Everything that a warm run loads beyond what the interpreter has loaded when it starts.
WARM_MODULES = {
    "_signal",
    "gds_exec",
    "gds_exec.__main__",
    "gds_exec.environment",
    "gds_exec.invocation",
    "gds_exec.options",
    "gds_exec.execute",
    "gds_exec.session",
    "gds_exec.warm",
}
# What a document is served with besides: botocore asks for one at every signing.
WARM_DOCUMENT_MODULES = WARM_MODULES | {
    "gds_exec.expiry",
    "gds_exec.delivery",
    "gds_exec.delivery.sdk_documents",
    "gds_exec.warm_document",
}
# All that a refresher loads, which is there for as long as its command, above it or beside it.
REFRESHER = "gds_exec.refresher.__main__, gds_exec.refresher.parent, gds_exec.refresher.sidecar"
OURS_IN_A_REFRESHER = {
    "gds_exec",
    "gds_exec.child",
    "gds_exec.child.capture",
    "gds_exec.child.foreground",
    "gds_exec.signals",
    "gds_exec.child.process_info",
    "gds_exec.child.prctl",
    "gds_exec.child.pausing",
    "gds_exec.child.spawn",
    "gds_exec.child.supervisor",
    "gds_exec.child.witness",
    "gds_exec.error_boundary",
    "gds_exec.output",
    "gds_exec.lean",
    "gds_exec.credentials",
    "gds_exec.credentials.private_directory",
    "gds_exec.delivery",
    "gds_exec.delivery.sdk_documents",
    "gds_exec.refresher.endpoint",
    "gds_exec.refresher.handoff",
    "gds_exec.refresher.private_files",
    "gds_exec.environment",
    "gds_exec.errors",
    "gds_exec.refresher.paused_prompt",
    "gds_exec.hidden_subcommands",
    "gds_exec.invocation",
    "gds_exec.options",
    "gds_exec.refresher",
    "gds_exec.refresher.__main__",
    "gds_exec.refresher.parent",
    "gds_exec.refresher.sidecar",
    "gds_exec.refresher.current_session",
    "gds_exec.refresher.loop",
    "gds_exec.refresher.schedule",
    "gds_exec.redaction",
    "gds_exec.exec_errors",
    "gds_exec.expiry",
    "gds_exec.execute",
    "gds_exec.process_registry",
    "gds_exec.session",
    "gds_exec.terminal",
}
OTHERS_IN_A_REFRESHER = {
    "array", "collections", "contextlib", "copyreg", "enum", "errno", "fcntl", "functools", "gc",
    "itertools", "keyword", "marshal", "math", "operator", "re", "reprlib", "resource", "select",
    "selectors", "signal", "socket", "termios", "types", "typing", "unicodedata", "warnings",
}  # fmt: skip
TOO_BIG_FOR_A_REFRESHER = {
    "argparse", "asyncio", "boto3", "botocore", "ctypes", "dataclasses", "datetime", "email", "hashlib",
    "hmac", "http", "inspect", "json", "logging", "pathlib", "psutil", "rich", "secrets", "shutil", "ssl",
    "subprocess", "tempfile", "threading", "typer", "urllib", "gds_exec.config",
    "gds_exec.credentials.provider", "gds_exec.credentials.sts_client",
}  # fmt: skip
# What no run needs before the question for a code, and each of which costs more than our own modules.
TOO_DEAR_BEFORE_THE_QUESTION = {
    "argparse", "asyncio", "boto3", "botocore", "click", "ctypes", "dataclasses", "datetime", "difflib",
    "email", "enum", "hashlib", "http", "importlib.metadata", "inspect", "ipaddress", "json", "locale",
    "logging", "pathlib", "psutil", "random", "re", "rich", "secrets", "selectors", "shlex", "shutil",
    "signal", "socket", "ssl", "string", "subprocess", "tempfile", "threading", "traceback", "typer",
    "typing", "urllib",
}  # fmt: skip
ONLY_FOR_OTHER_SOURCES_OF_CODES = {"gds_exec.child.lookup"}
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
    loaded = loaded_by("gds_exec.error_boundary, gds_exec.cli.commands.run")

    assert "gds_exec.credentials.provider" in loaded
    assert loaded & TOO_DEAR_BEFORE_THE_QUESTION == set()
    assert loaded & ONLY_FOR_OTHER_SOURCES_OF_CODES == set()


def test_a_document_that_is_served_warm_loads_these_modules_and_no_other() -> None:
    ours = loaded_by("gds_exec.__main__, gds_exec.warm_document") - at_start()

    assert ours | {"_signal"} == WARM_DOCUMENT_MODULES


def test_a_refresher_loads_nothing_that_costs_the_memory_of_another_refresher() -> None:
    loaded = loaded_by(REFRESHER)

    assert loaded & TOO_BIG_FOR_A_REFRESHER == set()


def test_a_refresher_loads_of_ours_what_it_needs_and_no_more() -> None:
    loaded = {name for name in loaded_by(REFRESHER) if name.partition(".")[0] == "gds_exec"}

    assert loaded == OURS_IN_A_REFRESHER


def test_a_refresher_loads_of_python_s_no_more_than_is_accounted_for() -> None:
    loaded = {name.partition(".")[0] for name in loaded_by(REFRESHER) - at_start()}

    assert {name for name in loaded if not name.startswith("_")} <= OTHERS_IN_A_REFRESHER | {"gds_exec"}
