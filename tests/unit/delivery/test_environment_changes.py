import pytest

from gds_exec.delivery.environment_changes import role_changes, undoing_changes
from gds_exec.environment import Briefing, callers_environment, child_environment
from gds_exec.errors import OutputFailed
from gds_exec.session import AccessKey, SessionCredentials

SESSION = SessionCredentials(
    AccessKey("ASIAEXAMPLE", "a-secret", "a-token"), issued=1_767_319_445, expiration=1_767_323_045
)
LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE", "a-secret"), now=0)
CONTRACT = {
    "AWS_CREDENTIALS_FILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_PROFILE": None,
    "AWS_REGION": "eu-west-2",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_SESSION_TOKEN": "a-token",
}
CALLERS = [
    pytest.param({}, id="nothing"),
    pytest.param({"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "d"}, id="profiles"),
    pytest.param({"AWS_REGION": "eu-west-2", "HOME": "/h"}, id="the very region"),
    pytest.param({"AWS_REGION": "", "AWS_DEFAULT_REGION": "x"}, id="a blank region"),
    pytest.param({"AWS_SECURITY_TOKEN": "t", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "u"}, id="competitors"),
    pytest.param({"GDS_EXEC_MFA_CODE": "123456", "GDS_EXEC_SHELL": "/x/1.s"}, id="our own"),
    pytest.param({"AWS_CREDENTIALS_FILE": "f"}, id="what only the contract names"),
]


def child(
    environ: dict[str, str], session: SessionCredentials = SESSION, *, role: str = "prod"
) -> dict[str, str]:
    return child_environment(callers_environment(environ), session, Briefing(role, region="eu-west-2"))


def changes(environ: dict[str, str], session: SessionCredentials = SESSION) -> dict[str, str | None]:
    return role_changes(environ, child(environ, session))


def applied(environ: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """The environment of a shell after it evaluated the changes."""
    changed: dict[str, str | None] = {**environ, **changes}
    return {name: value for name, value in changed.items() if value is not None}


@pytest.mark.parametrize("environ", CALLERS)
def test_a_shell_that_takes_it_over_has_what_a_command_would_have(environ: dict[str, str]) -> None:
    expected = {name: value for name, value in child(environ).items() if name != "AWS_CREDENTIALS_FILE"}

    assert applied(environ, changes(environ)) == expected


@pytest.mark.parametrize("environ", CALLERS[:3])
def test_what_other_programs_parse_comes_first_and_in_its_order(environ: dict[str, str]) -> None:
    assert list(changes(environ).items())[: len(CONTRACT)] == list(CONTRACT.items())


def test_the_rest_follows_what_is_unset_first_and_sorted() -> None:
    rest = list(changes({"AWS_PROFILE": "mine"}).items())[len(CONTRACT) :]

    unset = [name for name, value in rest if value is None]
    assert rest[len(unset) :] == [
        ("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T03:04:05Z"),
        ("GDS_EXEC_CALLER_PROFILE", "mine"),
        ("GDS_EXEC_ROLE", "prod"),
        ("GDS_EXEC_ROLE_REGION", "eu-west-2"),
    ]
    assert unset == sorted(unset)


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_FILE",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_SECRET_KEY",
    ],
)
def test_what_would_compete_is_unset_for_whoever_reads_it_elsewhere(name: str) -> None:  # matrix 94
    assert changes({})[name] is None


def test_keys_that_last_leave_no_token_of_others() -> None:
    found = changes({}, LONG_LIVED)

    assert (found["AWS_SESSION_TOKEN"], found["AWS_CREDENTIAL_EXPIRATION"]) == (None, None)


def test_without_any_region_none_is_named() -> None:
    environ: dict[str, str] = {}

    found = role_changes(environ, child_environment(environ, SESSION, Briefing("prod")))

    assert "AWS_REGION" not in found
    assert "AWS_DEFAULT_REGION" not in found


@pytest.mark.parametrize("name", ["", "A-B", "BASH_FUNC_f%%", "É"])
def test_what_no_shell_has_for_a_variable_is_left_out(name: str) -> None:
    assert name not in role_changes({name: "x"}, {})


@pytest.mark.parametrize("line_end", ["\n", "\r", "\0"], ids=repr)
def test_a_value_that_is_no_line_is_refused_without_telling_it(line_end: str) -> None:
    with pytest.raises(OutputFailed, match="the value of AWS_REGION cannot be exported") as refusal:
        changes({"AWS_REGION": f"a-value{line_end}export X=1"})

    assert "a-value" not in refusal.value.message


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"AWS_PROFILE": "mine", "HOME": "/h"}, id="a profile"),
        pytest.param({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, id="regions"),
    ],
)
def test_the_reverse_brings_back_what_the_caller_had(environ: dict[str, str]) -> None:
    exported = applied(environ, changes(environ))

    assert applied(exported, undoing_changes(exported)) == environ


def test_the_reverse_of_two_roles_in_one_shell_brings_back_what_was_before_both() -> None:
    environ = {"AWS_PROFILE": "mine"}
    once = applied(environ, changes(environ))
    twice = applied(once, role_changes(once, child(once, role="other")))

    assert twice["GDS_EXEC_ROLE"] == "other"
    assert applied(twice, undoing_changes(twice)) == environ


@pytest.mark.parametrize("environ", [{}, {"AWS_ACCESS_KEY_ID": "mine", "AWS_PROFILE": "p"}], ids=str)
def test_without_a_role_there_is_nothing_to_undo(environ: dict[str, str]) -> None:
    assert undoing_changes(environ) == {}


def test_the_reverse_unsets_before_it_sets() -> None:
    undone = list(undoing_changes(applied({}, changes({"AWS_PROFILE": "mine"}))).values())

    assert undone[-1] == "mine"
    assert set(undone[:-1]) == {None}
