import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.credentials.session_scope import READ_ONLY_ARN, Scope, check_scope
from gds_exec.errors import UsageError

ROLE = "arn:aws:iam::222222222222:role/admin"
ROLE_IN_CHINA = "arn:aws-cn:iam::222222222222:role/admin"
OURS = "arn:aws:iam::222222222222:policy/team/ours"
EVERYTHING = Scope('{"Version":"2012-10-17"}', (OURS,), (("team", "pay"),), ("team",), "alice", "an-id")

# Few short texts, so that equal and nearly equal scopes are frequent.
texts = st.sampled_from(["", "a", "b", "ab", '"', "\\", ",", "null", "é", "\u2028"])
lists = st.lists(texts, max_size=2).map(tuple)
pairs = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
scopes = st.builds(Scope, st.none() | texts, lists, pairs, lists, st.none() | texts, st.none() | texts)

identities = st.text(string.ascii_letters + "_+=,.@-", min_size=2, max_size=64)
tag_texts = st.text(st.characters(categories=["L", "N", "Z"]), max_size=128)
tags = st.dictionaries(tag_texts.filter(bool), tag_texts, max_size=3).filter(
    lambda found: (
        len({key.lower() for key in found}) == len(found)
        and not any(text.lower().startswith("aws:") for text in found)
    )
)
acceptable = st.builds(
    Scope,
    policy=st.none() | st.text(max_size=99),
    policy_arns=st.sampled_from([(), (OURS,), (OURS, READ_ONLY_ARN)]),
    tags=tags.map(lambda found: tuple(sorted(found.items()))),
    source_identity=st.none() | identities,
    external_id=st.none() | identities,
)


@given(scopes, scopes)
def test_two_scopes_have_one_text_exactly_when_they_are_the_same(one: Scope, other: Scope) -> None:
    assert (one.text == other.text) == (one == other)


