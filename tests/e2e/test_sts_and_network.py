"""What AWS refuses, what the network loses, and that a code is never spent twice: rows 45 to 63."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws.faults import LISTING_FORBIDDEN, Fault, FaultKind
from tests.aws.sandbox import add_security_key

from .expectations import assert_ours, assert_speaks_as_ours
from .fake_time import at_clock
from .network import closed_port, make_certificate, serve_proxy, serve_with_tls
from .observations import codes_sent, durations, sessions_made
from .world import GDS_EXEC, SHOW_KEY, World, finish, needs

THROTTLED = Fault("error", times=1, status=400, code="Throttling", message="Rate exceeded")
BROKEN = Fault("error", times=1, status=503, code="ServiceUnavailable", message="Service Unavailable")
STRANGE_ANSWERS: tuple[FaultKind, ...] = ("html", "empty", "garbage", "truncated", "redirect")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "own-ca.pem")


@pytest.fixture
def tls_url(world: World, certificate: Path) -> Iterator[str]:
    with serve_with_tls(world.aws, certificate) as url:
        yield url


# No code in the call: it may be made again.


@pytest.mark.matrix(45, 48)
@pytest.mark.parametrize("fault", [BROKEN, Fault("reset"), THROTTLED], ids=["503", "reset", "throttling"])
def test_call_without_a_code_is_made_again(world: World, fault: Fault) -> None:
    world.add_role("plain", mfa=False)
    world.aws.fail("AssumeRole", fault)
    done = world.run("plain", "--", "echo", "started")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"started\n"
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.matrix(45, 48)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(
            Fault("error", times=9, status=500),
            ("AWS could not answer AssumeRole", "InternalFailure"),
            id="500",
        ),
        pytest.param(Fault("reset", times=9), ("127.0.0.1",), id="reset"),
        pytest.param(
            Fault("error", times=9, status=400, code="Throttling", message="Rate exceeded"),
            ("Rate exceeded", "hint: try again"),
            id="throttling",
        ),
    ],
)
def test_call_without_a_code_is_given_up_after_three_tries(
    world: World, fault: Fault, words: tuple[str, ...]
) -> None:
    world.add_role("plain", mfa=False)
    world.aws.fail("AssumeRole", fault)
    assert_ours(world.run("plain", "--", "true"), 125, "[aws-unreachable]", *words)
    assert world.aws.count("AssumeRole") == 3


@pytest.mark.matrix(45, 51)
def test_refused_connection_is_told_with_the_host(world: World) -> None:
    world.add_role("plain", mfa=False)
    port = closed_port()
    done = world.run("plain", "--", "true", environ={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
    assert_ours(done, 125, "[aws-unreachable]", f"127.0.0.1:{port}", "cannot be reached")


@pytest.mark.matrix(49, 50)
@pytest.mark.parametrize("kind", STRANGE_ANSWERS)
@pytest.mark.parametrize("action", ["AssumeRole", "GetCallerIdentity"])
def test_answer_that_aws_would_not_give_is_told_as_one(world: World, action: str, kind: FaultKind) -> None:
    is_asked_with_a_code = action == "GetCallerIdentity"  # what comes before a code is asked for
    world.add_role("role", mfa=is_asked_with_a_code)
    world.aws.fail(action, Fault(kind, times=9))
    code = ("--mfa-code", world.code()) if is_asked_with_a_code else ()
    done = world.run("role", *code, "--", "true")
    assert_ours(done, 125, "[aws-unreachable]", "gave no answer that AWS would give", "hint: ")
    assert codes_sent(world.aws) == 0


# A code in the call: it is sent once.


@pytest.mark.matrix(46, 50)
@pytest.mark.parametrize("options", [(), ("--duration", "2h")], ids=["GetSessionToken", "AssumeRole"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", after=True),
        Fault("reset"),
        Fault("html", after=True),
        Fault("truncated", after=True),
        Fault("error", status=503, after=True),
        Fault("error", status=400, code="Throttling", message="Rate exceeded"),
    ],
    ids=["reset-after", "reset-before", "html-after", "truncated-after", "503-after", "throttling"],
)
def test_code_is_sent_once_whatever_becomes_of_the_answer(
    world: World, options: tuple[str, ...], fault: Fault
) -> None:
    world.add_role("admin", max_session=7200)
    world.aws.fail("AssumeRole" if options else "GetSessionToken", fault)
    done = world.run("admin", *options, "--mfa-code", world.code(), "--", "true")
    assert_ours(done, 125, "[answer-lost]", "the code may be spent: wait for the next one")
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(46)
def test_no_variable_of_the_sdk_makes_it_send_a_code_again(world: World) -> None:
    world.add_role("admin")
    world.aws.fail("GetSessionToken", Fault("reset", times=9, after=True))
    persistent = {"AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "legacy"}
    done = world.run("admin", "--mfa-code", world.code(), "--", "true", environ=persistent)
    assert_ours(done, 125, "[answer-lost]")
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(46)
def test_lost_answer_leads_to_a_fresh_prompt(world: World) -> None:
    world.add_role("admin")
    world.aws.fail("GetSessionToken", Fault("reset", after=True))
    child = world.terminal("admin", "--", "echo", "started")
    child.expect_exact("MFA code for admin (")
    child.sendline(world.code())
    child.expect("wait for the next one")
    child.expect_exact("MFA code for admin (")
    child.sendline(world.code())
    assert "started" in finish(child)
    assert child.exitstatus == 0
    assert codes_sent(world.aws) == 2


@pytest.mark.matrix(46)
def test_code_whose_answer_was_lost_is_known_to_be_spent(world: World) -> None:
    world.add_role("admin")
    world.aws.fail("GetSessionToken", Fault("reset", after=True))
    code = world.code()
    child = world.terminal("admin", "--", "true")
    child.expect_exact("MFA code for admin (")
    child.sendline(code)
    child.expect_exact("MFA code for admin (")
    child.sendline(code)
    child.expect("used already|refused already|spent")
    child.expect_exact("MFA code for admin (")
    child.sendline(world.code())
    finish(child)
    assert child.exitstatus == 0
    assert codes_sent(world.aws) == 2, "the same code went to AWS twice"


@pytest.mark.matrix(47)
def test_hang_is_bounded(world: World) -> None:
    world.add_role("admin")
    world.aws.fail("GetSessionToken", Fault("hang", delay=30))
    began = time.monotonic()
    done = world.run("admin", "--mfa-code", world.code(), "--", "true")
    assert_ours(done, 125, "[answer-lost]")
    assert time.monotonic() - began < 20
    assert codes_sent(world.aws) == 1


# An answer that takes too long, or is too long.


def under_a_gibibyte() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1024**3, 1024**3))


# A minute takes ten seconds. With a faster clock, pauses of a busy machine would exceed the read timeout.
FAST = "+0 x6"


@needs("faketime")
def test_a_call_whose_answer_drips_ends_after_a_minute(world: World, tls_url: str, certificate: Path) -> None:
    world.add_role("plain", mfa=False)
    world.aws.fail("AssumeRole", Fault("drip", times=9, delay=0.05))
    environ = {"AWS_ENDPOINT_URL": tls_url, "AWS_CA_BUNDLE": str(certificate)}
    done = world.run_program(*at_clock(FAST), GDS_EXEC, "plain", "--", "true", environ=environ)
    assert_ours(done, 125, "[aws-unreachable]", "did not finish its answer within 60 s", "hint: ")
    assert world.aws.count("AssumeRole") == 1


@needs("faketime")
def test_a_code_whose_answer_drips_is_sent_once(world: World) -> None:
    world.add_role("admin")
    world.aws.fail("GetSessionToken", Fault("drip-head", times=9, delay=0.05))
    done = world.run_program(*at_clock(FAST), GDS_EXEC, "admin", "--mfa-code", world.code(), "--", "true")
    assert_ours(done, 125, "[answer-lost]", "within 60 s", "the code may be spent: wait for the next one")
    assert codes_sent(world.aws) == 1


@pytest.mark.parametrize("kind", ["drip", "drip-head"])
def test_a_shorter_time_limit_ends_a_drip_sooner(world: World, kind: FaultKind) -> None:
    world.add_role("plain", mfa=False)
    world.aws.fail("AssumeRole", Fault(kind, times=9, delay=0.1))
    done = world.run("plain", "--timeout", "2s", "--", "true", timeout=30)
    assert_ours(done, 125, "[out-of-time]", "2s")


@pytest.mark.parametrize("action", ["AssumeRole", "GetCallerIdentity", "GetSessionToken"])
def test_an_answer_of_two_gibibytes_is_given_up_at_once(world: World, action: str) -> None:
    world.add_role("role", mfa=action != "AssumeRole")
    world.aws.fail(action, Fault("flood", times=9))
    code = ("--mfa-code", world.code()) if action != "AssumeRole" else ()
    done = world.run("role", *code, "--", "true", preexec_fn=under_a_gibibyte)
    slug = "[answer-lost]" if action == "GetSessionToken" else "[aws-unreachable]"
    assert_ours(done, 125, slug, "sent more than 1 MiB", "hint: ")
    assert world.aws.count(action) == 1


# A response with fields that AWS never sends.


@pytest.mark.parametrize(
    ("field", "content"),
    [
        pytest.param("AccessKeyId", "", id="no key id"),
        pytest.param("AccessKeyId", "ASIAEXAMPLE1&#10;SIAEXAMPLE2", id="key id of two lines"),
        pytest.param("SecretAccessKey", "", id="no secret"),
        pytest.param("SessionToken", "", id="no token"),
        pytest.param("SessionToken", None, id="token absent"),
        pytest.param("Expiration", "9999-12-31T23:59:59Z", id="the year 9999"),
        pytest.param("Expiration", "2020-01-01T00:00:00Z", id="expired"),
        pytest.param("Expiration", "soon", id="no time"),
    ],
)
@pytest.mark.parametrize("action", ["AssumeRole", "GetSessionToken"])
def test_a_session_with_an_invalid_field_is_refused(
    world: World, action: str, field: str, content: str | None
) -> None:
    world.add_role("role", mfa=action != "AssumeRole")
    world.aws.fail(action, Fault("altered", times=9, fields=((field, content),)))
    code = ("--mfa-code", world.code()) if action != "AssumeRole" else ()
    done = world.run("role", *code, "--", *SHOW_KEY)
    said = assert_ours(done, 125, "[invalid-response]", f"the {field} ", "hint: ")
    assert "EXAMPLE" not in said
    assert world.aws.count(action) == 1
    assert not world.sessions()


def test_a_session_shorter_than_asked_is_used_and_cached(world: World) -> None:
    world.add_role("plain", mfa=False, max_session=7200)
    world.aws.life_override = 1800
    for _ in range(2):
        done = world.run("plain", "--duration", "2h", "--", "echo", "started")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"started\n", b"")
    assert world.aws.count("AssumeRole") == 1


def test_a_session_that_no_file_can_hold_is_used_and_each_run_says_so(world: World) -> None:
    world.add_role("plain", mfa=False)
    world.aws.fail("AssumeRole", Fault("altered", times=2, fields=(("SessionToken", "t" * 66_000),)))
    for _ in range(2):
        done = world.run("plain", "--", "echo", "started")
        assert (done.returncode, done.stdout) == (0, b"started\n")
        assert done.stderr == b"gds-exec: this session is not cached: its file cannot be read back\n"
    assert not world.sessions()


# Between here and AWS: names, certificates, proxies.


@pytest.mark.matrix(51)
@needs("unshare")
def test_name_that_cannot_be_resolved_is_told_with_the_host(world: World) -> None:
    alone = ("unshare", "-rn")
    if world.run_program(*alone, "true").returncode != 0:
        pytest.skip("no user namespaces here")
    world.add_role("plain", mfa=False)
    environ = {"AWS_ENDPOINT_URL": "https://sts.invalid"}
    done = world.run_program(*alone, GDS_EXEC, "plain", "--", "true", environ=environ)
    assert done.stderr.count(b"sts.invalid") == 2, "once as a foreign host, once as what cannot be reached"
    assert_ours(done, 125, "[aws-unreachable]", "DNS", "hint: are you connected?")


@pytest.mark.matrix(51)
def test_certificate_of_ones_own_is_trusted_if_named(world: World, tls_url: str, certificate: Path) -> None:
    world.add_role("plain", mfa=False)
    trusting = {"AWS_ENDPOINT_URL": tls_url, "AWS_CA_BUNDLE": str(certificate)}
    done = world.run("plain", "--", "true", environ=trusting)
    assert done.returncode == 0, done.stderr.decode()
    with world.config.open("a") as file:
        file.write(f"ca_bundle = {certificate}\n")
    done = world.run("plain", "--new-session", "--", "true", environ={"AWS_ENDPOINT_URL": tls_url})
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.matrix(51)
def test_certificate_that_nobody_vouches_for_is_refused(world: World, tls_url: str) -> None:
    world.add_role("plain", mfa=False)
    done = world.run("plain", "--", "true", environ={"AWS_ENDPOINT_URL": tls_url})
    assert_ours(done, 125, "[aws-unreachable]", "certificate", "AWS_CA_BUNDLE")
    assert not world.aws.calls


@pytest.mark.matrix(51)
@pytest.mark.parametrize(
    ("variable", "make"),
    [
        pytest.param("AWS_CA_BUNDLE", None, id="AWS_CA_BUNDLE-not-there"),
        pytest.param("AWS_CA_BUNDLE", Path.touch, id="AWS_CA_BUNDLE-empty"),
        pytest.param("AWS_CA_BUNDLE", Path.mkdir, id="AWS_CA_BUNDLE-an-empty-directory"),
        pytest.param("REQUESTS_CA_BUNDLE", None, id="REQUESTS_CA_BUNDLE-not-there"),
    ],
)
def test_bundle_of_certificates_that_cannot_be_used_is_named(
    world: World, tls_url: str, variable: str, make: object
) -> None:
    bundle = world.home / "ca.pem"
    if callable(make):
        make(bundle)
    world.add_role("plain", mfa=False)
    done = world.run("plain", "--", "true", environ={"AWS_ENDPOINT_URL": tls_url, variable: str(bundle)})
    assert_ours(done, 125, variable)


@pytest.mark.matrix(52)
@pytest.mark.parametrize("secret", ["hunter2-canary", "hun%5Bter2-canary"])
def test_dead_proxy_is_named_without_its_password(
    world: World, tls_url: str, certificate: Path, secret: str
) -> None:
    world.add_role("plain", mfa=False)
    environ = {
        "AWS_ENDPOINT_URL": tls_url,
        "AWS_CA_BUNDLE": str(certificate),
        "HTTPS_PROXY": f"http://alice:{secret}@127.0.0.1:{closed_port()}",
    }
    done = world.run("--debug", "plain", "--", "true", environ=environ)
    assert_ours(done, 125, "[aws-unreachable]", "the proxy", "HTTPS_PROXY")
    assert b"canary" not in done.stderr


@pytest.mark.matrix(52)
@pytest.mark.parametrize("secret", ["hun[ter2-canary", "hun/ter2-canary"])
def test_proxy_that_is_none_is_named_by_its_variable_alone(world: World, tls_url: str, secret: str) -> None:
    world.add_role("plain", mfa=False)
    environ = {"AWS_ENDPOINT_URL": tls_url, "HTTPS_PROXY": f"http://alice:{secret}@127.0.0.1:3128"}
    said = assert_ours(
        world.run("--debug", "plain", "--", "true", environ=environ), 125, "HTTPS_PROXY names no proxy"
    )
    assert "canary" not in said


@pytest.mark.matrix(52)
def test_proxy_that_wants_a_password_is_told_from_one_that_got_it(
    world: World, tls_url: str, certificate: Path
) -> None:
    world.add_role("plain", mfa=False)
    through = {"AWS_ENDPOINT_URL": tls_url, "AWS_CA_BUNDLE": str(certificate)}
    with serve_proxy(tls_url, userinfo="alice:canary") as proxy:
        refused = world.run(
            "plain", "--", "true", environ={**through, "HTTPS_PROXY": proxy.url("alice:wrong")}
        )
        assert_ours(refused, 125, "[aws-unreachable]", "the proxy 127.0.0.1", "HTTPS_PROXY")
        assert b"wrong" not in refused.stderr.replace(b"a wrong region", b"")
        served = world.run(
            "plain", "--", "true", environ={**through, "HTTPS_PROXY": proxy.url("alice:canary")}
        )
        assert served.returncode == 0, served.stderr.decode()


@pytest.mark.matrix(52)
def test_no_proxy_keeps_a_host_from_the_proxy(world: World, tls_url: str, certificate: Path) -> None:
    world.add_role("plain", mfa=False)
    environ = {
        "AWS_ENDPOINT_URL": tls_url,
        "AWS_CA_BUNDLE": str(certificate),
        "HTTPS_PROXY": f"http://127.0.0.1:{closed_port()}",
        "NO_PROXY": "127.0.0.1",
    }
    done = world.run("plain", "--", "true", environ=environ)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.matrix(52, 126)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_code_for_an_endpoint_without_tls_never_leaves_this_machine(
    world: World, tls_url: str, variable: str
) -> None:
    world.add_role("admin")
    with serve_proxy(tls_url) as proxy:
        done = world.run("admin", "--mfa-code", world.code(), "--", "true", environ={variable: proxy.url()})
    assert done.returncode == 0, done.stderr.decode()
    assert not proxy.asked_for


@pytest.mark.matrix(63)
@pytest.mark.parametrize(
    ("role", "environ", "hosts"),
    [
        pytest.param("plain", {}, ["sts.eu-west-2.amazonaws.com"], id="region-of-the-profile"),
        pytest.param(
            "plain", {"AWS_REGION": "eu-west-1"}, ["sts.eu-west-1.amazonaws.com"], id="region-of-the-caller"
        ),
        pytest.param(
            "arn:aws:iam::222222222222:role/nobody",
            {},
            ["iam.amazonaws.com", "sts.us-east-1.amazonaws.com"],
            id="no-region",
        ),
        pytest.param(
            "arn:aws-cn:iam::222222222222:role/nobody",
            {},
            ["iam.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn"],
            id="china",
        ),
        pytest.param(
            "arn:aws-us-gov:iam::222222222222:role/nobody",
            {},
            ["iam.us-gov.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"],
            id="government",
        ),
    ],
)
def test_aws_is_asked_in_the_region_and_partition_of_the_role(
    world: World, tls_url: str, certificate: Path, role: str, environ: dict[str, str], hosts: list[str]
) -> None:
    world.add_role("plain", mfa=False)
    del world.environ["AWS_ENDPOINT_URL"]
    with serve_proxy(tls_url) as proxy:
        through = {"HTTPS_PROXY": proxy.url(), "AWS_CA_BUNDLE": str(certificate), **environ}
        done = world.run(role, "--", "true", environ=through)
    assert proxy.hosts == hosts
    if role == "plain":
        assert done.returncode == 0, done.stderr.decode()
    else:
        assert_ours(done, 125, "[access-denied]", "role/nobody")


@pytest.mark.matrix(63)
def test_region_without_sts_is_told_and_costs_no_code(world: World) -> None:
    world.add_role("admin")
    world.aws.disabled_regions.add("eu-west-2")
    code = world.code()
    assert_ours(world.run("admin", "--mfa-code", code, "--", "true"), 125, "not activated", "--region")
    done = world.run("admin", "--region", "eu-west-1", "--mfa-code", code, "--", "true")
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.matrix(63)
@pytest.mark.parametrize("region", ["eu-west-2.evil.example", "eu west 2", "-", "eu-west-2/x", "é"])
def test_region_that_is_none_is_refused_before_anything_is_sent(world: World, region: str) -> None:
    world.add_role("plain", mfa=False)
    done = world.run("plain", "--", "true", environ={"AWS_REGION": region, "AWS_DEFAULT_REGION": region})
    assert_ours(done, 125, "region")
    assert not world.aws.calls


# An endpoint that is not AWS's.


@pytest.mark.matrix(126)
@pytest.mark.parametrize(
    "url",
    [
        "http://sts.example.com",
        "http://127.0.0.1.example.com",
        "http://[::2]:80",
        "http://localhost@sts.example.com",
        "ftp://127.0.0.1",
        "127.0.0.1:4566",
        "http://[",
        "http://127.0.0.1:port",
    ],
)
def test_endpoint_off_this_machine_without_tls_is_refused(world: World, url: str) -> None:
    world.add_role("admin")
    done = world.run("admin", "--mfa-code", "123456", "--", "true", environ={"AWS_ENDPOINT_URL": url})
    assert_ours(done, 125, "[broken-profile]", "AWS_ENDPOINT_URL")


@pytest.mark.matrix(126)
def test_endpoint_of_the_profile_is_refused_without_tls_too(world: World) -> None:
    del world.environ["AWS_ENDPOINT_URL"]
    world.add_role("plain", mfa=False, settings="endpoint_url = http://sts.example.com")
    assert_ours(world.run("plain", "--", "true"), 125, "[broken-profile]", "sts.example.com", "endpoint_url")


@pytest.mark.matrix(126)
def test_foreign_endpoint_with_tls_is_named_once(world: World, tls_url: str, certificate: Path) -> None:
    world.add_role("admin")
    with serve_proxy(tls_url) as proxy:
        through = {
            "HTTPS_PROXY": proxy.url(),
            "AWS_CA_BUNDLE": str(certificate),
            "AWS_ENDPOINT_URL": "https://localhost.eu-west-2.amazonaws.com.evil.example",
        }
        done = world.run("admin", "--mfa-code", world.code(), "--", "true", environ=through)
    said = assert_ours(done, 125, "[aws-unreachable]")
    assert said.count("AWS is asked at ") == 1
    assert "localhost.eu-west-2.amazonaws.com.evil.example" in said.splitlines()[0]


# What AWS refuses.


@pytest.mark.matrix(53)
def test_wrong_code_is_asked_for_again(world: World) -> None:
    world.add_role("admin")
    child = world.terminal("admin", "--", "echo", "started")
    child.expect_exact("MFA code for admin (")
    child.sendline("000000")
    child.expect("refused")
    child.expect_exact("MFA code for admin (")
    child.sendline(world.code())
    assert "started" in finish(child)
    assert child.exitstatus == 0


@pytest.mark.matrix(53)
def test_wrong_code_gets_three_tries(world: World) -> None:
    world.add_role("admin")
    child = world.terminal("admin", "--", "echo", "started")
    for wrong in ("000000", "000001", "000002"):
        child.expect_exact("MFA code for admin (")
        child.sendline(wrong)
    said = finish(child)
    assert child.exitstatus == 125, said
    assert "MFA code for admin (" not in said
    assert "started" not in said
    assert_speaks_as_ours(said[said.index("gds-exec:") :], "[mfa-code-refused]", "hint: ")
    assert codes_sent(world.aws) == 3


@pytest.mark.matrix(54)
@pytest.mark.parametrize("how", ["--mfa-code", "GDS_EXEC_MFA_CODE"])
def test_spent_code_is_recognised_where_nobody_can_be_asked(world: World, how: str) -> None:
    world.add_role("admin", max_session=7200)
    world.add_role("reader", max_session=7200)
    code = world.code()
    options, environ = (("--mfa-code", code), {}) if how == "--mfa-code" else ((), {how: code})
    first = world.run("admin", "--duration", "2h", *options, "--", "true", environ=environ)
    assert first.returncode == 0, first.stderr.decode()
    again = world.run("reader", "--duration", "2h", *options, "--", "true", environ=environ)
    assert_ours(again, 125, "[mfa-code-refused]", "used already", "wait for the next one")


@pytest.mark.matrix(54)
def test_spent_code_is_recognised_and_the_next_one_taken(world: World) -> None:
    world.add_role("admin", max_session=7200)
    world.add_role("reader", max_session=7200)
    code = world.code()
    first = world.run("admin", "--duration", "2h", "--mfa-code", code, "--", "true")
    assert first.returncode == 0, first.stderr.decode()
    child = world.terminal("reader", "--duration", "2h", "--", "echo", "started")
    child.expect_exact("MFA code for reader (")
    child.sendline(code)
    child.expect("used already")
    child.expect_exact("MFA code for reader (")
    child.sendline(world.code())
    assert "started" in finish(child)
    assert child.exitstatus == 0


@pytest.mark.matrix(55)
@pytest.mark.parametrize("options", [(), ("--duration", "2h")], ids=["GetSessionToken", "AssumeRole"])
@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "of-another-user"])
def test_device_that_is_not_the_users_is_named(
    world: World, options: tuple[str, ...], is_deleted: bool
) -> None:
    serial = "arn:aws:iam::111111111111:mfa/bob"
    if is_deleted:
        serial = world.device.serial
        world.user.devices.clear()
    world.add_role("admin", serial=serial, max_session=7200)
    done = world.run("admin", *options, "--mfa-code", "123456", "--", "true")
    assert_ours(done, 125, serial, "hint: compare mfa_serial", "aws iam list-mfa-devices")


@pytest.mark.matrix(56)
def test_missing_mfa_serial_is_hinted_at_where_nobody_can_be_asked(world: World) -> None:
    _role_without_its_serial(world)
    add_security_key(world.user, "a-yubikey")
    done = world.run("admin", "--", "true")
    assert_ours(done, 125, "[access-denied]", f"mfa_serial = {world.device.serial}")
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.matrix(56)
def test_device_is_found_and_asked_once(world: World) -> None:
    _role_without_its_serial(world)
    add_security_key(world.user, "a-yubikey")
    child = world.terminal("admin", "--", "echo", "started")
    child.expect_exact(f"MFA code for admin ({world.device.serial}): ")
    child.sendline(world.code())
    assert "started" in finish(child)
    assert child.exitstatus == 0
    again = world.run("admin", "--", "true")
    assert again.returncode == 0, again.stderr.decode()
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(56)
def test_device_that_was_found_in_vain_is_not_asked_again(world: World) -> None:
    _role_without_its_serial(world, denies_everybody=True)
    child = world.terminal("admin", "--", "echo", "started")
    child.expect_exact("MFA code for admin (")
    child.sendline(world.code())
    said = finish(child)
    assert child.exitstatus == 125, said
    assert "[access-denied]" in said
    assert "MFA code for admin (" not in said
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.matrix(56)
@pytest.mark.parametrize("reason", ["no-right-to-list", "security-keys-only", "no-device"])
def test_denial_stays_a_denial_where_no_device_can_be_found(world: World, reason: str) -> None:
    _role_without_its_serial(world)
    if reason == "no-right-to-list":
        world.aws.fail("ListMFADevices", LISTING_FORBIDDEN)
    else:
        world.user.devices.clear()
    if reason == "security-keys-only":
        add_security_key(world.user)
    done = world.run("admin", "--mfa-code", "123456", "--", "true")
    assert_ours(done, 125, "[access-denied]", "is MFA missing")
    assert (world.aws.count("AssumeRole"), codes_sent(world.aws)) == (1, 0)


def _role_without_its_serial(world: World, *, denies_everybody: bool = False) -> None:
    role = world.add_role("admin")
    role.denies_everybody = denies_everybody
    world.write_config(
        world.config.read_text(encoding="utf-8").replace(f"mfa_serial = {world.device.serial}\n", "")
    )


@pytest.mark.matrix(57)
@pytest.mark.parametrize("cause", ["unknown-role", "external-id", "not-trusted"])
def test_denial_is_told_in_the_words_of_aws_and_not_tried_again(world: World, cause: str) -> None:
    role = world.add_role("plain", mfa=False, external_id="theirs", settings="external_id = theirs")
    if cause == "unknown-role":
        del world.aws.roles[role.arn]
    elif cause == "external-id":
        role.external_id = "changed"
    else:
        role.trust = ("arn:aws:iam::333333333333:root",)
    done = world.run("plain", "--", "true")
    assert_ours(done, 125, "[access-denied]", "not authorized to perform: sts:AssumeRole", role.arn, "VPN")
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.matrix(57)
def test_denial_with_a_good_mfa_session_asks_nobody_and_keeps_it(world: World) -> None:
    world.add_role("admin")
    reader = world.add_role("reader")
    world.sign_in("admin")
    reader.denies_everybody = True
    child = world.terminal("reader", "--", "true")
    said = finish(child)
    assert child.exitstatus == 125, said
    assert_speaks_as_ours(said, "[access-denied]", "VPN")
    reader.denies_everybody = False
    assert world.run("reader", "--", "true").returncode == 0


@pytest.mark.matrix(58)
def test_more_than_the_role_allows_is_told_with_what_to_do(world: World) -> None:
    world.add_role("admin", max_session=3600)
    done = world.run("admin", "--duration", "12h", "--mfa-code", world.code(), "--", "true")
    assert_ours(done, 125, "12h", "MaxSessionDuration", "hint: try --duration 1h")


@pytest.mark.matrix(59)
def test_chained_role_is_asked_for_an_hour_at_most_and_that_is_said(world: World) -> None:
    first = world.add_role("first", max_session=43200)
    world.add_role(
        "second",
        mfa=False,
        trust=[first.arn],
        source_profile="first",
        max_session=43200,
        settings="duration_seconds = 43200",
    )
    child = world.terminal("second", "--duration", "8h", "--mfa-code", world.code(), "--", "echo", "started")
    said = finish(child)
    assert child.exitstatus == 0, said
    assert "a role reached through another role lasts 1h at most" in said
    assert all(seconds <= 3600 for action, seconds in durations(world.aws) if action == "AssumeRole")


@pytest.mark.matrix(60)
@pytest.mark.parametrize("code", ["InvalidClientTokenId", "ExpiredToken"])
def test_mfa_session_that_aws_has_forgotten_is_dropped_and_made_anew_once(world: World, code: str) -> None:
    world.add_role("admin")
    world.add_role("reader")
    world.sign_in("admin")
    if code == "ExpiredToken":
        world.aws.fail("AssumeRole", Fault("error", status=403, code=code, message="expired"))
    else:
        world.aws.revoke_sessions()
    assert world.run("reader", "--", "true").returncode == 124, "the MFA session was not dropped"
    done = world.run("reader", "--mfa-code", world.code(), "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole", "GetSessionToken", "AssumeRole")


@pytest.mark.matrix(60)
def test_every_forgotten_session_of_a_chain_is_made_anew(world: World) -> None:
    first = world.add_role("first")
    for name in ("second", "third"):
        world.add_role(name, mfa=False, trust=[first.arn], source_profile="first")
    world.sign_in("second")
    world.aws.revoke_sessions()
    done = world.run("third", "--mfa-code", world.code(), "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole", "AssumeRole") * 2


@pytest.mark.matrix(60)
def test_session_that_aws_never_knows_is_not_made_for_ever(world: World) -> None:
    world.add_role("admin")
    fault = Fault("error", times=50, status=403, code="ExpiredToken", message="expired")
    world.aws.fail("AssumeRole", fault)
    done = world.run("admin", "--mfa-code", world.code(), "--", "true", timeout=20)
    assert_ours(done, 125, "[source-credentials-invalid]")
    assert world.aws.count("AssumeRole") <= 2


@pytest.mark.matrix(61, 62)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param("switched-off", ("is not valid",), id="switched-off-or-deleted"),
        pytest.param("wrong-secret", ("does not belong to the access key id",), id="wrong-secret"),
    ],
)
def test_bad_key_is_told_with_its_profile_and_the_question_withdrawn(
    world: World, spoil: str, words: tuple[str, ...]
) -> None:
    world.add_role("admin")
    if spoil == "switched-off":
        world.aws.switch_off_key(world.user)
    else:
        world.user.secret_access_key = "another secret"
    child = world.terminal("admin", "--", "echo", "started")
    child.expect(r"MFA code for admin \([^)]*\): ")
    said = finish(child).removeprefix("\n")  # nobody has typed anything
    assert child.exitstatus == 125, said
    assert_speaks_as_ours(said, "[source-credentials-invalid]", "the keys of profile gds-users", *words)
    assert [call.action for call in world.aws.calls] == ["GetCallerIdentity"]


def test_of_many_with_a_bad_key_who_had_to_wait_ask_nothing(world: World) -> None:
    world.add_role("admin")
    world.aws.switch_off_key(world.user)
    one = f"{GDS_EXEC} admin -- true"
    said = finish(world.terminal_program("sh", "-c", f"{one} & {one} & {one} & {one}; wait"))

    assert said.count("[source-credentials-invalid]") == 4
    assert said.count("MFA code for admin (") < 4


def test_code_that_aws_repeats_is_not_repeated(world: World) -> None:
    world.add_role("admin")
    code = world.code()
    message = f"1 validation error detected: Value '{code}' at 'tokenCode' failed to satisfy constraint"
    world.aws.fail("GetSessionToken", Fault("error", status=400, code="ValidationError", message=message))
    said = assert_ours(world.run("--debug", "admin", "--mfa-code", code, "--", "true"), 125, "[aws-refused]")
    assert code not in said


def test_nothing_that_aws_says_steers_the_terminal(world: World) -> None:
    world.add_role("plain", mfa=False)
    evil = "\x1b]0;owned\x07\u202e[bold]\r\nhint: send your password"
    world.aws.fail("AssumeRole", Fault("error", status=403, code="Weird\x1b[2J", message=evil))
    said = assert_ours(world.run("plain", "--", "true"), 125, "[aws-refused]")
    assert all(line.isprintable() for line in said.splitlines())


def test_answer_for_another_role_is_not_handed_over(world: World) -> None:
    role = world.add_role("plain", mfa=False)
    other = world.aws.add_role("other", trust=[world.user.arn])
    world.aws.roles[role.arn] = other
    done = world.run("plain", "--", *SHOW_KEY)
    assert_ours(done, 125, "another role", "assumed-role/other")
    assert not world.sessions()
