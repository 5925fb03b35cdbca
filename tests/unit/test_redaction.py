import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gds_exec.redaction import mask, may_hold_secret, show

STEERS_A_TERMINAL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
ANY_TEXT = st.text(st.characters(), max_size=60)
HOSTILE_TEXT = st.text(st.sampled_from("a[/]\x00\x07\x1b\x7f\x9b\u061c\u200b\u202e\u2066\udcff\n\r\t"))


@given(ANY_TEXT | HOSTILE_TEXT)
def test_no_control_c1_or_bidi_character_is_ever_shown(text: str) -> None:  # matrix 82
    assert not STEERS_A_TERMINAL.search(show(text))


@given(ANY_TEXT | HOSTILE_TEXT)
def test_what_is_shown_can_be_written_anywhere_and_shown_again(text: str) -> None:
    shown = show(text)

    shown.encode("utf-8")
    assert show(shown) == shown


@pytest.mark.parametrize("text", ["govuk-integration-admin", "é ü 中 🙂", "[bold]x[/x]", "a\\b", ""])
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert show(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\x1b[31mb", r"a\x1b[31mb", id="escape sequence"),
        pytest.param("a\x9bb", r"a\x9bb", id="C1"),
        pytest.param("a\u202eb", r"a\u202eb", id="bidi"),
        pytest.param("a\r\nb", r"a\r\nb", id="line break"),
        pytest.param("a\udcffb", r"a\udcffb", id="a byte that is not UTF-8"),
    ],
)
def test_what_is_unsafe_becomes_a_visible_escape(text: str, shown: str) -> None:  # matrix 82
    assert show(text) == shown


@given(prefix=ANY_TEXT, secret=st.text("abcdef0123456789", min_size=8), suffix=ANY_TEXT)
def test_a_given_secret_is_masked_wherever_it_stands(prefix: str, secret: str, suffix: str) -> None:
    assert secret not in mask(prefix + secret + suffix, (secret,))


def test_an_empty_secret_masks_nothing() -> None:
    assert mask("plain", ("",)) == "plain"


@pytest.mark.parametrize("prefix", ["AKIA", "ASIA"])
def test_access_key_ids_keep_their_last_four_characters(prefix: str) -> None:
    assert mask(f"key {prefix}IOSFODNN7EXAMPLE.") == f"key {prefix}…MPLE."


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2lnbmF0dXJl-_"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param(f"token {JWT}.", "token ****.", id="in a sentence"),
        pytest.param(f"'{JWT}'", "'****'", id="quoted"),
        pytest.param(f"{JWT} {JWT}", "**** ****", id="two"),
        pytest.param(f"WebIdentityToken={JWT}&Version=1", "WebIdentityToken=****&Version=1", id="in a form"),
        pytest.param(JWT.rpartition(".")[0] + ".", "****", id="without a signature"),
        pytest.param("eyJ is how they begin", "eyJ is how they begin", id="no token"),
    ],
)
def test_web_identity_tokens_are_masked_whole(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "line",
    [
        "the vault is locked",
        "Error: session expired, run 'vault login'",
        "cat: /home/alice/.aws/credentials: No such file or directory",
        "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: denied",
        "gds-exec: there is no role 'prod' [unknown-role]",
        "arn:aws:iam::123456789012:mfa/alice is not a device of alice@example.gov.uk",
        "connection to 127.0.0.1:8200 refused (HTTP 403)",
        "op: 2.30.0 [ERROR] 2026/01/09 12:00:00 not signed in",
        "ModuleNotFoundError: No module named keyring",
        "the key of the vault is missing",
        "error: your token has expired, please sign in again",
        "Access denied: wrong passphrase",
        "",
    ],
)
def test_a_line_of_plain_words_may_be_repeated(line: str) -> None:
    assert not may_hold_secret(line)


@pytest.mark.parametrize(
    "line",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "key AKIAIOSFODNN7EXAMPLE was refused",
        "AWS_SECRET_ACCESS_KEY=abc",
        'no: {"AccessKeyId": "a", "SecretAccessKey": "b"}',
        "bad passphrase hunter2",
        "bad passphrase correcthorse",
        "login failed for user bob with password swordfish",
        "the password you gave, letmeinplease, is wrong",
        "pin 4821 refused",
        "code 123 456",
        "recovery code abcd-efgh-ijkl",
        "token hvs.abc",
        "secret ABCDEFGHIJKL is no good",
        "wrong password 'correcthorse'",
        "passphrase: correct horse battery staple",
        "the token is swordfish",
        "code 123456 was refused",
        "12345678",
        "otpauth://totp/alice?issuer=aws",
        "otp seed JBSWY3DPEHPK3PXP",
        "otp seed JBSWYDPEHPKPXPABQ",
        "https://alice:pw@vault.example refused",
        f"expired: {JWT}",
        "-----BEGIN PRIVATE KEY-----",
        "deadbeefdeadbeefdeadbeef",
        "abcdEFghIJklMNop",
        "aGVsbG8gd29ybGQ=",
        "x" * 200,
    ],
)
def test_a_line_with_anything_like_a_secret_may_not(line: str) -> None:
    assert may_hold_secret(line)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", min_size=40, max_size=40))
def test_a_secret_access_key_may_not_be_repeated(secret: str) -> None:
    parts = secret.replace("+", "/").split("/")
    assume(any(any(c.isdigit() for c in part) and len(part) >= 7 for part in parts))

    assert may_hold_secret(f"error: {secret} refused")
