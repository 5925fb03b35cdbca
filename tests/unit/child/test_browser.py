import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gds_exec.child.browser import browser_command, open_in_browser

SECRET_URL = "https://signin.example/federation?SigninToken=a-secret"
DESKTOP = {"DISPLAY": ":0"}
# Notes what it is, then asks for the page, and notes where that leads; what it says is not for us.
BROWSER = """
import http.client, json, os, sys
from urllib.parse import urlsplit
url, path = sys.argv[1:]
print("noise")
print("noise", file=sys.stderr)
address = urlsplit(url)
connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
connection.request("GET", address.path)
facts = {
    "url": url,
    "location": connection.getresponse().getheader("Location"),
    "session": os.getsid(0),
    "environ": sorted(set(os.environ) - {"LC_CTYPE"}),
    "is_null": [os.path.samestat(os.fstat(number), os.stat(os.devnull)) for number in (0, 1, 2)],
    "descriptors": len(os.listdir("/dev/fd")),
}
with open(f"{path}.new", "w") as file:
    json.dump(facts, file)
os.rename(f"{path}.new", path)
"""


def installed(*names: str) -> Callable[[str, Mapping[str, str]], str | None]:
    """Return a search that finds these programs."""

    def find(name: str, _environ: Mapping[str, str]) -> str | None:
        return f"/usr/bin/{name}" if name in names else None

    return find


def opened(tmp_path: Path) -> dict[str, Any]:
    """Open a browser, and return what it noted."""
    path = tmp_path / "facts"
    command = [sys.executable, "-c", BROWSER, "%s", str(path)]
    assert open_in_browser(SECRET_URL, command, {"ONE": "1"}, patience_seconds=60)
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, "it has not told"
        time.sleep(0.01)
    facts: dict[str, Any] = json.loads(path.read_text())
    return facts


@pytest.mark.parametrize(
    ("environ", "platform", "command"),
    [
        pytest.param(DESKTOP, "linux", "xdg-open %s", id="X11"),
        pytest.param({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "xdg-open %s", id="Wayland"),
        pytest.param({}, "linux", None, id="no display"),
        pytest.param({"WSL_DISTRO_NAME": "Debian"}, "linux", "wslview %s", id="WSL"),
        pytest.param(
            {"WSL_DISTRO_NAME": "Debian", **DESKTOP}, "linux", "wslview %s", id="WSL with a display"
        ),
        pytest.param({}, "darwin", "open %s", id="macOS"),
        pytest.param({"SSH_CONNECTION": "1 2 3 4"}, "darwin", None, id="macOS from afar"),
        pytest.param({"BROWSER": "firefox"}, "linux", "firefox %s", id="BROWSER without a display"),
        pytest.param({"BROWSER": "firefox", **DESKTOP}, "linux", "firefox %s", id="BROWSER on a desktop"),
        pytest.param(
            {"BROWSER": "firefox --new-window '--profile=a b'"},
            "linux",
            "firefox|--new-window|--profile=a b|%s",
            id="BROWSER with options",
        ),
        pytest.param(
            {"BROWSER": "firefox --url=%s --x"}, "linux", "firefox --url=%s --x", id="BROWSER with %s"
        ),
        pytest.param({"BROWSER": "no-such:firefox"}, "linux", "firefox %s", id="the second of BROWSER"),
        pytest.param({"BROWSER": "no-such", **DESKTOP}, "linux", "xdg-open %s", id="BROWSER is not there"),
        pytest.param({"BROWSER": "'", **DESKTOP}, "linux", "xdg-open %s", id="BROWSER cannot be read"),
        pytest.param({"BROWSER": ":: :", **DESKTOP}, "linux", "xdg-open %s", id="BROWSER is empty"),
    ],
)
def test_the_browser_is_the_person_s_or_the_desktop_s(
    environ: dict[str, str], platform: str, command: str | None
) -> None:
    find = installed("xdg-open", "open", "wslview", "firefox")

    words = browser_command(environ, platform=platform, find=find)

    expected = None if command is None else tuple(command.split("|" if "|" in command else " "))
    assert words == (expected and (f"/usr/bin/{expected[0]}", *expected[1:]))


def test_a_desktop_without_an_opener_has_no_browser() -> None:
    assert browser_command(DESKTOP, platform="linux", find=installed()) is None


def test_the_browser_goes_where_it_is_to_go_and_its_command_line_says_nothing(tmp_path: Path) -> None:
    facts = opened(tmp_path)

    assert facts["location"] == SECRET_URL
    assert facts["url"].startswith("http://127.0.0.1:")
    assert "a-secret" not in facts["url"]


def test_the_browser_is_free_of_our_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    facts = opened(tmp_path)

    assert facts["session"] != os.getsid(0)
    assert facts["is_null"] == [True, True, True]
    assert capfd.readouterr() == ("", "")


def test_the_browser_has_the_environment_that_it_is_given_and_nothing_of_ours_open(tmp_path: Path) -> None:
    facts = opened(tmp_path)

    assert facts["environ"] == ["ONE"]
    assert facts["descriptors"] <= 6  # three, its connection, and the directory that it lists


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, "-c", "import sys; sys.exit(3)", "%s"], id="fails"),
        pytest.param([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)", "%s"], id="is killed"),
        pytest.param(["/no/such/browser", "%s"], id="is not there"),
    ],
)
def test_a_browser_that_fails_is_not_waited_for(command: list[str]) -> None:
    assert not open_in_browser(SECRET_URL, command, {}, patience_seconds=3600)


def test_a_browser_that_does_not_come_is_given_up() -> None:
    command = [sys.executable, "-c", "", "%s"]

    assert not open_in_browser(SECRET_URL, command, {}, patience_seconds=0.2)
