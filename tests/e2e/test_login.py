"""The AWS console, by a browser that is a program: it goes where it is sent, and keeps what it finds."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.aws.faults import Fault

from .expectations import assert_ours
from .network import closed_port, make_certificate, serve_proxy, serve_with_tls
from .patience import eventually
from .programs import program
from .test_no_secrets import leaked, watching
from .test_standard_error import BROKEN_STDERR
from .world import GDS_EXEC, PYTHON, REGION, World

HOME = f"https://{REGION}.console.aws.amazon.com/console/home?region={REGION}"
SWITCH_ROLE = (
    "https://signin.aws.amazon.com/switchrole?account=222222222222&roleName={role}&displayName={role}"
)
# What it was told and where that led goes into one file, the page that it found there into another.
BROWSER = """\
#!{python}
import os, sys
from urllib.request import ProxyHandler, build_opener
with build_opener(ProxyHandler({{}})).open(sys.argv[-1], timeout=30) as answer:
    found = " ".join(sys.argv[1:]), answer.url, answer.read().decode()
for name, text in zip(("told", "went", "page"), found):
    with open({directory!r} + "/" + name + ".new", "w") as file:
        file.write(text)
    os.rename({directory!r} + "/" + name + ".new", {directory!r} + "/" + name)
"""


class Browser:
    """A browser of that name, and what it met."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        text = BROWSER.format(python=PYTHON, directory=str(directory))
        self.path = program(directory / name, text)

    @property
    def told(self) -> str:
        return self._noted("told")

    @property
    def page(self) -> str:
        return self._noted("page")

    @property
    def went(self) -> str:
        return self._noted("went")

    def _noted(self, name: str) -> str:
        path = self.directory / name
        eventually(lambda: _assert_there(path))
        return path.read_text()


def _assert_there(path: Path) -> None:
    assert path.exists(), f"the browser has not noted {path.name}"


def destination_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["Destination"][0]


@pytest.fixture
def browser(world: World, tmp_path: Path) -> Browser:
    directory = tmp_path / "browser"
    directory.mkdir()
    browser = Browser(directory, "a-browser")
    world.environ["BROWSER"] = str(browser.path)
    return browser


@pytest.fixture
def plain(world: World) -> World:
    """A world with a role that wants no code."""
    world.add_role("plain", mfa=False)
    return world


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "own-ca.pem")


@pytest.fixture
def tls_url(world: World, certificate: Path) -> Iterator[str]:
    with serve_with_tls(world.aws, certificate) as url:
        yield url


@pytest.mark.parametrize("option", ["-l", "--login"])
def test_the_browser_is_signed_in_as_the_role(plain: World, browser: Browser, option: str) -> None:
    done = plain.run("plain", option)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "assumed-role/plain/" in browser.page
    assert destination_of(browser.went) == HOME


def test_a_code_is_asked_for_where_one_is_needed(world: World, browser: Browser) -> None:
    world.add_role("admin")

    assert world.run("-l", "admin", "--mfa-code", world.code()).returncode == 0
    assert "assumed-role/admin/" in browser.page


def test_a_session_that_is_kept_is_used_again(signed_in: World, browser: Browser) -> None:
    assert signed_in.run("prod", "-l").returncode == 0

    assert "assumed-role/prod/" in browser.page
    assert signed_in.aws.count("AssumeRole") == 1


def test_the_opener_of_the_desktop_is_found_on_the_search_path(
    plain: World, browser: Browser, tmp_path: Path
) -> None:
    opener = Browser(tmp_path / "browser", "xdg-open")
    path = f"{opener.path.parent}:{plain.environ['PATH']}"
    del plain.environ["BROWSER"]

    done = plain.run("plain", "-l", environ={"DISPLAY": ":0", "PATH": path})

    assert done.returncode == 0
    assert "assumed-role/plain/" in browser.page


@pytest.mark.parametrize(
    ("options", "destination"),
    [
        pytest.param(("--service", "s3"), HOME.replace("/console/home", "/s3/home"), id="service"),
        pytest.param(
            ("-r", "us-east-1"), HOME.replace(REGION, "us-east-1"), id="the region that is asked for"
        ),
        pytest.param(
            ("-o", "https://console.aws.amazon.com/s3/buckets/a?tab=objects"),
            "https://console.aws.amazon.com/s3/buckets/a?tab=objects",
            id="a page",
        ),
        pytest.param(
            ("--open", "https://eu-west-1.console.aws.amazon.com/"),
            "https://eu-west-1.console.aws.amazon.com/",
            id="a page, in full",
        ),
    ],
)
def test_the_browser_is_led_where_it_is_wanted(
    plain: World, browser: Browser, options: tuple[str, ...], destination: str
) -> None:
    login = () if options[0] in ("-o", "--open") else ("-l",)

    assert plain.run("plain", *login, *options).returncode == 0
    assert destination_of(browser.went) == destination


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_the_one_that_a_command_would_see(
    plain: World, browser: Browser, variable: str
) -> None:
    plain.run("plain", "-l", environ={variable: "eu-west-1"})

    assert destination_of(browser.went) == HOME.replace(REGION, "eu-west-1")


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://console.aws.amazon.com/", "https://console.amazonaws.cn/"]
)
def test_nobody_is_signed_in_elsewhere(plain: World, browser: Browser, url: str) -> None:
    assert_ours(plain.run("plain", "-o", url), 2, "[usage]", "not a page of this role's console")
    assert not plain.aws.calls


