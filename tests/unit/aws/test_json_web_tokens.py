import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from tests.aws.json_web_tokens import (
    KEY_ID,
    MODULUS,
    PRIVATE_EXPONENT,
    PUBLIC_EXPONENT,
    Jwt,
    read_jwt,
    write_jwt,
)

CLAIMS = {"iss": "https://ci.example", "sub": "job:1", "exp": 1_700_000_000}
HEADER = {"alg": "RS256", "kid": KEY_ID}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: object = HEADER, claims: object = CLAIMS) -> str:
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims)) + ".c2ln"


def of_text(claims: str) -> str:
    return f"{base64url(json.dumps(HEADER).encode())}.{base64url(claims.encode())}.c2ln"


@pytest.fixture(scope="module")
def public_key() -> RSAPublicKey:
    return RSAPublicNumbers(PUBLIC_EXPONENT, MODULUS).public_key()


def test_a_token_comes_back_as_it_was_written() -> None:
    jwt = read_jwt(write_jwt(CLAIMS))
    assert (jwt.claims, jwt.key_id, jwt.has_valid_signature()) == (CLAIMS, KEY_ID, True)


def test_others_find_the_signature_good(public_key: RSAPublicKey) -> None:
    jwt = read_jwt(write_jwt(CLAIMS))
    public_key.verify(jwt.signature, jwt.signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public_key.verify(jwt.signature, jwt.signed + b" ", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(b"", id="none"),
        pytest.param(read_jwt(write_jwt(CLAIMS)).signature[:-1], id="a byte too few"),
        pytest.param(bytes(256), id="zero"),
        pytest.param(b"\xff" * 256, id="above the modulus"),
        pytest.param(read_jwt(write_jwt({})).signature, id="another token's"),
    ],
)
def test_a_signature_that_is_not_its_own_is_not_valid(signature: bytes) -> None:
    signed = write_jwt(CLAIMS).rpartition(".")[0]
    assert not read_jwt(f"{signed}.{base64url(signature)}").has_valid_signature()


def test_a_signature_that_is_the_good_one_and_the_modulus_is_not_valid() -> None:
    jwt = read_jwt(write_jwt(CLAIMS))
    number = int.from_bytes(jwt.signature, "big") + MODULUS
    again = Jwt(jwt.header, jwt.claims, jwt.signed, number.to_bytes(257, "big"))
    assert not again.has_valid_signature()


DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420") + sha256(b"signed").digest()


@pytest.mark.parametrize(
    ("block", "is_valid"),
    [
        pytest.param(b"\x00\x01" + b"\xff" * 202 + b"\x00" + DIGEST_INFO, True, id="as it must be"),
        pytest.param(b"\x00\x01\xff\x00" + DIGEST_INFO + bytes(201), False, id="rubbish after the hash"),
        pytest.param(b"\x00\x02" + b"\xff" * 202 + b"\x00" + DIGEST_INFO, False, id="another block type"),
        pytest.param(b"\x00\x01" + b"\xfe" * 202 + b"\x00" + DIGEST_INFO, False, id="another padding"),
        pytest.param(b"\x00\x01" + b"\xff" * 221 + b"\x00" + DIGEST_INFO[-32:], False, id="a bare hash"),
    ],
)
def test_the_whole_block_under_the_signature_is_compared(block: bytes, is_valid: bool) -> None:
    signature = pow(int.from_bytes(block, "big"), PRIVATE_EXPONENT, MODULUS).to_bytes(256, "big")
    assert Jwt({}, {}, b"signed", signature).has_valid_signature() is is_valid


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("a-word", id="no parts"),
        pytest.param(unsigned().rpartition(".")[0], id="two parts"),
        pytest.param(unsigned() + ".c2ln", id="four parts"),
        pytest.param(unsigned() + "\n", id="a newline"),
        pytest.param(unsigned() + "==", id="padded"),
        pytest.param(unsigned() + "\N{LATIN SMALL LETTER E WITH ACUTE}", id="not ASCII"),
        pytest.param(unsigned().replace("c2ln", "c2l+"), id="another alphabet"),
        pytest.param(unsigned().replace("c2ln", "c2lnz"), id="a letter too many"),
        pytest.param(unsigned().replace("c2ln", "c2lnzR"), id="spare bits"),
        pytest.param(unsigned(header=["RS256"]), id="a header that is a list"),
        pytest.param(unsigned(claims="job"), id="claims that are a word"),
        pytest.param(of_text('{"sub":"a","sub":"b"}'), id="a claim twice"),
        pytest.param(of_text('{"exp":NaN}'), id="no number"),
        pytest.param(of_text("[" * 10_000), id="nested deeply"),
        pytest.param(of_text("{"), id="no JSON"),
        pytest.param(unsigned(header={}), id="no algorithm"),
        pytest.param(unsigned(header={"alg": "none"}), id="algorithm none"),
        pytest.param(unsigned(header={"alg": "HS256"}), id="signed with our public key"),
        pytest.param(unsigned(header={"alg": "rs256"}), id="algorithm in lower case"),
        pytest.param(unsigned(header={"alg": ["RS256"]}), id="algorithms"),
    ],
)
def test_what_is_not_wholly_a_jwt_is_refused(token: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the reasons are for nobody
        read_jwt(token)


def test_the_table_s_tokens_are_refused_for_their_faults_alone() -> None:
    found: Any = read_jwt(unsigned())
    assert (found.header, found.claims, found.signature) == (HEADER, CLAIMS, b"sig")
