import pytest

from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.validation import Number, Text, validate

CONSTRAINTS = (
    Text("TokenCode", 6, 6, pattern=r"[\d]*"),
    Text("RoleSessionName", 2, 64, pattern=r"[\w+=,.@-]*", is_required=True),
    Number("DurationSeconds", 900, 43200),
)
NAMED = {"RoleSessionName": "me"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param(
            NAMED | {"TokenCode": "12345"},
            "1 validation error detected: Value '12345' at 'tokenCode' failed to satisfy constraint: "
            "Member must have length greater than or equal to 6",
            id="short code",
        ),
        pytest.param(
            NAMED | {"TokenCode": "12345x"},
            "1 validation error detected: Value '12345x' at 'tokenCode' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\d]*",
            id="letters in a code",
        ),
        pytest.param(
            NAMED | {"TokenCode": "١٢٣٤٥٦"},
            "1 validation error detected: Value '١٢٣٤٥٦' at 'tokenCode' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\d]*",
            id="digits that are not ASCII",
        ),
        pytest.param(
            {},
            "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: "
            "Member must not be null",
            id="missing",
        ),
        pytest.param(
            NAMED | {"DurationSeconds": "899"},
            "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 900",
            id="too little",
        ),
        pytest.param(
            NAMED | {"DurationSeconds": "43201"},
            "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: "
            "Member must have value less than or equal to 43200",
            id="too much",
        ),
        pytest.param(
            {"RoleSessionName": "é", "DurationSeconds": "1"},
            "3 validation errors detected: Value 'é' at 'roleSessionName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]*; "
            "Value 'é' at 'roleSessionName' failed to satisfy constraint: "
            "Member must have length greater than or equal to 2; "
            "Value '1' at 'durationSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 900",
            id="several",
        ),
    ],
)
def test_what_breaks_a_bound_is_quoted(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(AwsError) as refused:
        validate(parameters, CONSTRAINTS)
    assert (refused.value.status, refused.value.code) == (400, "ValidationError")
    assert refused.value.message == message


@pytest.mark.parametrize("duration", ["900", "43200"])
def test_bounds_are_inclusive(duration: str) -> None:
    validate({"RoleSessionName": "a" * 64, "DurationSeconds": duration, "TokenCode": "000000"}, CONSTRAINTS)


def test_a_number_that_is_none_is_malformed() -> None:
    with pytest.raises(AwsError) as refused:
        validate(NAMED | {"DurationSeconds": "1h"}, CONSTRAINTS)
    assert refused.value.code == "MalformedInput"
