"""The warm path as a process of its own: it becomes the command, or comes back without a word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gds_exec.warm
from gds_exec.environment import CI_MARKS, PROFILE_VARIABLES, REGION_VARIABLES
from gds_exec.invocation import Invocation
from gds_exec.session import SessionCredentials, file_name, put_off_name
from gds_exec.session import serialise as serialise_session
from gds_exec.warm import ABSENT, Shortcut, asked_in, file_of, find_cached, is_plain, serialise, stamp
from tests.cached import cached_text, write_cached
from tests.fakes import a_session
from tests.processes import run_python

SERVE = """
import sys
from gds_exec.invocation import read_plainly
from gds_exec.warm import serve
environ = dict(pair.split("=", 1) for pair in sys.argv[1].split("\\n"))
invocation = read_plainly(sys.argv[2:], environ)
if invocation is not None:
    serve(invocation, environ)
print("declined")
"""
ARN = "arn:aws:sts::222222222222:assumed-role/admin/alice"
SHOW = ("sh", "-c", "echo served $AWS_ACCESS_KEY_ID $AWS_REGION $GDS_EXEC_ROLE")
SERVED = "served ASIAEXAMPLE0001 eu-west-2 admin\n"
DECLINED = "declined\n"
PACKAGE = Path(gds_exec.warm.__file__).parent


class Home:
    """A home with AWS files, a session in the cache, and the shortcut to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = path / ".cache" / "gds-exec"
        self.cache.mkdir(parents=True, mode=0o700)
        self.config = path / "config"
        self.config.write_text("[profile admin]\nrole_arn = arn:aws:iam::222222222222:role/admin\n")
        self.credentials = path / "credentials"
        self.environ = {"HOME": str(path), "PATH": os.environ["PATH"], "AWS_CONFIG_FILE": str(self.config)}
        self.keep(self.session())
        self.remember()

    def session(self, *, left: int = 3600, life: int = 3600, arn: str = ARN) -> SessionCredentials:
        return a_session(issued=int(time.time()) + left - life, life=life, arn=arn)

    def keep(self, session: SessionCredentials) -> None:
        write_cached(self.cache / file_name("key"), serialise_session(session))

    def remember(self) -> None:
        stamps = {str(self.config): stamp(self.config.stat()), str(self.credentials): ABSENT}
        asked = asked_in(Invocation(role="admin"), self.environ)
        shortcut = Shortcut("key", asked=asked, arn=ARN.rpartition("/")[0], region="eu-west-2", stamps=stamps)
        write_cached(self.cache / file_of(asked), serialise(shortcut))

    def write(self, name: str, text: str) -> None:
        path = self.cache / name
        path.write_text(text)
        path.chmod(0o600)

    @property
    def shortcut(self) -> Path:
        return next(self.cache.glob("*.shortcut2"))

    def run(self, *argv: str, **environ: str) -> str:
        pairs = "\n".join(f"{name}={value}" for name, value in {**self.environ, **environ}.items())
        return run_python(SERVE, pairs, *(argv or ("admin", "--", *SHOW)))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_cached_session_is_served(home: Home) -> None:
    assert home.run() == SERVED


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        pytest.param("admin --region eu-west-2 --", {}, id="region"),
        pytest.param("admin --wait 5m --", {}, id="wait"),
        pytest.param("admin --timeout 5m --", {}, id="timeout"),
        pytest.param("admin --pass-id-token --", {}, id="what the command may"),
        pytest.param("admin --", {"BUILD_TAG": "", "AWS_ROLE_ARN": ""}, id="marks that are empty"),
        pytest.param("admin --", {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}, id="half a request for tokens"),
        pytest.param("--no-input admin --", {"GDS_EXEC_WAIT": "7"}, id="no input"),
        pytest.param("--role admin --", {}, id="--role"),
        pytest.param("admin --", {"EDITOR": "vi", "PATH": "/usr/bin:/bin"}, id="variables of others"),
        pytest.param("admin --", {"AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "y"}, id="secrets"),
        pytest.param(
            "admin --", {"GDS_EXEC_ROLE": "outer", "AWS_ACCESS_KEY_ID": "ASIAOUTER"}, id="inside another role"
        ),
    ],
)
def test_what_does_not_matter_to_the_session_is_served(
    home: Home, argv: str, environ: dict[str, str]
) -> None:
    assert home.run(*argv.split(), *SHOW, **environ) == SERVED


