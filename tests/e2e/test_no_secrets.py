"""No secret in any output: what is said at the most talkative, in every kind of outcome, and every argv."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from tests.aws.faults import Fault, FaultKind

from . import machines
from .patience import eventually
from .world import GDS_EXEC, PROMPT, World, finish

CANARY = "canary-in-a-cage"  # a password, where the test and not the sandbox makes the secret
Said = Iterable[bytes]
Scenario = Callable[[World], Said]
SCENARIOS: dict[str, Scenario] = {}
LOST: tuple[FaultKind, ...] = ("reset", "truncated", "garbage", "html", "empty", "redirect", "error")


def scenario(run: Scenario) -> Scenario:
    SCENARIOS[run.__name__.replace("_", " ")] = run
    return run


@dataclass
class Watch:
    """The arguments of every process that was there while the watch lasted."""

    argvs: set[str] = field(default_factory=set)

    def look(self) -> None:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                self.argvs.add("\0".join(process.cmdline()))


@contextmanager
def watching() -> Iterator[Watch]:
    watch, over = Watch(), Event()

    def watch_until_over() -> None:
        while not over.wait(0.005):
            watch.look()

    thread = Thread(target=watch_until_over, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def secrets_of(world: World) -> list[re.Pattern[str]]:
    """Everything that must not be seen: keys, tokens, codes, the device's seed, the canary."""
    sessions = list(world.aws._sessions.values())
    keys = [user.secret_access_key for user in world.aws.users.values()]
    keys += [session.secret_access_key for session in sessions]
    tokens = [session.token for session in sessions if session.token]
    ids = [*world.aws.users, *world.aws._sessions]
    requests = [
        world.aws.github.request_token,
        *(c.authorization_token for c in world.aws.containers.values()),
    ]
    texts = [re.escape(text) for text in (*keys, *tokens, *ids, *requests, world.device.secret, CANARY)]
    texts.append(r"eyJ[\w-]{9,}\.[\w-]{9,}\.[\w-]{9,}")  # any web identity token
    codes = [rf"(?<!\d){code}(?!\d)" for code in world.handed_out]
    return [re.compile(text) for text in (*texts, *codes)]


def leaked(world: World, text: str) -> list[str]:
    return [secret.pattern for secret in secrets_of(world) if secret.search(text)]


def run(world: World, *argv: str, code: str | None = None, **environ: str) -> bytes:
    if code is not None:
        environ["GDS_EXEC_MFA_CODE"] = code
    done = world.run(*argv, environ=environ)
    return done.stdout + done.stderr


def private(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text)
    return path


@scenario
def a_session_that_is_made_and_then_cached(world: World) -> Said:
    world.add_role("prod")
    yield run(world, "prod", "true", code=world.code())
    yield run(world, "prod", "true")
    yield run(world, "prod", "--new-session", "true")
    yield run(world, "prod", "no-such-command")
    assert world.aws.count("AssumeRole") == 2


@scenario
def a_session_made_with_the_code_itself(world: World) -> Said:
    world.add_role("prod", settings="duration_seconds = 7200", max_session=7200)
    yield run(world, "prod", "true", code=world.code())
    assert world.sessions()


@scenario
def a_wrong_code(world: World) -> Said:
    world.add_role("prod")
    world.handed_out.append(world.device.code(50))
    yield run(world, "prod", "true", code=world.handed_out[-1])
    assert world.aws.count("GetSessionToken") == 1


@scenario
def a_spent_code(world: World) -> Said:
    world.add_role("one", settings="duration_seconds = 7200", max_session=7200)
    world.add_role("two", settings="duration_seconds = 7200", max_session=7200)
    code = world.code()
    yield run(world, "one", "true", code=code)
    yield run(world, "two", "true", code=code)
    assert world.aws.count("AssumeRole") == 2


@scenario
def something_else_in_place_of_a_code(world: World) -> Said:
    world.add_role("prod")
    world.handed_out += ["12345678", "87654321"]
    yield run(world, "prod", "true", code="12345678")
    yield run(world, "prod", "true", "--mfa-code", code=f"{CANARY} 87654321")


