from collections.abc import Mapping
from pathlib import Path

import pytest

from gds_exec.cli.person import Desktop
from gds_exec.errors import HelperFailed, NobodyToAsk

WAIT_SECONDS = 300


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A desktop with the programs for dialogs, on whatever system this is."""
    for name in ("zenity", "osascript"):
        (tmp_path / name).touch(0o755)
    return {"DISPLAY": ":0", "PATH": str(tmp_path)}


def desktop(
    environ: Mapping[str, str], *, is_to_be_asked: bool = True, types: str | Exception = ""
) -> Desktop:
    def run(command: str, given: Mapping[str, str], timeout_seconds: float) -> str:
        assert (given, timeout_seconds) == (environ, WAIT_SECONDS)
        if isinstance(types, Exception):
            raise types
        return f"{command}: {types}"

    return Desktop(environ, timeout_seconds=WAIT_SECONDS, is_to_be_asked=is_to_be_asked, run=run)


def test_whoever_sits_at_a_desktop_is_asked_in_a_dialog(environ: dict[str, str]) -> None:
    assert desktop(environ).is_there()

    typed = desktop(environ, types="123456").ask("MFA code?")

    assert typed.startswith(f"{environ['PATH']}/")
    assert "MFA code?" in typed
    assert typed.endswith(": 123456")


def test_nobody_sits_where_no_dialog_can_be_shown(environ: dict[str, str]) -> None:
    assert not desktop(environ | {"PATH": "/nowhere"}).is_there()


def test_nobody_is_asked_where_input_is_forbidden(environ: dict[str, str]) -> None:
    assert not desktop(environ, is_to_be_asked=False).is_there()


def test_a_dialog_that_is_cancelled_means_that_nobody_is_there(environ: dict[str, str]) -> None:
    cancelled = HelperFailed("the helper zenity failed with exit status 1")

    with pytest.raises(NobodyToAsk, match=r"no MFA code was given in the dialog \(the helper zenity failed"):
        desktop(environ, types=cancelled).ask("MFA code?")