@pytest.mark.parametrize(
    "argv",
    [
        "admin --duration 2h --",
        "admin --min-remaining 10m --",
        "admin --session-name other --",
        "admin --source-profile other --",
        "admin --source profile --",
        "admin --web-identity-token-file /token --",
        "admin --web-identity-token-env ID_TOKEN --",
        "admin --web-identity-token-command print-token --",
        "admin --audience ours --",
        "admin --expect-account 222222222222 --",
        "admin --ci-tags --",
        "admin --cache --",
        "admin --new-session --",
        "admin --mfa-code 123456 --",
        "admin --mfa-max-age 15m --",
        "admin --refresh --",
        "admin -q --",
        "other --",
        "arn:aws:iam::222222222222:role/admin --",
    ],
)
def test_another_request_is_declined(home: Home, argv: str) -> None:
    assert home.run(*argv.split(), *SHOW) == DECLINED


@pytest.mark.parametrize("argv", ["admin", "admin -s", "whoami", "--help", "credential-process admin"])
def test_what_is_no_command_is_declined(home: Home, argv: str) -> None:
    assert home.run(*argv.split()) == DECLINED


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_PROFILE": "x"},
        {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
        {"AWS_SHARED_CREDENTIALS_FILE": "/elsewhere"},
        {"GDS_EXEC_MFA_CODE": "123456"},
        {"GDS_EXEC_DEBUG": "1"},
        {"GDS_EXEC_DURATION": "2h"},
        {"GDS_EXEC_MFA_MAX_AGE": "15m"},
        {"GDS_EXEC_REFRESH": "1"},
        {"AWS_ACCESS_KEY_ID": "AKIA"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"},
        {"AWS_ROLE_ARN": "arn"},
        {"AWS_ROLE_SESSION_NAME": "job"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/1"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"},
        {"AWS_EC2_METADATA_DISABLED": "true"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1/"},
        {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"},
        {"CI": "true"},
        {"CI": ""},
        {"BUILD_TAG": "jenkins-1"},
        {"CODEBUILD_BUILD_ID": "app:1"},
        {"TFC_RUN_ID": "run-1"},
        {"TF_BUILD": "True"},
        {"GITHUB_ACTIONS": "true"},
        {"GDS_EXEC_SOURCE": "profile"},
        {"GDS_EXEC_CACHE": "1"},
        {"GDS_EXEC_CACHE_DIR": "/nowhere"},
        {"GDS_EXEC_CACHE_DIR": "relative"},
        {"HOME": "/nowhere"},
    ],
    ids=lambda environ: "=".join(*environ.items()),
)
def test_another_variable_that_matters_is_declined(home: Home, environ: dict[str, str]) -> None:
    assert home.run(**environ) == DECLINED


def edit(home: Home) -> None:
    home.config.write_text(home.config.read_text() + "\n")


def edit_at_equal_length_and_set_the_time_back(home: Home) -> None:
    found = home.config.stat()
    home.config.write_text(home.config.read_text().replace("role/admin", "role/chief"))
    os.utime(home.config, ns=(found.st_atime_ns, found.st_mtime_ns))


def replace_by_a_copy(home: Home) -> None:
    shutil.copy2(home.config, home.path / "copy")
    os.replace(home.path / "copy", home.config)


def let_others_read(home: Home) -> None:
    home.config.chmod(0o604)


def make_a_link(home: Home) -> None:
    home.config.rename(home.path / "target")
    home.config.symlink_to(shutil.copy2(home.path / "target", home.path / "copy"))


@pytest.mark.parametrize(
    "change",
    [
        edit,
        edit_at_equal_length_and_set_the_time_back,
        replace_by_a_copy,
        let_others_read,
        make_a_link,
        pytest.param(lambda home: home.config.unlink(), id="remove"),
        pytest.param(lambda home: home.credentials.touch(), id="make a file that was not there"),
    ],
)
def test_a_changed_file_is_declined(home: Home, change: Callable[[Home], object]) -> None:
    change(home)

    assert home.run() == DECLINED


@pytest.mark.parametrize(
    ("seconds_left", "life", "argv", "said"),
    [
        pytest.param(400, 3600, "admin --", SERVED, id="more than five minutes"),
        pytest.param(290, 3600, "admin --", DECLINED, id="less than five minutes"),
        pytest.param(-1, 3600, "admin --", DECLINED, id="expired"),
        pytest.param(290, 900, "admin --", SERVED, id="a quarter of a short life"),
        pytest.param(4000, 3600, "admin --", DECLINED, id="made in the future"),
    ],
)
def test_a_session_with_too_little_left_is_declined(
    home: Home, seconds_left: int, life: int, argv: str, said: str
) -> None:
    home.keep(home.session(left=seconds_left, life=life))

    assert home.run(*argv.split(), *SHOW) == said


def test_a_neighbours_session_in_its_place_is_declined(home: Home) -> None:
    home.keep(home.session(arn=ARN.replace("/admin/", "/chief/")))

    assert home.run() == DECLINED


def test_a_session_under_another_made_up_name_is_served(home: Home) -> None:
    home.keep(home.session(arn=ARN + "-later"))

    assert home.run() == SERVED


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda home: (home.cache / "key.session2").unlink(), id="no session"),
        pytest.param(lambda home: (home.cache / "key.session2").chmod(0o640), id="readable session"),
        pytest.param(lambda home: home.shortcut.chmod(0o640), id="readable shortcut"),
        pytest.param(lambda home: home.cache.chmod(0o750), id="readable directory"),
        pytest.param(
            lambda home: write_cached(
                home.shortcut, cached_text(home.shortcut).replace("shortcut 2", "shortcut 3")
            ),
            id="version",
        ),
        pytest.param(
            lambda home: write_cached(
                home.shortcut, cached_text(home.shortcut).replace(b"config".hex(), b"c\0nfig".hex())
            ),
            id="a path with a NUL",
        ),
        pytest.param(
            lambda home: write_cached(
                home.shortcut, cached_text(home.shortcut).replace("\nkey\n", "\nk\0y\n")
            ),
            id="a key with a NUL",
        ),
        pytest.param(
            lambda home: write_cached(
                home.cache / "key.session2",
                cached_text(home.cache / "key.session2").replace("secret-", "secret\0"),
            ),
            id="a secret with a NUL",
        ),
        pytest.param(lambda home: home.write(home.shortcut.name, ""), id="empty"),
        pytest.param(
            lambda home: home.write(home.shortcut.name, home.shortcut.read_text()[:-5]), id="cut short"
        ),
        pytest.param(
            lambda home: write_cached(home.shortcut, cached_text(home.shortcut).replace("=", "", 1)),
            id="half",
        ),
        pytest.param(
            lambda home: write_cached(
                home.shortcut, "\n".join([*cached_text(home.shortcut).split("\n")[:5], "end", ""])
            ),
            id="without files",
        ),
    ],
)
def test_a_cache_that_is_not_sound_is_declined(home: Home, spoil: Callable[[Home], object]) -> None:
    spoil(home)

    assert home.run() == DECLINED


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_shortcut_is_ignored_or_read_as_it_was(data: st.DataObject, home: Home) -> None:
    path = home.shortcut
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=9)) + whole[end:]
    has_checksum = data.draw(st.booleans())
    if has_checksum and damaged.isascii():
        write_cached(path, damaged.decode())
    else:
        path.write_bytes(damaged)
    try:
        cached = find_cached(Invocation(role="admin"), home.environ)
        assert cached is None or cached.session.arn == ARN
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("command", ["no-such-command", "/", "/etc/passwd", ""])
def test_a_command_that_cannot_be_run_is_left_to_those_who_have_words(home: Home, command: str) -> None:
    assert home.run("admin", "--", command) == DECLINED