@scenario
def a_token_in_the_place_of_keys(world: World) -> Said:
    role = machines.plain_role(world, "deploy")
    path = machines.token_file(world, machines.web_identity_token(world, role=role))
    path.chmod(0o600)
    yield run(world, role.arn, "true", AWS_WEB_IDENTITY_TOKEN_FILE=str(path))
    role.token_trust = ()
    yield run(world, role.arn, "--new-session", "true", AWS_WEB_IDENTITY_TOKEN_FILE=str(path))
    yield run(world, "explain", role.arn, AWS_WEB_IDENTITY_TOKEN_FILE=str(path))
    for fault in LOST:
        world.aws.fail("AssumeRoleWithWebIdentity", Fault(fault))
        yield run(world, role.arn, "--new-session", "true", AWS_WEB_IDENTITY_TOKEN_FILE=str(path))
    assert world.aws.count("AssumeRoleWithWebIdentity") >= 2


@scenario
def a_job_of_github_s(world: World) -> Said:
    environ = machines.github(world, machines.plain_role(world, "deploy"))
    del environ["GITHUB_ACTIONS"]  # where the session is told to the runner, for it to be masked
    arn = "arn:aws:iam::222222222222:role/deploy"
    yield run(world, arn, "--source", "github", "true", **environ)
    yield run(world, arn, "--source", "github", "--refresh", "true", **environ)
    for fault in (Fault("error", status=403), Fault("garbage", times=4), Fault("reset", times=4)):
        world.aws.fail("GetGitHubToken", fault)
        yield run(world, arn, "--source", "github", "true", **environ)
    assert world.aws.github.minted == 2