def test_the_url_is_printed_where_that_is_wanted(plain: World, browser: Browser) -> None:
    done = plain.run("plain", "-l", "--print")

    [line] = done.stdout.decode().splitlines()
    assert line.startswith(f"{plain.url}/federation?Action=login&")
    assert destination_of(line) == HOME
    assert plain.run_program(str(browser.path), line).returncode == 0
    assert "assumed-role/plain/" in browser.page


def test_the_url_is_printed_where_there_is_no_browser(plain: World) -> None:
    child = plain.terminal("plain", "-l")

    child.expect_exact("there is no browser here")
    child.expect_exact(f"{plain.url}/federation?Action=login&")


def test_the_url_is_printed_where_the_browser_fails(plain: World, tmp_path: Path) -> None:
    broken = program(tmp_path / "broken", "#!/bin/sh\nexit 3\n")

    done = plain.run("plain", "-l", environ={"BROWSER": str(broken)})

    assert done.returncode == 0
    assert b"broken has not opened the console" in done.stderr
    assert done.stdout.startswith(f"{plain.url}/federation?Action=login&".encode())


@pytest.mark.matrix(81)
@pytest.mark.parametrize("broken", BROKEN_STDERR)
def test_the_url_is_printed_although_nothing_can_be_said(broken: str, plain: World) -> None:
    line = f"{broken}; {GDS_EXEC} plain -l"  # with a browser that fails, which is to be said

    done = plain.run_program("bash", "-c", line, environ={"BROWSER": "false"})

    assert done.returncode == 0
    assert done.stdout.startswith(f"{plain.url}/federation?Action=login&".encode())


def test_roles_are_switched_by_a_link_that_asks_nothing_of_anybody(world: World, browser: Browser) -> None:
    world.add_role("admin")

    done = world.run("admin", "--switch-role")

    assert done.stdout.decode() == SWITCH_ROLE.format(role="admin") + "\n"
    assert (done.returncode, done.stderr) == (0, b"")
    assert not world.aws.calls


@pytest.mark.parametrize("role", ["arn:aws:iam::222222222222:role/admin", "222222222222/admin"])
def test_roles_without_a_profile_are_switched_to_as_well(world: World, role: str) -> None:
    done = world.run(role, "--switch-role")

    assert done.stdout.decode() == SWITCH_ROLE.format(role="admin") + "\n"


def test_roles_are_switched_without_any_access_key(world: World) -> None:
    world.add_role("admin")
    world.write_credentials("")

    assert world.run("admin", "--switch-role").stdout.decode() == SWITCH_ROLE.format(role="admin") + "\n"


@pytest.mark.parametrize("options", [("-l",), ("--switch-role",)])
def test_a_profile_without_a_role_is_told_as_one(world: World, options: tuple[str, ...]) -> None:
    assert_ours(world.run("gds-users", *options), 125, "[broken-profile]", "has no role", "hint: ")
    assert not world.aws.calls


@pytest.mark.matrix(68)
@pytest.mark.parametrize(
    ("options", "is_told"),
    [pytest.param((), False, id="from the MFA session"), pytest.param(("--duration", "8h"), True, id="8h")],
)
def test_how_long_is_said_only_where_aws_takes_that(
    world: World, browser: Browser, options: tuple[str, ...], is_told: bool
) -> None:
    world.add_role("admin", max_session=43200)

    assert world.run("admin", "-l", *options, "--mfa-code", world.code()).returncode == 0

    [call] = [call for call in world.aws.calls if call.action == "getSigninToken"]
    assert call.status == 200
    assert ("SessionDuration" in call.parameters) is is_told


@pytest.mark.matrix(68)
def test_a_chained_role_is_signed_in_for_as_long_as_it_lasts(world: World, browser: Browser) -> None:
    first = world.add_role("first", mfa=False, max_session=43200)
    world.add_role("second", mfa=False, trust=[first.arn], source_profile="first", max_session=43200)

    assert world.run("second", "-l", "--duration", "8h").returncode == 0
    assert "assumed-role/second/" in browser.page