def test_a_program_that_the_kernel_refuses_is_left_to_those_who_have_words(home: Home) -> None:
    program = home.path / "program"
    program.write_text("no program\n")
    program.chmod(0o755)

    assert home.run("admin", "--", str(program)) == DECLINED


def test_a_session_is_found_however_old_it_is(home: Home) -> None:
    session = home.session(left=-1)
    home.keep(session)

    cached = find_cached(Invocation(role="admin"), home.environ)

    assert cached is not None
    assert cached.session.expiration == session.expiration
    assert (cached.region, cached.is_put_off) == ("eu-west-2", False)


@pytest.mark.parametrize(("until", "is_put_off"), [(60, True), (-1, False)])
def test_a_session_is_found_with_whether_its_renewal_is_put_off(
    home: Home, until: int, is_put_off: bool
) -> None:
    write_cached(home.cache / put_off_name("key"), f"{int(time.time()) + until}\n")

    cached = find_cached(Invocation(role="admin"), home.environ)

    assert cached is not None
    assert cached.is_put_off is is_put_off


def test_to_find_a_session_leaves_no_descriptor_behind(home: Home) -> None:
    before = sorted(os.listdir("/dev/fd"))

    find_cached(Invocation(role="admin"), home.environ)
    find_cached(Invocation(role="other"), home.environ)

    assert sorted(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize(
    ("invocation", "plain"),
    [
        pytest.param(Invocation(role="admin", min_remaining_seconds=600), True, id="what it can look for"),
        pytest.param(Invocation(role="admin", new_session=True), False, id="a new one"),
        pytest.param(Invocation(role="admin", mfa_code="123456"), False, id="with a code"),
        pytest.param(Invocation(role="admin", mfa_max_age_seconds=900), False, id="with a fresh code"),
    ],
)
def test_which_session_will_do_can_be_known_for_what_is_plain(invocation: Invocation, plain: bool) -> None:
    assert is_plain(invocation) is plain


PRINT = """
import sys
from gds_exec.warm import print_at_once
data = b"x" * int(sys.argv[1])
sys.stderr.write(f"printed {print_at_once(data)}\\n")
"""


def printing(to: int | IO[bytes], *, count: int = 3) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PRINT, str(count)], stdout=to, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


