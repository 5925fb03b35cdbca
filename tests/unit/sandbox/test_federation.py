import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

from gds_exec.sandbox.principals import Role, User
from gds_exec.sandbox.state import Aws
from tests.fakes import Clock

Client = Callable[..., Any]
HOME = "https://console.aws.amazon.com/console/home"


class Console:
    """Somebody who signs in to the console, with a session or with what looks like one."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/federation"
        self._opener = build_opener(ProxyHandler({}))

    def token(self, session: Any, *, by_get: bool = False, **more: str) -> str:
        text = session if isinstance(session, str) else json.dumps(told(session))
        form = urlencode({"Action": "getSigninToken", "Session": text, **more})
        answer = self._ask(f"{self._url}?{form}") if by_get else self._ask(self._url, form.encode())
        return str(json.loads(answer)["SigninToken"])

    def login(self, token: str, *, destination: str = HOME) -> str:
        query = urlencode({"Action": "login", "Destination": destination, "SigninToken": token})
        return self._ask(f"{self._url}?{query}")

    def ask(self, **parameters: str) -> str:
        return self._ask(f"{self._url}?{urlencode(parameters)}")

    def _ask(self, url: str, form: bytes | None = None) -> str:
        with self._opener.open(url, form, timeout=5) as answer:
            return str(answer.read().decode())


def told(session: dict[str, Any], **changes: str) -> dict[str, str]:
    return {
        "sessionId": session["AccessKeyId"],
        "sessionKey": session["SecretAccessKey"],
        "sessionToken": session.get("SessionToken", ""),
        **changes,
    }


def assume(client: Client, role: Role, keys: Any, **more: Any) -> dict[str, Any]:
    answer = client("sts", keys).assume_role(RoleArn=role.arn, RoleSessionName="me", **more)
    return dict(answer["Credentials"])


@contextmanager
def refused(words: str = "Invalid") -> Iterator[None]:
    """Expect a 400 whose page, which is HTML, has these words."""
    with pytest.raises(HTTPError) as failure:
        yield
    with failure.value as error:
        assert error.code == 400
        assert error.headers.get_content_type() == "text/html"
        assert words in error.read().decode()


@pytest.fixture
def console(url: str) -> Console:
    return Console(url)


@pytest.fixture
def role(aws: Aws, alice: User) -> Role:
    return aws.add_role("admin", trust=[alice.arn], max_session=43200)


@pytest.fixture
def session(client: Client, role: Role, alice: User) -> dict[str, Any]:
    return assume(client, role, alice)


@pytest.mark.parametrize("by_get", [False, True], ids=["POST", "GET"])
def test_a_role_s_session_signs_one_in(console: Console, session: dict[str, Any], by_get: bool) -> None:
    page = console.login(console.token(session, by_get=by_get))

    assert "arn:aws:sts::222222222222:assumed-role/admin/me" in page
    assert HOME in page


@pytest.mark.parametrize("seconds", ["900", "43200"])
def test_what_was_assumed_with_long_lived_keys_may_say_how_long(
    console: Console, session: dict[str, Any], seconds: str
) -> None:
    assert console.token(session, SessionDuration=seconds)


@pytest.mark.parametrize("seconds", ["899", "43201", "-900", "1h", "", "٩٠٠"])
def test_there_are_bounds_to_how_long(console: Console, session: dict[str, Any], seconds: str) -> None:
    with refused():
        console.token(session, SessionDuration=seconds)


@pytest.mark.matrix(68)
def test_what_was_assumed_with_a_session_may_not_say_how_long(
    console: Console, client: Client, role: Role, mfa_session: dict[str, Any]
) -> None:
    chained = assume(client, role, mfa_session)

    with refused("Invalid credentials parameter"):
        console.token(chained, SessionDuration="900")
    assert console.token(chained)


@pytest.mark.parametrize("kind", ["mfa_session", "plain_session"])
def test_a_user_s_own_session_is_refused(console: Console, kind: str, request: pytest.FixtureRequest) -> None:
    with refused():
        console.token(request.getfixturevalue(kind))


def test_a_user_s_keys_are_refused(console: Console, alice: User) -> None:
    keys = {"AccessKeyId": alice.access_key_id, "SecretAccessKey": alice.secret_access_key}

    with refused():
        console.token(keys)


@pytest.mark.parametrize("field", ["sessionId", "sessionKey", "sessionToken"])
def test_a_session_of_which_anything_is_wrong_is_refused(
    console: Console, session: dict[str, Any], field: str
) -> None:
    with refused():
        console.token(json.dumps(told(session, **{field: "wrong"})))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"sessionId": "ASIA"}'])
def test_what_is_no_session_at_all_is_refused(console: Console, text: str) -> None:
    with refused("Invalid Session parameter"):
        console.token(text)


def test_a_session_that_has_expired_is_refused(
    clock: Clock, console: Console, session: dict[str, Any]
) -> None:
    clock.advance(3600)

    with refused():
        console.token(session)


def test_a_token_signs_in_once(console: Console, session: dict[str, Any]) -> None:
    token = console.token(session)
    console.login(token)

    with refused("Token Invalid"):
        console.login(token)


@pytest.mark.parametrize(("seconds", "is_good"), [(899, True), (900, False)])
def test_a_token_is_good_for_a_quarter_of_an_hour(
    clock: Clock, console: Console, session: dict[str, Any], seconds: int, is_good: bool
) -> None:
    token = console.token(session)
    clock.advance(seconds)

    if is_good:
        assert console.login(token)
    else:
        with refused("Token Invalid"):
            console.login(token)


def test_a_token_that_nobody_was_given_is_refused(console: Console) -> None:
    with refused("Token Invalid"):
        console.login("made-up")


@pytest.mark.parametrize(
    "destination", ["", "https://evil.example/", "http://console.aws.amazon.com/", "https://[x"]
)
def test_a_sign_in_leads_to_a_console_only(
    console: Console, session: dict[str, Any], destination: str
) -> None:
    token = console.token(session)

    with refused("Invalid Destination"):
        console.login(token, destination=destination)


def test_the_page_takes_nothing_for_markup(console: Console, session: dict[str, Any]) -> None:
    page = console.login(console.token(session), destination=f"{HOME}?<script>")

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_nothing_else_is_done_there(console: Console) -> None:
    with refused("Invalid Action"):
        console.ask(Action="logout")
