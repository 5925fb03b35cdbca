import re

import pytest

from gds_exec import errors
from gds_exec.errors import AwsRefused, GdsExecError, TokenCodeRefused

CLASSES = sorted(
    (value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, GdsExecError)),
    key=lambda kind: kind.__name__,
)
LINE = re.compile(r"^    (?P<branches>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<status>\d+)\b)?", re.MULTILINE)


def drawn() -> dict[str, tuple[str, int]]:
    """Return the tree of the module's docstring: each class with its parent and its exit status.

    Where no status stands beside a class, it is its parent's.
    """
    tree: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for line in LINE.finditer(errors.__doc__ or ""):
        depth = len(line["branches"]) // 4
        above[depth:] = [line["name"]]
        parent = above[depth - 1] if depth else "Exception"
        status = int(line["status"]) if line["status"] else tree[parent][1]
        tree[line["name"]] = (parent, status)
    return tree


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert drawn() == {kind.__name__: (kind.__base__.__name__, kind.exit_status) for kind in CLASSES}


def test_slugs_are_stable() -> None:
    """Scripts and search engines rely on these: a slug may be added, and never changed."""
    slugs = {kind.__name__: kind.slug for kind in CLASSES}

    assert (
        slugs
        | {
            "AnswerLost": "answer-lost",
            "AssumeRoleDenied": "access-denied",
            "AwsRefused": "aws-refused",
            "AwsUnreachable": "aws-unreachable",
            "BrokenFile": "broken-file",
            "BrokenProfile": "broken-profile",
            "CommandNotExecutable": "not-executable",
            "CommandNotFound": "not-found",
            "ConfigError": "config",
            "CredentialsError": "credentials",
            "GdsExecError": "failed",
            "HelperFailed": "helper-failed",
            "LockTimeout": "lock-timeout",
            "NoAccessKey": "no-access-key",
            "NobodyToAsk": "nobody-to-ask",
            "NotSupportedYet": "not-supported-yet",
            "SessionTooShort": "session-too-short",
            "SourceCredentialsInvalid": "source-credentials-invalid",
            "TokenCodeRefused": "mfa-code-refused",
            "UnknownRole": "unknown-role",
            "UsageError": "usage",
        }
        == slugs
    )


def test_every_kind_of_failure_has_a_slug_of_its_own() -> None:
    slugs = [kind.slug for kind in CLASSES]

    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", slug) for slug in slugs)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_failure_says_what_is_wrong_and_perhaps_what_to_do(kind: type[GdsExecError]) -> None:
    error = kind("what is wrong", hint="what to do")

    assert (str(error), error.message, error.hint) == ("what is wrong", "what is wrong", "what to do")
    assert kind("what is wrong").hint is None


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_exit_status_is_one_that_design_and_shells_know(kind: type[GdsExecError]) -> None:
    assert kind.exit_status in {2, 124, 125, 126, 127}


def test_a_refusal_of_aws_keeps_its_code() -> None:
    assert TokenCodeRefused("no", code="AccessDenied").code == "AccessDenied"
    assert AwsRefused("no").code == ""
