"""JSON Web Tokens signed with RS256: written, and read as strictly as AWS reads them.

Claims are only carried here; what they are worth is for `web_identity` to say.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

# The key of every identity provider in the sandbox. It is public, in this file, and so protects nothing:
# no account of the real AWS must ever trust it.
_P = int(
    "e857f5d0952ec9f6e29a03b38149c37f1a71f8ead8d19eb7888c2b818449573d"
    "58792b4a02da5f6fe005c2ba308c188ca1d07a5c72d3c9d1519722c6a96af00b"
    "5244d4432deffd39f527c66c95c647c0bb9748d273ac136844f64509f4022dd2"
    "1cbdadcc1fdc401dbd91ff81f8cdfe4efbde830ba4f2766c743321f5188f00f3",
    16,
)
_Q = int(
    "e17b9c744410f6ba1acb054a3fdbad51da344ff48243f83a1421de1b204f342d"
    "a835120ffe4744029b3d5ad8dd0d65a10dca8013a319e32f9c1e76fcd80c3670"
    "2c4014589da467a5aed71d34bd1f135fd267ebd20586042fbf020afff937700e"
    "63888cbfa1e4422a7933c38bcdde6be3f9472ecf91fc8bf9e60aba3110e7294b",
    16,
)
MODULUS, PUBLIC_EXPONENT = _P * _Q, 65_537
KEY_ID = "sandbox-test-key"
PRIVATE_EXPONENT = pow(PUBLIC_EXPONENT, -1, (_P - 1) * (_Q - 1))
_KEY_BYTES = 256
_DIGEST_INFO_OF_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, section 9.2


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token taken apart, whose signature nobody has looked at yet."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def key_id(self) -> object:
        return self.header.get("kid")

    def has_valid_signature(self) -> bool:
        """Return whether our key signed it (RFC 8017, section 8.2.2)."""
        number = int.from_bytes(self.signature, "big")
        if len(self.signature) != _KEY_BYTES or number >= MODULUS:
            return False
        block = pow(number, PUBLIC_EXPONENT, MODULUS).to_bytes(_KEY_BYTES, "big")
        return hmac.compare_digest(block, _padded_hash(self.signed))


def write_jwt(claims: Mapping[str, Any], *, key_id: str = KEY_ID) -> str:
    """Return a token with these claims, signed with our key under that name."""
    header = {"alg": "RS256", "kid": key_id, "typ": "JWT"}
    signed = b".".join(
        _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
    )
    number = pow(int.from_bytes(_padded_hash(signed), "big"), PRIVATE_EXPONENT, MODULUS)
    return (signed + b"." + _base64url(number.to_bytes(_KEY_BYTES, "big"))).decode("ascii")


def read_jwt(token: str) -> Jwt:
    """Take a token apart. Raise `ValueError` for anything that is not wholly a JWT for RS256."""
    parts = token.encode("ascii").split(b".")
    if len(parts) != 3:
        raise ValueError("not three parts")
    header, claims, signature = map(_from_base64url, parts)
    jwt = Jwt(_json_object(header), _json_object(claims), b".".join(parts[:2]), signature)
    if jwt.header.get("alg") != "RS256":
        raise ValueError("another algorithm")
    return jwt


def _padded_hash(data: bytes) -> bytes:
    digest_info = _DIGEST_INFO_OF_SHA256 + sha256(data).digest()
    padding = b"\xff" * (_KEY_BYTES - len(digest_info) - 3)
    return b"\x00\x01" + padding + b"\x00" + digest_info


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _from_base64url(text: bytes) -> bytes:
    try:
        data = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if _base64url(data) != text:  # the decoder skips what is not of the alphabet, and ignores spare bits
        raise ValueError("no base64url")
    return data


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode(), object_pairs_hook=_without_repetition, parse_constant=_not_in_json)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  # as the parser's own errors are
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _not_in_json(constant: str) -> None:
    raise ValueError(f"{constant} is Python's, not JSON's")