@scenario
def machines_with_roles_of_their_own(world: World) -> Said:
    own = machines.plain_role(world, "own")
    machines.plain_role(world, "deploy").trust += (own.arn,)
    for environ in (machines.container(world, own), machines.instance(world, own)):
        for options in ((), ("--refresh",)):
            yield run(world, "222222222222/deploy", *options, "true", **environ)
    container = machines.container(world, own)
    container["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = CANARY
    yield run(world, "222222222222/deploy", "--source", "container", "true", **container)
    assert world.aws.count("AssumeRole") >= 2


@scenario
def a_role_that_is_not_granted(world: World) -> Said:
    world.add_role("prod", trust=["arn:aws:iam::111111111111:user/bob"])
    yield run(world, "prod", "true", code=world.code())
    assert world.aws.count("AssumeRole") == 1


@scenario
def a_device_of_somebody_else(world: World) -> Said:
    world.add_role("prod", serial="arn:aws:iam::111111111111:mfa/bob")
    yield run(world, "prod", "true", code=world.code())
    assert world.aws.count("GetSessionToken") == 1


@scenario
def keys_that_are_switched_off(world: World) -> Said:
    world.add_role("prod")
    world.aws.switch_off_key(world.user)
    yield run(world, "prod", "true", code=world.code())
    yield run(world, "whoami")


@scenario
def a_secret_key_that_is_wrong(world: World) -> Said:
    world.add_role("prod")
    text = world.credentials.read_text()
    world.write_credentials(text.replace(world.user.secret_access_key, CANARY * 2))
    yield run(world, "prod", "true", code=world.code())
    yield run(world, "whoami")


@scenario
def a_session_that_aws_no_longer_knows(world: World) -> Said:
    world.add_role("one")
    world.add_role("two")
    yield run(world, "one", "true", code=world.code())
    world.aws.revoke_sessions()
    yield run(world, "two", "true", code=world.code())


@scenario
def an_answer_that_quotes_the_code(world: World) -> Said:
    world.add_role("prod")
    code = world.code()
    for message in (
        f"1 validation error detected: Value '{code}' at 'tokenCode' failed to satisfy constraint",
        f"MultiFactorAuthentication failed, must provide both: {code}",
    ):
        world.aws.fail("GetSessionToken", Fault("error", status=400, code="ValidationError", message=message))
        yield run(world, "prod", "true", code=code)


@scenario
def an_answer_that_quotes_the_request(world: World) -> Said:
    world.add_role("prod")
    yield run(world, "prod", "true", code=world.code())
    tokens = [session.token for session in world.aws._sessions.values()]
    message = f"The Canonical String should have been 'POST\n/\n\nx-amz-security-token:{tokens[0]}\n'"
    for code in ("IncompleteSignature", "SignatureDoesNotMatch"):
        quoting = Fault("error", status=403, code=code, message=message)
        world.aws.fail("AssumeRole", quoting)
        yield run(world, "prod", "--new-session", "true")


@scenario
def credential_processes_good_and_bad(world: World) -> Said:
    world.write_credentials("")
    keys = {"AccessKeyId": world.user.access_key_id, "SecretAccessKey": world.user.secret_access_key}
    good = json.dumps({"Version": 1, **keys})
    for number, (text, end) in enumerate(
        [
            (good, 0),
            (good, 1),
            (good[:-9], 0),
            (good.replace("1,", "2,"), 0),
            (json.dumps({"Version": 1, **keys, "Expiration": CANARY}), 0),
            (json.dumps({"Version": 1, **keys, "SessionToken": CANARY, "Expiration": "2001-01-01"}), 0),
            (json.dumps({"Version": 1, "AccessKeyId": [CANARY], "SecretAccessKey": CANARY}), 0),
            (json.dumps({"Version": 1, "SecretAccessKey": CANARY}), 0),
            (f"{CANARY}\0\x1b{good * 300}", 0),
        ]
    ):
        document = private(world.home / f"document{number}", text)
        script = private(world.home / f"process{number}", f"cat {document}; exit {end}")
        process = f"credential_process = sh {script}"
        world.write_config(f"[profile gds-users]\n{process}\n[profile keys]\n{process}\n")
        world.add_role("prod", mfa=False, role_name=f"prod{number}")
        yield run(world, "prod", "true")
        yield run(world, "whoami", "--source-profile", "keys")


@scenario
def mfa_processes_good_and_bad(world: World) -> Said:
    code = world.code()
    seed = world.device.secret
    bad = (f"echo {code}; exit 3", f"echo {seed}{code}", f"echo x{code}", "exit 1")
    for number, words in enumerate((*bad, f"echo {code}")):
        script = private(world.home / f"mfa{number}", words)
        world.write_config("")
        world.add_role("prod", settings=f"mfa_process = sh {script}", role_name=f"prod{number}")
        for session in world.sessions():
            session.unlink()
        yield run(world, "prod", "true")
    assert world.aws.count("GetSessionToken") == 1


@scenario
def whoami_outside_and_inside_a_role(world: World) -> Said:
    world.add_role("prod")
    yield run(world, "whoami", "--json")
    yield run(world, "prod", GDS_EXEC, "whoami", code=world.code())
    yield run(world, "prod", GDS_EXEC, "whoami", "--source-profile", "none")


@scenario
def gds_exec_in_gds_exec(world: World) -> Said:
    world.add_role("outer")
    world.add_role("inner")
    yield run(world, "outer", GDS_EXEC, "inner", "true", code=world.code())


@scenario
def broken_aws_files(world: World) -> Said:
    key, secret = world.user.access_key_id, world.user.secret_access_key
    world.add_role("prod", mfa=False)
    for text in (
        f"[gds-users]\naws_access_key_id = {key}\naws_secret_access_key {secret}\n",
        f"[gds-users]\naws_access_key_id = {key}\n{secret}\n",
        f"[gds-users]\naws_secret_access_key = {secret}\n",
        f"[gds-users]\naws_access_key_id = {secret}\naws_secret_access_key = {key}\n",
        f"[gds-users]\naws_secret_access_key = {secret}\naws_secret_access_key = {secret}\n",
        f"[{secret}\naws_access_key_id = {key}\n",
        f"aws_secret_access_key = {secret}\n",
        f"[gds-users]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\xff\0\n",
        world.credentials.read_text() + f"aws_session_token = {CANARY}\n",
    ):
        world.write_credentials(text.encode("latin-1"))
        yield run(world, "prod", "true")
        yield run(world, "whoami")


@scenario
def passwords_in_urls(world: World) -> Said:
    world.add_role("prod", mfa=False)
    secret = f"alice:{CANARY}@"
    for environ in (
        {"AWS_ENDPOINT_URL": f"http://{secret}127.0.0.1:1"},
        {"AWS_ENDPOINT_URL": f"http://{secret}aws.invalid"},
        {"AWS_ENDPOINT_URL": f"ftp://{secret}aws.invalid"},
        {"AWS_ENDPOINT_URL": f"https://{secret}[bad"},
        {"HTTP_PROXY": f"http://{secret}127.0.0.1:1"},
        {"HTTP_PROXY": f"http://alice:{CANARY}[@127.0.0.1:1"},
        {"HTTP_PROXY": f"{secret}127.0.0.1:1"},
    ):
        yield run(world, "prod", "true", **environ)
    world.config.chmod(0o600)
    world.write_config(f"[profile x]\nendpoint_url = http://{secret}x.invalid\nrole_arn = {CANARY}\n")
    yield run(world, "whoami")


@scenario
def codes_typed_at_the_terminal(world: World) -> Said:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true")
    seen = ""
    world.handed_out.append(world.device.code(50))
    for code in (world.handed_out[0], world.code()):
        terminal.expect_exact(PROMPT)
        terminal.sendline(code)
        seen += terminal.before
        terminal.expect_exact(code)  # the terminal's own echo
        seen += terminal.before
    yield (seen + finish(terminal)).encode()
    assert terminal.exitstatus == 0


@scenario
def ctrl_d_at_the_question(world: World) -> Said:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true")
    terminal.expect_exact(PROMPT)
    terminal.sendcontrol("d")
    yield finish(terminal).encode()
    assert terminal.exitstatus == 124


@pytest.mark.matrix(46, 52, 125)
@pytest.mark.parametrize("run_scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_no_secret_in_any_output(run_scenario: Scenario, world: World) -> None:
    world.environ["GDS_EXEC_DEBUG"] = "1"
    with watching() as watch:
        everything_said = [said.decode(errors="backslashreplace") for said in run_scenario(world)]

    assert any("gds-exec: debug: " in said for said in everything_said), "it was not asked to be talkative"
    for said in everything_said:
        assert said
        assert leaked(world, said) == [], said
    for argv in watch.argvs:
        assert leaked(world, argv) == [], argv
    assert_private_files(world)


@pytest.mark.matrix(46, 50)
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("action", ["GetCallerIdentity", "GetSessionToken", "AssumeRole"])
def test_no_secret_of_an_answer_that_was_spoilt(kind: FaultKind, action: str, world: World) -> None:
    world.add_role("prod")
    world.aws.fail(action, Fault(kind, after=True, times=3))

    said = run(world, "prod", "--debug", "true", code=world.code())

    assert b"gds-exec: debug: " in said
    assert leaked(world, said.decode(errors="backslashreplace")) == []


def assert_private_files(world: World) -> None:
    for path in world.home.rglob("*"):
        if path.is_file() and leaked(world, path.read_bytes().decode("latin-1")):
            assert path.stat().st_mode & 0o077 == 0, path


def test_the_sandbox_to_try_tells_no_secret_either(world: World) -> None:
    world.environ["GDS_EXEC_DEBUG"] = "1"
    kept = world.home / "kept"
    inner = (
        f"umask 077; cat $AWS_SHARED_CREDENTIALS_FILE >{kept}; "
        f"{GDS_EXEC} try-readonly -- env | sed -n 's/^AWS_SE[^=]*=/x = /p' >>{kept}; "
        f"{GDS_EXEC} whoami; {GDS_EXEC} nobody -- true"
    )
    with watching() as watch:
        done = world.run("try", "--", "sh", "-c", inner)

    secrets = re.findall(r"(?:secret_access_key|x) = (\S{30,})", kept.read_text())
    assert len(secrets) >= 3, done.stderr.decode()
    for text in (done.stdout.decode(), done.stderr.decode(), *watch.argvs):
        assert [secret for secret in secrets if secret in text] == []


def test_while_it_asks_its_own_arguments_and_environment_hold_no_secret(world: World) -> None:
    world.add_role("prod")
    world.sign_in("prod")
    world.aws.revoke_sessions()
    sessions = [path.read_text() for path in world.sessions()]
    for path in world.sessions():
        path.unlink()
    terminal = world.terminal("prod", "--", "true")
    terminal.expect_exact(PROMPT)
    process = psutil.Process(terminal.pid)
    surroundings = shlex.join(process.cmdline())
    with suppress(psutil.AccessDenied):  # which nobody but root can read
        surroundings += repr(process.environ())

    assert leaked(world, surroundings) == []
    assert not [line for text in sessions for line in text.splitlines()[1:4] if line in surroundings]
    terminal.sendcontrol("d")
    finish(terminal)


def test_the_watch_sees_a_secret_in_an_argument(world: World) -> None:
    world.add_role("prod")
    with watching() as watch:
        process = psutil.Popen(
            [GDS_EXEC, "prod", "--mfa-code", world.code(), "--", "sleep", "30"], env=world.environ
        )

        def is_seen() -> None:
            assert [argv for argv in watch.argvs if leaked(world, argv)]

        eventually(is_seen)
        process.kill()
        process.wait()


def test_what_is_leaked_is_found(world: World) -> None:
    world.add_role("prod")
    shown = run(world, "prod", "env", code=world.code())

    assert len(leaked(world, shown.decode())) == 3
    assert leaked(world, f"code {world.handed_out[0]}, {world.user.secret_access_key}") != []
