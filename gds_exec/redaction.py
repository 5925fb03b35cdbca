"""Making text from outside safe to show: masked, and without control over the terminal."""

_UNSAFE_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_ACCESS_KEY_ID = r"\b(A[KS]IA)[A-Z0-9]{8,}([A-Z0-9]{4})\b"
_MARKS = ("AKIA", "ASIA", "eyJ")
_SHORTEST_TOKEN = 150
# AWS quotes the whole request, its token included, where it did not like the signature.
_LONG_BASE64 = r"(?<![A-Za-z0-9+/=])(?!/)[A-Za-z0-9+/=]{150,}"  # a path begins with /
_JWT = r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"

# A line that names a secret may go on with it: `bad password hunter`, `SecretAccessKey": "…"`.
_SENSITIVE = (
    r"\b(secret|password|passwd|passphrase|passcode|pin|code|token|key|seed)s?\b"
    r"|(secret|token|key|password)\w*[\"'`]?\s*[=:]|otpauth:|-----BEGIN|://[^/\s]*@"
)
# Words that may stand beside the name of a secret, in a line that holds none.
_KNOWN_WORDS = (
    "a access again an and any are bad been cannot could credentials denied does empty enter error expired "
    "failed file for found from given has have in incorrect invalid is it its key locked match missing mfa "
    "need needed needs no not of on open or passcode passphrase password pin please read refused rejected "
    "required run secret session sign that the this to token try unknown unlock vault was with wrong yet "
    "you your code keys tokens login signed expires store"
)
_SHORTEST_SECRET = 7
_CODE_DIGITS = (6, 7, 8)
_ACCOUNT_DIGITS = 12
_WORDS = r"[A-Z]{,12}|[A-Z]?[a-z]{,18}([A-Z][a-z]{2,18})*([A-Z][a-z]?)?"  # `word`, `InManyWordsId`


def show(text: str) -> str:
    """Return `text` with every control, bidirectional and zero-width character as a visible escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def quoted(text: str) -> str:
    return f"'{show(text)}'"


def is_plain(text: str) -> bool:
    """Say whether it is printable ASCII without blanks, so that it fits an HTTP header and a line."""
    return text != "" and text.isascii() and text.isprintable() and " " not in text


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return `text` without the given secrets and session tokens, access key ids to their last four."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "****")
    if len(text) < _SHORTEST_TOKEN and not any(mark in text for mark in _MARKS):
        return text
    import re  # 5 ms, which a run with little to say need not spend

    text = re.sub(_LONG_BASE64, "****", re.sub(_JWT, "****", text))
    return re.sub(_ACCESS_KEY_ID, r"\1…\2", text)


def may_hold_secret(line: str) -> bool:
    """Say whether a line from a program that handles secrets may hold one, so that we do not repeat it.

    Plain words are safe. So are numbers that cannot be codes, and paths, addresses and ARNs made of both.
    Sidecar the name of a secret, only words that we know are.
    """
    import re

    if mask(line) != line:
        return True
    parts = re.split(r"[^A-Za-z0-9]+", line)
    if re.search(_SENSITIVE, line, re.IGNORECASE):
        return not set(_KNOWN_WORDS.split()).issuperset(part.lower() for part in parts if part)
    return any(map(_is_like_secret, parts))


def _is_like_secret(part: str) -> bool:
    import re

    if part.isdigit():
        return len(part) in _CODE_DIGITS or len(part) > _ACCOUNT_DIGITS
    if any(character.isdigit() for character in part):
        return len(part) >= _SHORTEST_SECRET
    return len(part) >= _SHORTEST_SECRET and not re.fullmatch(_WORDS, part)


def _visible(character: str) -> str:
    import unicodedata  # most text is plain

    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
