"""Making text from outside safe to show: masked, and without control over the terminal."""

_UNSAFE_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_ACCESS_KEY_ID = r"\b(A[KS]IA)[A-Z0-9]{8,}([A-Z0-9]{4})\b"
_MARKS = ("AKIA", "ASIA", "eyJ")
_SHORTEST_TOKEN = 150
# AWS quotes the whole request, its token included, where it did not like the signature.
_LONG_BASE64 = r"(?<![A-Za-z0-9+/=])(?!/)[A-Za-z0-9+/=]{150,}"  # a path begins with /
_JWT = r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"


def show(text: str) -> str:
    """Return `text` with every control, bidirectional and zero-width character as a visible escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


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


def _visible(character: str) -> str:
    import unicodedata  # most text is plain

    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
