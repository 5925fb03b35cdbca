"""What the person set up between this machine and AWS: endpoints, certificates, proxies."""

from __future__ import annotations

import os

from gds_exec.errors import BrokenProfile
from gds_exec.lean import Value
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_ENDPOINT_HINT = "use https, or unset AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS and endpoint_url"
CA_BUNDLE_HINT = "correct AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE, or ca_bundle in the profile"
UNTRUSTED_HINT = "if your network has a certificate of its own, name its file in AWS_CA_BUNDLE"
PROXY_HINT = "correct HTTPS_PROXY, or name the host in NO_PROXY"
PORTAL_HINT = "is there a proxy or a sign-in page between this machine and AWS?"
NOT_CONNECTED_HINT = "are you connected? is a proxy needed (HTTPS_PROXY)?"
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")


class Connection(Value):
    """Where the calls go: a region, and what overrides AWS's own endpoints and certificates."""

    region: str
    sts_endpoint_url: str | None = None
    iam_endpoint_url: str | None = None
    ca_bundle: str | None = None


def check_endpoint(url: str | None) -> str | None:
    """Return the host of an endpoint that is not AWS's, for the person to know where codes go.

    Raise `BrokenProfile` for one off this machine without TLS: a token code and a session token
    would travel readable.
    """
    if url is None or _is_plainly_loopback(url):
        return None
    scheme, host = _scheme_and_host(url)
    if scheme not in {"http", "https"} or not host or _is_ambiguous(url):
        shown = show(without_password(url))
        raise BrokenProfile(f"the endpoint URL {shown!r} is not an http(s) URL", hint=_ENDPOINT_HINT)
    if _is_loopback(host):
        return None
    if scheme == "http":
        raise BrokenProfile(
            f"the endpoint {show(host)} is not this machine, and has no TLS", hint=_ENDPOINT_HINT
        )
    return None if host.endswith(_AWS_DOMAINS) else host


def is_private(url: str) -> bool:
    """Say whether nobody reads what is sent there: it has TLS, or is this machine."""
    scheme, host = _scheme_and_host(url)
    if not host or _is_ambiguous(url):
        return False
    return scheme == "https" or (scheme == "http" and _is_loopback(host))


def check_ca_bundle(path: str | None) -> None:
    """Raise `BrokenProfile` if the file of certificates that is configured is not there."""
    if path and not os.path.exists(path):
        raise BrokenProfile(f"the CA bundle {show(path)} does not exist", hint=CA_BUNDLE_HINT)


def without_password(url: str) -> str:
    """Return what follows the user and password of a URL: the scheme goes with them."""
    return url.rpartition("@")[2]


def refused_by_proxy(environ: Mapping[str, str]) -> str:
    """Return what a proxy that does not answer did, with its host and without its password."""
    url = next((environ[name] for name in _PROXY_VARIABLES if environ.get(name)), "")
    return f"the proxy {show(_proxy_host(url)) or '?'} does not let us through"


def unusable_proxy(environ: Mapping[str, str]) -> str | None:
    """Return the name of a variable that is to name a proxy and does not."""
    return next((n for n in _PROXY_VARIABLES if environ.get(n) and not _proxy_host(environ[n])), None)


def _proxy_host(value: str) -> str:
    return _scheme_and_host(value if "://" in value else f"http://{value}")[1]


def _is_plainly_loopback(url: str) -> bool:
    """Say whether it is `http://127.0.0.1:4566` letter for letter, which needs no parser's import."""
    origin, _, port = url.removesuffix("/").rpartition(":")
    scheme, _, host = origin.partition("://")
    return scheme in {"http", "https"} and host in {"127.0.0.1", "localhost"} and _is_port(port)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535


def _scheme_and_host(url: str) -> tuple[str, str]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # brackets that hold no IPv6 address, a port that is no number
        return "", ""
    return parts.scheme, parts.hostname or ""


def _is_ambiguous(url: str) -> bool:
    """Say whether another parser may read another host out of it: `http://a\\@b` goes to a, or to b."""
    from urllib.parse import urlsplit

    return "\\" in url or "@" in urlsplit(url).netloc or any(c <= " " or c == "\x7f" for c in url)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
