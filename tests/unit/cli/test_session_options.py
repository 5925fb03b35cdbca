"""What the options that ask for a session say together is one value, whatever command has them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from gds_exec.cli.session_options import asked_session
from gds_exec.credentials.session_scope import Scope
from gds_exec.invocation import Invocation

UNSAID = {name: one.default for name, one in inspect.signature(asked_session).parameters.items()}
# Which say what another option's value is to be, or several options' together.
_OTHER_NAMES = {
    "duration": "duration_seconds",
    "min_remaining": "min_remaining_seconds",
    "mfa_max_age": "mfa_max_age_seconds",
    "timeout": "timeout_seconds",
    "wait": "wait_seconds",
}
_OF_SCOPE = {
    "policy",
    "policy_arn",
    "read_only",
    "tag",
    "transitive_tag",
    "source_identity",
    "external_id",
    "scope",
}


def asked(**said: Any) -> Invocation:
    return asked_session(**{**UNSAID, **said})(role="admin")


def test_nothing_said_asks_for_what_a_plain_role_asks_for() -> None:
    assert asked() == Invocation(role="admin")


@pytest.mark.parametrize("option", sorted(set(UNSAID) - _OF_SCOPE))
def test_each_option_says_one_thing_and_no_other(option: str) -> None:
    value: Any = True if UNSAID[option] is False else 4711 if option in _OTHER_NAMES else "said"

    assert asked(**{option: value}) == Invocation(role="admin", **{_OTHER_NAMES.get(option, option): value})


def test_what_scopes_a_session_is_said_in_one_text() -> None:
    scope = Scope(tags=(("team", "pay"),), source_identity="alice")

    assert asked(tag=["team=pay"], source_identity="alice") == Invocation(role="admin", scope=scope.text)


def test_what_a_command_asks_besides_is_beside_it() -> None:
    invocation = asked_session(**{**UNSAID, "quiet": True})(role="admin", command=("ls",), shell=True)

    assert invocation == Invocation(role="admin", command=("ls",), shell=True, quiet=True)