@given(acceptable)
def test_a_scope_that_aws_takes_is_accepted(scope: Scope) -> None:
    check_scope(scope)


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(EVERYTHING, id="everything"),
        pytest.param(Scope(policy="x" * 2048), id="a policy of the limit"),
        pytest.param(Scope(policy_arns=tuple(f"{OURS}-{n}" for n in range(10))), id="ten ARNs"),
        pytest.param(Scope(policy_arns=(ROLE_IN_CHINA.replace("role", "policy"),)), id="another partition"),
        pytest.param(Scope(policy_arns=(READ_ONLY_ARN,)), id="a policy of AWS's"),
        pytest.param(Scope(tags=tuple((f"k{n}", "") for n in range(50))), id="fifty tags without a value"),
        pytest.param(Scope(tags=(("k" * 128, "v" * 256),)), id="a tag of the limits"),
        pytest.param(
            Scope(tags=(("Zoë _.:/=+-@", "プロジェクト 1"),)), id="letters of any script, and signs"
        ),
        pytest.param(Scope(tags=(("Team", "a"),), transitive_tags=("team",)), id="keys have no case"),
        pytest.param(Scope(source_identity="a" * 64), id="an identity of the limit"),
        pytest.param(Scope(external_id="arn:aws/x"), id="an external id with signs"),
    ],
)
def test_what_aws_takes_is_not_refused(scope: Scope) -> None:
    check_scope(scope)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        pytest.param({"policy": "x" * 2049}, "the policy has 2049 characters", id="policy too long"),
        pytest.param({"policy_arns": (OURS,) * 11}, "11 managed policies", id="too many ARNs"),
        pytest.param({"policy_arns": ("ReadOnlyAccess",)}, "'ReadOnlyAccess' is not the ARN", id="a name"),
        pytest.param({"policy_arns": (ROLE,)}, "is not the ARN of an IAM policy", id="a role's ARN"),
        pytest.param({"policy_arns": (f"{OURS} ",)}, "is not the ARN", id="an ARN with a blank"),
        pytest.param({"policy_arns": (OURS.replace("2222", "22"),)}, "is not the ARN", id="no account"),
        pytest.param({"policy_arns": (OURS.replace("team/ours", ""),)}, "is not the ARN", id="no name"),
        pytest.param({"policy_arns": (OURS + "x" * 2048,)}, "is not the ARN", id="an ARN too long"),
        pytest.param({"tags": tuple((f"k{n}", "") for n in range(51))}, "51 tags", id="too many tags"),
        pytest.param({"tags": (("", "v"),)}, "--tag '=v' cannot be one", id="no key"),
        pytest.param({"tags": (("k" * 129, ""),)}, "cannot be one", id="key too long"),
        pytest.param({"tags": (("k", "v" * 257),)}, "cannot be one", id="value too long"),
        pytest.param({"tags": (("k", "a,b"),)}, "--tag 'k=a,b' cannot be one", id="a comma"),
        pytest.param({"tags": (("k", "a\x1bb"),)}, r"'k=a\\x1bb' cannot be one", id="a control character"),
        pytest.param({"tags": (("AWS:k", ""),)}, "cannot be one", id="a key of AWS's"),
        pytest.param({"tags": (("k", "aws:v"),)}, "cannot be one", id="a value of AWS's"),
        pytest.param({"tags": (("Team", "a"), ("team", "b"))}, "'Team' and 'team' are one", id="twice"),
        pytest.param({"transitive_tags": ("team",)}, "'team' is no tag of this session", id="no such tag"),
        pytest.param({"source_identity": "a"}, "--source-identity 'a'", id="identity too short"),
        pytest.param({"source_identity": "a" * 65}, "--source-identity", id="identity too long"),
        pytest.param({"source_identity": "aws:alice"}, "--source-identity", id="identity of AWS's"),
        pytest.param({"external_id": "x"}, "--external-id 'x'", id="external id too short"),
        pytest.param({"external_id": "a b"}, "--external-id 'a b'", id="external id with a blank"),
    ],
)
def test_what_aws_refuses_is_a_usage_error_that_names_it(scope: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        check_scope(Scope(**scope))

    assert error.value.hint


def test_the_only_role_of_a_chain_is_told_all_but_the_external_id() -> None:
    told = EVERYTHING.of_call(ROLE, is_first=True, is_wanted=True)

    assert told == EVERYTHING.but(external_id=None)


def test_the_first_role_of_a_chain_is_told_the_source_identity_and_the_last_one_the_rest() -> None:
    first = EVERYTHING.of_call(ROLE, is_first=True, is_wanted=False)
    last = EVERYTHING.of_call(ROLE, is_first=False, is_wanted=True)

    assert first == Scope(source_identity="alice")
    assert last == EVERYTHING.but(external_id=None, source_identity=None)


def test_whom_nothing_is_told_has_no_scope() -> None:
    assert EVERYTHING.of_call(ROLE, is_first=False, is_wanted=False) is None
    assert Scope(policy="{}").of_call(ROLE, is_first=True, is_wanted=False) is None
    assert Scope(external_id="an-id").of_call(ROLE, is_first=True, is_wanted=True) is None


@pytest.mark.parametrize(
    ("arn", "told"),
    [
        pytest.param(READ_ONLY_ARN, "arn:aws-cn:iam::aws:policy/ReadOnlyAccess", id="AWS's own"),
        pytest.param(OURS, OURS, id="another account's"),
        pytest.param(
            "arn:aws-us-gov:iam::aws:policy/X", "arn:aws-us-gov:iam::aws:policy/X", id="of a partition named"
        ),
    ],
)
def test_a_policy_of_aws_is_the_one_of_the_role_s_partition(arn: str, told: str) -> None:
    scope = Scope(policy_arns=(arn,)).of_call(ROLE_IN_CHINA, is_first=True, is_wanted=True)

    assert scope == Scope(policy_arns=(told,))


JOB_TAGS = (("Actor", "octocat"), ("Workflow", "deploy"))


@pytest.mark.parametrize(
    ("own", "tags"),
    [
        pytest.param((), JOB_TAGS, id="none of its own"),
        pytest.param((("team", "pay"),), (*JOB_TAGS, ("team", "pay")), id="another"),
        pytest.param(
            (("actor", "alice"),), (JOB_TAGS[1], ("actor", "alice")), id="its own wins, in any case"
        ),
    ],
)
def test_the_tags_of_a_job_stand_beside_those_of_the_scope(
    own: tuple[tuple[str, str], ...], tags: tuple[tuple[str, str], ...]
) -> None:
    scope = Scope(policy="{}", tags=own)

    assert scope.with_tags(JOB_TAGS) == Scope(policy="{}", tags=tags)


def test_of_a_job_s_tags_as_many_are_told_as_aws_takes() -> None:
    own = tuple((f"k{n:02}", "") for n in range(49))

    assert Scope(tags=own).with_tags(JOB_TAGS).tags == (JOB_TAGS[0], *own)
    assert Scope(tags=(*own, ("k99", ""))).with_tags(JOB_TAGS).tags == (*own, ("k99", ""))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param("refs/heads/main", "refs/heads/main", id="as it is"),
        pytest.param("deploy [prod], now!", "deploy _prod__ now_", id="signs"),
        pytest.param("a\x1bb\n", "a_b_", id="control characters"),
        pytest.param("Zoë 東京", "Zoë 東京", id="letters of any script"),
        pytest.param("x" * 300, "x" * 256, id="too long"),
        pytest.param("AWS: deploy", "AWS_ deploy", id="what is AWS's own"),
        pytest.param("aws:aws:x", "aws_aws:x", id="AWS's own, twice"),
        pytest.param("my aws:x", "my aws:x", id="AWS's own, further on"),
    ],
)
def test_of_a_job_s_tag_is_told_what_aws_takes(value: str, told: str) -> None:
    assert Scope().with_tags((("Workflow", value),)).tags == (("Workflow", told),)


@given(st.text())
def test_whatever_a_job_says_of_itself_aws_takes_its_tags(value: str) -> None:
    check_scope(Scope().with_tags((("Workflow", value),)))