def test_all_of_it_is_printed_at_once(tmp_path: Path) -> None:
    with open(tmp_path / "out", "wb") as out:
        assert printing(out, count=1_000_000) == (0, "printed True\n")

    assert (tmp_path / "out").stat().st_size == 1_000_000


def test_what_takes_nothing_is_left_to_those_who_have_words() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert printing(writing) == (0, "printed False\n")
    finally:
        os.close(writing)


def test_what_takes_a_part_of_it_does_not_get_it_again() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # it fails when the pipe is full
    try:
        assert printing(writing, count=1_000_000) == (125, "")
    finally:
        os.close(reading)
        os.close(writing)


def test_names_of_any_characters_come_back_from_a_shortcut(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.config = home.config.rename(tmp_path / "con = fig\n\udcff\N{GREEK SMALL LETTER ALPHA}")
    home.remember()

    assert home.run() == SERVED


def test_it_runs_on_a_bare_interpreter(home: Home) -> None:
    script = f"import sys; assert not any(n.startswith('gds_exec.cli') for n in sys.modules)\n{SERVE}"
    pairs = "\n".join(f"{name}={value}" for name, value in home.environ.items())

    assert run_python(script, pairs, "admin", "--", sys.executable, "-c", "print('served')") == "served\n"


def test_another_request_under_the_same_name_is_declined(home: Home) -> None:
    header, asked, *rest = cached_text(home.shortcut).split("\n")
    write_cached(home.shortcut, "\n".join([header, asked[:-2] + "20", *rest]))

    assert home.run() == DECLINED


def test_no_secret_of_the_environment_stands_in_a_shortcut() -> None:
    environ = {
        "AWS_SECRET_ACCESS_KEY": "a-secret",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a-secret",
        "AWS_VAULT_FILE_PASSPHRASE": "a-secret",
        "AWS_CONFIG_FILE": "/a/file",
        "OTHER": "a-secret",
    }

    asked = asked_in(Invocation(role="admin"), environ)

    assert "a-secret" not in asked
    assert "/a/file" in asked


# Looked at only where another is set, which does make another request.
BESIDE_ANOTHER = {"AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"}


def test_every_variable_that_the_long_way_looks_at_makes_another_request() -> None:
    sources = [
        *(PACKAGE / "config").glob("*.py"),
        *(PACKAGE / "cli" / name for name in ("runtime.py", "wiring.py")),
        *(PACKAGE / "cli/commands" / name for name in ("credential_process.py", "run.py")),
    ]
    read = {name for source in sources for name in re.findall(r"\bAWS_[A-Z_]*[A-Z]\b", source.read_text())}
    read |= {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", *PROFILE_VARIABLES, *REGION_VARIABLES, *CI_MARKS}
    read -= BESIDE_ANOTHER

    assert "AWS_CA_BUNDLE" in read
    for name in read:
        assert name in asked_in(Invocation(role="admin"), {name: "x"}), name


def test_each_scope_makes_another_request() -> None:
    scopes = ({}, {"source_identity": "alice"}, {"source_identity": "bob"}, {"tags": ("a=1",)})

    assert len({asked_in(Invocation(role="admin", **scope), {}) for scope in scopes}) == 4