@pytest.mark.matrix(67)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(Fault("error", status=400), ("[aws-refused]", "400"), id="400"),
        pytest.param(Fault("error", status=500), ("[aws-unreachable]", "500"), id="500"),
        pytest.param(Fault("redirect"), ("[aws-unreachable]", "portal.invalid"), id="redirect"),
        pytest.param(Fault("html"), ("[aws-unreachable]", "no answer that AWS would give"), id="portal"),
        pytest.param(Fault("empty"), ("[aws-unreachable]", "no answer that AWS would give"), id="empty"),
        pytest.param(Fault("truncated", after=True), ("[aws-unreachable]", "no answer"), id="truncated"),
        pytest.param(Fault("reset"), ("[aws-unreachable]", "cannot be reached"), id="reset"),
    ],
)
def test_a_sign_in_that_fails_is_told_as_ours(
    plain: World, browser: Browser, fault: Fault, words: tuple[str, ...]
) -> None:
    plain.aws.fail("getSigninToken", fault)

    assert_ours(plain.run("plain", "-l"), 125, *words)


def test_the_sign_in_has_a_variable_of_its_own(plain: World, browser: Browser) -> None:
    elsewhere = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port()}", "AWS_ENDPOINT_URL_STS": plain.url}

    assert (
        plain.run("plain", "-l", environ={**elsewhere, "AWS_ENDPOINT_URL_SIGNIN": plain.url}).returncode == 0
    )
    assert "assumed-role/plain/" in browser.page


def test_no_session_is_sent_off_this_machine_without_tls(plain: World) -> None:
    done = plain.run("plain", "-l", environ={"AWS_ENDPOINT_URL_SIGNIN": "http://signin.example"})

    assert_ours(done, 125, "[broken-profile]", "signin.example", "TLS")
    assert not plain.aws.calls


def test_a_certificate_of_ones_own_is_trusted_if_named(plain: World, tls_url: str, certificate: Path) -> None:
    environ = {"AWS_ENDPOINT_URL_SIGNIN": tls_url}

    trusted = plain.run("plain", "-l", "--print", environ={**environ, "AWS_CA_BUNDLE": str(certificate)})
    distrusted = plain.run("plain", "-l", "--print", environ=environ)

    assert trusted.stdout.startswith(f"{tls_url}/federation?".encode())
    assert_ours(distrusted, 125, "[aws-unreachable]", "certificate", "AWS_CA_BUNDLE")


@pytest.mark.matrix(52)
def test_the_sign_in_goes_by_the_proxy_that_is_set(plain: World, tls_url: str, certificate: Path) -> None:
    environ = {"AWS_ENDPOINT_URL_SIGNIN": tls_url, "AWS_CA_BUNDLE": str(certificate)}

    with serve_proxy(tls_url, userinfo="alice:canary") as proxy:
        served = plain.run(
            "plain", "-l", "--print", environ={**environ, "HTTPS_PROXY": proxy.url("alice:canary")}
        )
        refused = plain.run(
            "plain", "-l", "--print", environ={**environ, "HTTPS_PROXY": proxy.url("alice:no")}
        )

    assert served.returncode == 0, served.stderr.decode()
    assert proxy.hosts == ["127.0.0.1"]
    assert_ours(refused, 125, "[aws-unreachable]", "the proxy 127.0.0.1", "HTTPS_PROXY")


@pytest.mark.matrix(52)
def test_a_dead_proxy_is_named_without_its_password(plain: World, tls_url: str, certificate: Path) -> None:
    environ = {
        "AWS_ENDPOINT_URL_SIGNIN": tls_url,
        "AWS_CA_BUNDLE": str(certificate),
        "HTTPS_PROXY": f"http://alice:canary@127.0.0.1:{closed_port()}",
    }

    said = assert_ours(plain.run("--debug", "plain", "-l", environ=environ), 125, "the proxy 127.0.0.1")
    assert "canary" not in said


@pytest.mark.matrix(67)
def test_no_secret_is_in_a_command_line_or_said(plain: World, browser: Browser) -> None:
    with watching() as watch:
        done = plain.run("--debug", "plain", "-l")
        token = parse_qs(urlsplit(browser.went).query)["SigninToken"][0]

    said = done.stderr.decode() + done.stdout.decode()
    everything = "\n".join([said, browser.told, *watch.argvs])
    assert "a sign-in token is asked for" in said
    assert any(browser.told in argv for argv in watch.argvs), "the watch has not seen the browser"
    assert not leaked(plain, everything)
    assert token not in everything
