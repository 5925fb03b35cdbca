"""Sources as values: whom they belong to, what of them is shown, and whether a command finds them again."""

from __future__ import annotations

import pytest

from gds_exec.config.sources import (
    GITHUB,
    TOKEN_COMMAND,
    TOKEN_FILE,
    TOKEN_VARIABLE,
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    Source,
    StoredKeys,
    WebIdentityToken,
    is_seen_by_command,
)

OWNERS = [
    pytest.param(StoredKeys("base", "AKIA", "a-secret"), "profile base", True, id="keys in a file"),
    pytest.param(CredentialProcess("base", "print a-secret"), "profile base", True, id="process"),
    pytest.param(EnvironmentKeys("AKIA", "a-secret"), "the environment", False, id="environment"),
    pytest.param(
        EnvironmentKeys("ASIA", "a-secret", "a-secret", "admin"),
        "the outer role admin",
        False,
        id="an outer role's keys",
    ),
    pytest.param(ContainerRole("/x", is_path=True), "the container", False, id="container"),
    pytest.param(
        ContainerRole("http://127.0.0.1:1/", outer_role="admin"),
        "the outer role admin",
        False,
        id="an outer role's endpoint",
    ),
    pytest.param(InstanceRole(), "the instance", True, id="instance"),
    pytest.param(
        WebIdentityToken(TOKEN_FILE, "/run/token"),
        "the web identity token in /run/token",
        False,
        id="token in a file",
    ),
    pytest.param(
        WebIdentityToken(TOKEN_FILE, "/run/token", profile_name="admin"),
        "the web identity token in /run/token",
        True,
        id="token that a profile names",
    ),
    pytest.param(
        WebIdentityToken(TOKEN_VARIABLE, "ID_TOKEN"),
        "the web identity token in $ID_TOKEN",
        False,
        id="token in a variable",
    ),
    pytest.param(
        WebIdentityToken(TOKEN_COMMAND, "print a-secret"),
        "the web identity token that the command prints",
        False,
        id="token of a command",
    ),
    pytest.param(
        WebIdentityToken(GITHUB), "the job's web identity token of GitHub", False, id="token of GitHub"
    ),
]


@pytest.mark.parametrize(("source", "owner", "is_seen"), OWNERS)
def test_a_source_says_whose_it_is_and_whether_a_command_finds_it_again(
    source: Source, owner: str, is_seen: bool
) -> None:
    assert (source.owner, is_seen_by_command(source)) == (owner, is_seen)


@pytest.mark.parametrize(
    "source",
    [
        StoredKeys("base", "AKIA", "a-secret", "a-secret"),
        CredentialProcess("base", "print a-secret"),
        EnvironmentKeys("AKIA", "a-secret", "a-secret"),
    ],
    ids=lambda source: type(source).__name__,
)
def test_no_secret_of_a_source_is_shown(source: Source) -> None:
    assert "a-secret" not in f"{source!r} {source} {source.owner}"
