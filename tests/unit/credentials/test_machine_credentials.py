"""What a container or an instance gives, asked for by botocore's fetchers as they are wired here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread

import pytest

from gds_exec.config.sources import ContainerRole, InstanceRole
from gds_exec.credentials.key_source import KeySource
from gds_exec.credentials.machine_credentials import ask_metadata
from gds_exec.errors import BrokenProfile, NoAccessKey, SourceFailed
from gds_exec.sandbox.principals import Role
from tests.aws.faults import Fault
from tests.aws.sandbox import Aws as Sandbox
from tests.aws.server import serve
from tests.aws.workloads import EC2, Machine
from tests.fakes import Clock, never

INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


@pytest.fixture
def role(sandbox: Sandbox) -> Role:
    return sandbox.add_role("runner", trust=[EC2])


@pytest.fixture
def container(sandbox: Sandbox, role: Role) -> Machine:
    return sandbox.add_container(role)


@pytest.fixture
def instance(sandbox: Sandbox, role: Role) -> Machine:
    sandbox.instance = Machine(INSTANCE, role)
    return sandbox.instance


def ask_container(
    url: str, container: Machine, environ: dict[str, str] | None = None
) -> tuple[str | None, ...]:
    """Return the parts of the session, by the names that a credential_process gives them."""
    if environ is None:
        environ = {"AWS_CONTAINER_AUTHORIZATION_TOKEN": container.authorization_token}
    source = ContainerRole(f"{url}/v2/credentials/{container.name}")
    document = ask_metadata(source, environ, sleep=Clock().sleep)
    return tuple(document[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"))


def test_a_container_gives_the_session_of_its_role(url: str, container: Machine) -> None:
    key_id, secret, token, expiration = ask_container(url, container)

    session = container.session
    assert session is not None
    assert (key_id, secret, token) == (
        session.access_key_id,
        session.secret_access_key,
        session.token,
    )
    assert str(expiration).endswith("Z")


@pytest.mark.parametrize("around", ["{}", "{}\n", " {} "])
def test_a_token_in_a_file_goes_before_the_one_in_the_variable(
    url: str, container: Machine, tmp_path: Path, around: str
) -> None:
    (tmp_path / "token").write_text(around.format(container.authorization_token))
    environ = {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "another",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }

    assert ask_container(url, container, environ)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "binary"])
def test_a_token_file_that_cannot_be_read_is_named(
    url: str, container: Machine, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    environ = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}

    with pytest.raises(SourceFailed, match=r"AUTHORIZATION_TOKEN_FILE .*/token cannot be read"):
        ask_container(url, container, environ)


@pytest.mark.parametrize("token", [None, "wrong-token", "wrong\ntoken"])
def test_a_container_that_refuses_us_says_so_and_tells_no_token(
    url: str, container: Machine, token: str | None
) -> None:
    environ = {} if token is None else {"AWS_CONTAINER_AUTHORIZATION_TOKEN": token}

    with pytest.raises(SourceFailed, match="the container gives no credentials: ") as failure:
        ask_container(url, container, environ)

    said = f"{failure.value.message}{failure.value.hint}"
    assert "AWS_CONTAINER_AUTHORIZATION_TOKEN" in said
    assert "wrong" not in said


def test_the_status_of_a_refusal_is_told(url: str, container: Machine) -> None:
    with pytest.raises(SourceFailed, match=r"Received non 200 response 401 from container metadata$"):
        ask_container(url, container, {})


@pytest.mark.parametrize("fault", [Fault("error"), Fault("html"), Fault("empty"), Fault("reset")], ids=str)
def test_a_container_is_asked_again_where_it_failed(
    sandbox: Sandbox, url: str, container: Machine, fault: Fault
) -> None:
    sandbox.fail("GetContainerCredentials", fault)

    assert ask_container(url, container)
    assert sandbox.count("GetContainerCredentials") == 2


WITHOUT_END = [
    pytest.param(
        Fault("drip", times=9, delay=0.01), r"it did not finish its answer within 0\.5 s", id="drip"
    ),
    pytest.param(Fault("drip-head", times=9, delay=0.01), "it did not finish its answer", id="drip-head"),
    pytest.param(Fault("flood", times=9), "it sent more than 1 MiB", id="flood"),
]


@pytest.mark.parametrize(("fault", "reason"), WITHOUT_END)
def test_an_answer_of_a_container_without_end_is_given_up(
    sandbox: Sandbox, url: str, container: Machine, fault: Fault, reason: str
) -> None:
    sandbox.fail("GetContainerCredentials", fault)
    source = ContainerRole(f"{url}/v2/credentials/{container.name}")
    environ = {"AWS_CONTAINER_AUTHORIZATION_TOKEN": container.authorization_token}

    with pytest.raises(SourceFailed, match=f"the container gives no credentials: {reason}"):
        ask_metadata(source, environ, sleep=never, longest_call_seconds=0.5)


@pytest.mark.parametrize(("fault", "reason"), WITHOUT_END)
def test_an_answer_of_an_instance_without_end_is_given_up(
    sandbox: Sandbox, url: str, instance: Machine, fault: Fault, reason: str
) -> None:
    sandbox.fail("GetInstanceCredentials", fault)

    with pytest.raises(SourceFailed, match=f"the instance's metadata cannot be read: {reason}"):
        ask_metadata(InstanceRole(url), {}, longest_call_seconds=0.5)


@pytest.fixture
def documents() -> Iterator[tuple[str, list[bytes]]]:
    """A metadata service and its documents. The last one is current."""
    given: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"a-role" if self.path.endswith("/security-credentials/") else given[-1]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self) -> None:
            self.send_response(404)  # version one, which needs no token
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", given
        server.shutdown()


def document(**other: object) -> bytes:
    session = {
        "Code": "Success",
        "AccessKeyId": "ASIAEXAMPLE12345",
        "SecretAccessKey": "a-secret",
        "Token": "a-token",
        "Expiration": "2030-01-01T00:00:00Z",
    }
    return json.dumps({**session, **other}).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"5", id="a number"),
        pytest.param(b"null", id="null"),
        pytest.param(document(Expiration=5), id="expiration a number"),
        pytest.param(document(Expiration=float("nan")), id="expiration NaN"),
        pytest.param(document(Expiration=[]), id="expiration a list"),
        pytest.param(document(AccessKeyId=5), id="key id a number"),
        pytest.param(document(AccessKeyId="ASIA\nEXAMPLE"), id="key id of two lines"),
        pytest.param(document(Token="a\0token"), id="token with NUL"),
    ],
)
@pytest.mark.parametrize("kind", [ContainerRole, InstanceRole])
def test_a_document_without_usable_keys_is_a_clear_error(
    documents: tuple[str, list[bytes]], kind: type[ContainerRole | InstanceRole], body: bytes
) -> None:
    url, given = documents
    given.append(body)
    source = KeySource(
        kind(url), run=never, ask_metadata=lambda source: ask_metadata(source, {}, sleep=Clock().sleep)
    )

    with pytest.raises(SourceFailed):
        source.session()


def test_what_is_no_text_is_no_answer(sandbox: Sandbox, url: str, container: Machine) -> None:
    sandbox.fail("GetContainerCredentials", Fault("garbage"))

    with pytest.raises(SourceFailed, match="the container gives no credentials: "):
        ask_container(url, container)


def test_a_failure_that_stays_is_tried_three_times(sandbox: Sandbox, url: str, container: Machine) -> None:
    sandbox.fail("GetContainerCredentials", Fault("error", times=9, status=500))

    with pytest.raises(SourceFailed, match="500"):
        ask_container(url, container)

    assert sandbox.count("GetContainerCredentials") == 3


@pytest.mark.parametrize(
    "where",
    ["http://metadata.example/v1", "http://10.0.0.1/v1", "http://127.0.0.1.example/v1", "http:///v1"],
)
def test_a_container_s_token_goes_to_no_other_host_without_tls(where: str) -> None:
    environ = {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "a-token"}

    with pytest.raises(SourceFailed, match="Unsupported host"):
        ask_metadata(ContainerRole(where), environ, sleep=never)


def test_a_path_is_one_on_the_container_service_s_own_host(container: Machine) -> None:
    # botocore refuses this host, so that nothing is asked of the real one.
    source = ContainerRole("@metadata.example/v2", is_path=True)

    with pytest.raises(SourceFailed, match=r"Unsupported host 'metadata\.example'"):
        ask_metadata(source, {}, sleep=never)


def test_an_instance_gives_the_session_of_its_role(url: str, instance: Machine) -> None:
    document = ask_metadata(InstanceRole(url), {})

    session = instance.session
    assert session is not None
    assert (document["AccessKeyId"], document["SecretAccessKey"], document["SessionToken"]) == (
        session.access_key_id,
        session.secret_access_key,
        session.token,
    )
    assert document["Expiration"].endswith("Z")


def test_an_instance_is_asked_by_version_two_alone_where_that_is_wanted(
    sandbox: Sandbox, url: str, instance: Machine
) -> None:
    sandbox.fail("GetMetadataToken", Fault("error", times=9, status=500))

    with pytest.raises(
        SourceFailed, match="the instance's metadata cannot be read: Unable to retrieve token"
    ):
        ask_metadata(InstanceRole(url), {"AWS_EC2_METADATA_V1_DISABLED": "true"})


@pytest.mark.parametrize("trust", [None, []], ids=["no role", "a role that EC2 may not assume"])
def test_an_instance_without_a_role_says_what_to_attach(
    sandbox: Sandbox, url: str, trust: list[str] | None
) -> None:
    role = None if trust is None else sandbox.add_role("theirs", trust=trust)
    sandbox.instance = Machine(INSTANCE, role)

    with pytest.raises(SourceFailed, match="the instance has no role, or its metadata cannot") as failure:
        ask_metadata(InstanceRole(url), {})

    assert "instance profile" in str(failure.value.hint)


@pytest.mark.parametrize(
    ("environ", "attempts"),
    [
        pytest.param({}, 3, id="where one is known to be there"),
        pytest.param({"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"}, 2, id="as often as was asked"),
    ],
)
def test_an_instance_is_asked_again_where_it_failed(
    sandbox: Sandbox, url: str, instance: Machine, environ: dict[str, str], attempts: int
) -> None:
    sandbox.fail("GetInstanceCredentials", Fault("error", times=9, status=500))

    with pytest.raises(SourceFailed):
        ask_metadata(InstanceRole(url), environ)

    assert sandbox.count("GetInstanceCredentials") == attempts


def test_a_last_hope_is_asked_once_and_says_what_else_there_was_not(
    sandbox: Sandbox, url: str, instance: Machine
) -> None:
    source = InstanceRole(url, otherwise="no profile has access keys", otherwise_hint="look there")
    sandbox.fail("GetInstanceCredentials", Fault("error", times=9, status=500))

    with pytest.raises(NoAccessKey, match=r"^no profile has access keys$") as failure:
        ask_metadata(source, {})

    assert failure.value.hint == "look there"
    assert sandbox.count("GetInstanceCredentials") == 1


def test_where_nobody_listens_a_last_hope_is_in_vain() -> None:
    source = InstanceRole("http://127.0.0.1:9", otherwise="no profile has access keys")

    with pytest.raises(NoAccessKey):
        ask_metadata(source, {})


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_no_proxy_is_asked_what_only_the_instance_knows(
    name: str, url: str, instance: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert ask_metadata(InstanceRole(url), {name: "http://127.0.0.1:9"})["AccessKeyId"]
    assert instance.session is not None


@pytest.mark.parametrize("variable", ["AWS_METADATA_SERVICE_TIMEOUT", "AWS_METADATA_SERVICE_NUM_ATTEMPTS"])
@pytest.mark.parametrize("said", ["soon", "0", "-1", "1.5", "²"])
def test_a_number_that_is_none_is_refused(variable: str, said: str) -> None:
    with pytest.raises(BrokenProfile, match=f"{variable} '.*' is no whole number above 0"):
        ask_metadata(InstanceRole("http://127.0.0.1:9"), {variable: said})


@pytest.mark.parametrize("where", ["nonsense", "http://[x", "http://a b/"])
def test_a_metadata_url_that_is_none_is_a_failure_in_words(where: str) -> None:
    with pytest.raises(SourceFailed, match="the instance"):
        ask_metadata(InstanceRole(where), {})


def test_what_a_machine_gives_is_a_session_of_its_own(url: str, container: Machine) -> None:
    environ = {"AWS_CONTAINER_AUTHORIZATION_TOKEN": container.authorization_token}
    where = ContainerRole(f"{url}/v2/credentials/{container.name}")

    session = KeySource(where, run=never, ask_metadata=lambda source: ask_metadata(source, environ)).session()

    assert session.access_key.is_temporary
    assert session.expiration is not None
