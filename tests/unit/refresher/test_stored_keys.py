import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gds_exec.errors import BrokenFile, GdsExecError, NoAccessKey, UsageError
from gds_exec.refresher.stored_keys import arguments_for, stored_keys_document

SECRET = "a-secret"
KEYS = f"aws_access_key_id = AKIA1\naws_secret_access_key = {SECRET}\n"


def document(path: Path, header: str, **more: int) -> dict[str, object]:
    arguments = arguments_for(str(path), header)[2:]
    return json.loads(stored_keys_document(arguments, **more))


@pytest.mark.parametrize(
    ("text", "header", "token"),
    [
        pytest.param(f"[a]\n{KEYS}", "a", None, id="a key"),
        pytest.param(f"[a]\n{KEYS}aws_session_token = t", "a", "t", id="with a session token"),
        pytest.param(
            f"[a]\n{KEYS}aws_session_token = t\naws_security_token = s", "a", "s", id="of both kinds"
        ),
        pytest.param(f"[b]\nx=y\n[profile 'ü b']\n{KEYS}", "profile 'ü b'", None, id="as the header stands"),
        pytest.param(
            f"[a]\n{KEYS.replace(' = ', ':').replace('aws', 'AWS')}", "a", None, id="otherwise written"
        ),
        pytest.param(f"[DEFAULT]\n{KEYS}[a]\nx = y", "a", None, id="inherited"),
        pytest.param(f"[DEFAULT]\n{KEYS}", "DEFAULT", None, id="that all inherit"),
        pytest.param(f"[a]\r\n{KEYS}[b]\naws_session_token = b", "a", None, id="not of the next section"),
    ],
)
def test_the_document_has_the_keys_of_the_section(
    text: str, header: str, token: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "credentials"
    path.write_text(text)

    shown = document(path, header)

    expected = {"Version": 1, "AccessKeyId": "AKIA1", "SecretAccessKey": SECRET}
    assert shown == (expected if token is None else expected | {"SessionToken": token})


def test_a_key_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    for key in ("AKIA1", "AKIA2"):
        path.write_text(f"[a]\n{KEYS.replace('AKIA1', key)}")

        assert document(path, "a")["AccessKeyId"] == key


def nowhere(path: Path) -> None:
    """Leave it missing."""


def a_directory(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to(os.devnull)


def without_the_section(path: Path) -> None:
    path.write_text(f"[b]\n{KEYS}")


def with_half_a_key(path: Path) -> None:
    path.write_text(f"[a]\naws_secret_access_key = {SECRET}\n[b]\n{KEYS}")


@pytest.mark.parametrize(
    ("lay", "error"),
    [
        (nowhere, BrokenFile),
        (a_directory, BrokenFile),
        (a_pipe, BrokenFile),
        (a_device, BrokenFile),
        (without_the_section, NoAccessKey),
        (with_half_a_key, NoAccessKey),
    ],
)
def test_an_error_names_an_unreadable_file_and_shows_none_of_it(
    lay: Callable[[Path], None], error: type[GdsExecError], tmp_path: Path
) -> None:
    path = tmp_path / "credentials"
    lay(path)

    with pytest.raises(error) as raised:
        document(path, "a")

    assert str(path) in raised.value.message
    assert SECRET not in raised.value.message


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"[a]\n{KEYS}")
    if os.geteuid() == 0:
        os.chown(path, 4321, -1)

    with pytest.raises(BrokenFile, match="belongs to another user"):
        document(path, "a", uid=1234)


@pytest.mark.parametrize("arguments", [[], ["00"], ["zz", "00"], ["00", "00", "00"]])
def test_other_arguments_are_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        stored_keys_document(arguments)
