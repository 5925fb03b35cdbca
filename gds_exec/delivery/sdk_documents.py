"""Sessions and errors as the JSON documents that AWS SDKs read.

The warm path loads this module, so it writes JSON by itself; it must not decide who gets a document.
"""

from gds_exec.session import iso_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.session import SessionCredentials


def endpoint_document(session: "SessionCredentials", *, role_arn: str = "") -> str:
    """Return what a container-credentials endpoint answers.

    Only for sessions that expire: botocore and the JavaScript SDK refuse it without an expiration.
    """
    return _object(
        {
            "RoleArn": role_arn or None,
            "AccessKeyId": session.access_key.access_key_id,
            "SecretAccessKey": session.access_key.secret_access_key,
            "Token": session.access_key.session_token,
            "Expiration": _expiration(session),
        }
    )


def process_document(session: "SessionCredentials", *, early_seconds: int = 0) -> str:
    """Return what a credential_process prints; it says that it expires `early_seconds` before it does."""
    return _object(
        {
            "Version": 1,
            "AccessKeyId": session.access_key.access_key_id,
            "SecretAccessKey": session.access_key.secret_access_key,
            "SessionToken": session.access_key.session_token,
            "Expiration": _expiration(session, early_seconds=early_seconds),
        }
    )


def error_document(code: str, message: str) -> str:
    """Return an error as SDKs show it: botocore the whole of it, those in Go `code: message`."""
    return _object({"code": code, "message": message})


def _expiration(session: "SessionCredentials", *, early_seconds: int = 0) -> str | None:
    if session.expiration is None:
        return None
    return iso_time(session.expiration - early_seconds)


def _object(members: "dict[str, str | int | None]") -> str:
    written = (f'"{name}": {_value(value)}' for name, value in members.items() if value is not None)
    return f"{{{', '.join(written)}}}"


def _value(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f'"{"".join(map(_character, value))}"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
