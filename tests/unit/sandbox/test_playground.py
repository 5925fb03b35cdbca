import configparser
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from gds_exec.errors import CommandNotFound
from gds_exec.sandbox.device_code import current_code
from gds_exec.sandbox.playground import run_playground
from tests.fakes import Said

NOW = 57_000_000 * 30 + 9.0
PYTHON = sys.executable


@dataclass
class Visit:
    """Stands in for the command: looks around while the sandbox lives."""

    look: Callable[[Mapping[str, str]], object] = lambda _environ: None
    wait_status: int = 0
    argv: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    seen: object = None

    def __call__(self, argv: Sequence[str], *, environ: Mapping[str, str]) -> int:
        self.argv, self.environ = list(argv), dict(environ)
        self.seen = self.look(environ)
        return self.wait_status


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., int]:
    def start(command: Sequence[str] | None = ("true",), **options: Any) -> int:
        defaults: dict[str, Any] = {
            "environ": {"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            "script_directory": "/opt/tool/bin",
            "can_ask": lambda: False,
            "say": Said(),
            "temporary_directory": str(tmp_path),
        }
        return run_playground(command, **{**defaults, **options})

    return start


def read_config(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(environ["AWS_CONFIG_FILE"])
    return {name: dict(parser[name]) for name in parser.sections()}


def test_the_wait_status_of_the_command_comes_back(play: Callable[..., int]) -> None:
    visit = Visit(wait_status=3 << 8)
    assert play(["make", "-j2"], run=visit) == 3 << 8
    assert visit.argv == ["make", "-j2"]


def test_nothing_stays(play: Callable[..., int], tmp_path: Path) -> None:
    visit = Visit(look=lambda _environ: [path.name for path in tmp_path.iterdir()])
    play(run=visit)
    assert [str(name)[:13] for name in visit.seen] == ["gds-exec-try-"]  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_when_the_command_cannot_begin(play: Callable[..., int], tmp_path: Path) -> None:
    with pytest.raises(CommandNotFound):
        play(["no-such-command-here"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_stays_when_a_signal_ends_us(
    play: Callable[..., int], tmp_path: Path, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    status = play(run=Visit(look=lambda _environ: os.kill(os.getpid(), number)))
    assert (os.WIFSIGNALED(status), os.WTERMSIG(status)) == (True, number)
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) is before


def test_what_nohup_ignores_stays_ignored(play: Callable[..., int]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert play(run=Visit(look=lambda _environ: os.kill(os.getpid(), signal.SIGHUP), wait_status=7)) == 7
    finally:
        signal.signal(signal.SIGHUP, before)


def test_only_we_can_read_what_is_inside(play: Callable[..., int]) -> None:
    def modes(environ: Mapping[str, str]) -> dict[str, int]:
        directory = Path(environ["GDS_EXEC_SANDBOX"])
        paths = [directory, *(directory / name for name in ("config", "credentials", "cache", "device"))]
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}

    visit = Visit(look=modes)
    play(run=visit)
    assert list(visit.seen.values()) == [0o700, 0o600, 0o600, 0o700, 0o600]  # type: ignore[attr-defined]


def test_the_environment_points_into_the_sandbox(play: Callable[..., int]) -> None:
    caller = {
        "PATH": "/usr/bin",
        "EDITOR": "vi",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "GDS_EXEC_DURATION": "8h",
        "no_proxy": "intranet",
    }
    visit = Visit()
    play(run=visit, environ=caller)
    directory, url = visit.environ["GDS_EXEC_SANDBOX"], visit.environ["AWS_ENDPOINT_URL_STS"]
    assert url.startswith("http://127.0.0.1:")
    assert visit.environ == {
        "PATH": "/opt/tool/bin:/usr/bin",
        "EDITOR": "vi",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "intranet,127.0.0.1",
        "AWS_CONFIG_FILE": f"{directory}/config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{directory}/credentials",
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_IAM": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GDS_EXEC_CACHE_DIR": f"{directory}/cache",
        "GDS_EXEC_SANDBOX": directory,
    }


def test_the_roles_have_profiles_and_nothing_is_the_default(play: Callable[..., int]) -> None:
    visit = Visit(look=read_config)
    play(run=visit, can_ask=lambda: True)
    serial = "arn:aws:iam::111111111111:mfa/try-user"
    region = {"region": "eu-west-2"}
    assert visit.seen == {
        "profile try-user": region,
        "profile try-readonly": region
        | {
            "role_arn": "arn:aws:iam::222222222222:role/readonly",
            "source_profile": "try-user",
            "mfa_serial": serial,
        },
        "profile try-admin": region
        | {
            "role_arn": "arn:aws:iam::222222222222:role/admin",
            "source_profile": "try-user",
            "mfa_serial": serial,
        },
        "profile try-chained": region
        | {
            "role_arn": "arn:aws:iam::333333333333:role/chained",
            "source_profile": "try-readonly",
        },
        "profile try-no-mfa": region
        | {"role_arn": "arn:aws:iam::222222222222:role/no-mfa", "source_profile": "try-user"},
    }


def test_where_nobody_can_type_the_device_answers_by_itself(play: Callable[..., int]) -> None:
    said = Said()
    visit = Visit(look=read_config)
    play(run=visit, say=said)
    assert {
        name: section.get("mfa_process")
        for name, section in visit.seen.items()  # type: ignore[attr-defined]
    } == {
        "profile try-user": None,
        "profile try-readonly": "gds-exec try code",
        "profile try-admin": "gds-exec try code",
        "profile try-chained": None,
        "profile try-no-mfa": None,
    }
    assert not said.lines


def test_a_person_is_shown_the_code(play: Callable[..., int]) -> None:
    said = Said()
    visit = Visit(look=lambda environ: current_code(environ, now=lambda: NOW))
    play(run=visit, can_ask=lambda: True, say=said, now=lambda: NOW)
    digits = visit.seen.digits  # type: ignore[attr-defined]
    (line,) = said.lines
    assert line == (
        f"sandbox ready; its MFA device shows {digits[:3]} {digits[3:]} for 21 s more "
        "(after that: gds-exec try code, in any terminal)"
    )


def test_without_a_command_the_user_s_shell_starts_with_a_welcome(play: Callable[..., int]) -> None:
    said, visit = Said(), Visit()
    play(None, run=visit, environ={"SHELL": "/opt/fish"}, say=said)
    assert visit.argv == ["/opt/fish"]
    assert len(said.lines) == 3
    for role in ("try-readonly", "try-admin", "try-chained", "try-no-mfa"):
        assert role in said.lines[1]


@pytest.mark.parametrize("environ", [{}, {"SHELL": ""}])
def test_a_user_without_the_variable_has_a_shell_too(
    play: Callable[..., int], environ: dict[str, str]
) -> None:
    visit = Visit()
    play(None, run=visit, environ=environ)
    assert os.access(visit.argv[0], os.X_OK)


def inside_client(environ: Mapping[str, str], keys: Mapping[str, str]) -> Any:
    return botocore.session.Session().create_client(
        "sts",
        region_name="eu-west-2",
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(proxies={}),
    )


def test_each_role_opens_as_its_profile_says(play: Callable[..., int]) -> None:
    def open_roles(environ: Mapping[str, str]) -> list[str]:
        keys = configparser.ConfigParser(interpolation=None)
        keys.read(environ["AWS_SHARED_CREDENTIALS_FILE"])
        config = read_config(environ)
        stored = keys["try-user"]
        user = inside_client(
            environ,
            {
                "AccessKeyId": stored["aws_access_key_id"],
                "SecretAccessKey": stored["aws_secret_access_key"],
            },
        )
        opened: dict[str, Any] = {}
        for name in ("try-readonly", "try-admin", "try-no-mfa"):
            profile = config[f"profile {name}"]
            mfa = {}
            if "mfa_serial" in profile:
                mfa = {"SerialNumber": profile["mfa_serial"], "TokenCode": current_code(environ).digits}
            answer = user.assume_role(RoleArn=profile["role_arn"], RoleSessionName="me", **mfa)
            opened[name] = answer
        via = opened["try-readonly"]["Credentials"]
        chained = inside_client(environ, via).assume_role(
            RoleArn=config["profile try-chained"]["role_arn"], RoleSessionName="me"
        )
        return [answer["AssumedRoleUser"]["Arn"] for answer in (*opened.values(), chained)]

    visit = Visit(look=open_roles)
    play(run=visit)
    assert visit.seen == [
        "arn:aws:sts::222222222222:assumed-role/readonly/me",
        "arn:aws:sts::222222222222:assumed-role/admin/me",
        "arn:aws:sts::222222222222:assumed-role/no-mfa/me",
        "arn:aws:sts::333333333333:assumed-role/chained/me",
    ]


def test_a_command_that_knows_nothing_of_us_reaches_the_sandbox(
    play: Callable[..., int], tmp_path: Path
) -> None:
    ask_aws = (
        "import boto3; session = boto3.Session(profile_name='try-no-mfa'); "
        "print(session.client('sts').get_caller_identity()['Arn'].rpartition('/')[0], "
        "file=open('arn', 'w'))"
    )
    script = f"import os; os.chdir({str(tmp_path)!r}); {ask_aws}"
    assert play([PYTHON, "-c", script]) == 0
    assert (tmp_path / "arn").read_text() == "arn:aws:sts::222222222222:assumed-role/no-mfa\n"
    assert [path.name for path in tmp_path.iterdir()] == ["arn"]


PLAY = """
import os, sys
from gds_exec.sandbox.playground import run_playground
status = run_playground(
    [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"],
    environ=os.environ,
    script_directory="/opt",
    can_ask=lambda: False,
    temporary_directory=sys.argv[1],
    say=lambda text: None,
)
print(os.WTERMSIG(status))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_us_ends_the_command_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([PYTHON, "-c", PLAY, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.stdout.read() == f"{number:d}\n"
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
