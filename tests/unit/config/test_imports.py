"""What stands before the question for a code does not wait for modules that are dear to import."""

import subprocess
import sys

DEAR = {
    "botocore", "dataclasses", "datetime", "difflib", "email", "hashlib", "ipaddress", "json", "locale",
    "logging", "psutil", "re", "secrets", "selectors", "shlex", "string", "subprocess", "threading",
    "traceback", "typing", "urllib",
}  # fmt: skip

PLAIN_ROLE = """\
[profile base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
[profile team]
role_arn = arn:aws:iam::123456789012:role/path/team
source_profile = base
external_id = x:1
role_session_name = alice
mfa_serial = arn:aws:iam::123456789012:mfa/alice
"""

IMPORT = """
import gds_exec.config.profiles
import gds_exec.config.aws_files
"""
FIND = """
from gds_exec.config.aws_files import read_aws_files
from gds_exec.config.profiles import find_profile
assert find_profile(read_aws_files({}, home=sys.argv[1]), "team", environ={}).roles
"""


def dear_modules_that_it_loads(code: str, *argv: str) -> set[str]:
    program = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()} & DEAR


def test_configuration_is_imported_without_dear_modules():
    assert dear_modules_that_it_loads(IMPORT) == set()


def test_role_is_found_without_dear_modules(tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(PLAIN_ROLE)
    assert dear_modules_that_it_loads(FIND, str(tmp_path)) == set()
