"""The AWS console as URLs: where one signs in, where that leads, and how roles are switched there.

Nothing is asked of AWS here. A sign-in leads nowhere but to a console of AWS's, for whoever is sent
elsewhere with it might be met by somebody else.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from gds_exec.errors import BrokenProfile, NotSupportedYet, UsageError
from gds_exec.lean import Value
from gds_exec.options import is_region
from gds_exec.redaction import show

_ISSUER = "gds-exec"
_DISPLAY_NAME_CHARACTERS = 64
# Where the console calls a service otherwise than the AWS CLI does.
_PATHS = {
    "dynamodb": "dynamodbv2",
    "logs": "cloudwatch",
    "ssm": "systems-manager",
    "stepfunctions": "states",
}


class Console(Value):
    """The console of one partition: where one signs in, its own domain, and others that it leads to."""

    signin: str
    domain: str
    region_prefix: str = ""
    other_domains: tuple[str, ...] = ()

    def has_region(self, region: str) -> bool:
        """Say whether the region may be one of this partition's, by its name."""
        if self.region_prefix:
            return region.startswith(self.region_prefix)
        return not any(region.startswith(console.region_prefix) for console in _ELSEWHERE)


_COMMERCIAL = Console(
    "signin.aws.amazon.com",
    "console.aws.amazon.com",
    other_domains=("health.aws.amazon.com", "phd.aws.amazon.com", "quicksight.aws.amazon.com"),
)
_CHINA = Console("signin.amazonaws.cn", "console.amazonaws.cn", "cn-")
_GOVERNMENT = Console("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com", "us-gov-")
_ELSEWHERE = (_CHINA, _GOVERNMENT)
_CONSOLES = {"aws": _COMMERCIAL, "aws-cn": _CHINA, "aws-us-gov": _GOVERNMENT}


def console_for(role_arn: str) -> Console:
    """Return the console of the role's partition."""
    partition = role_arn.split(":")[1]
    if partition not in _CONSOLES:
        raise NotSupportedYet(
            f"the console of the partition {show(partition)} is not known",
            hint=f"known: {', '.join(_CONSOLES)}",
        )
    return _CONSOLES[partition]


def destination(
    console: Console, *, region: str | None = None, service: str | None = None, url: str | None = None
) -> str:
    """Return where in the console a sign-in is to lead: to `url`, to a service's page, or to the home page.

    A region of another partition is left out. Raise `UsageError` for a URL that is not this console's,
    and `BrokenProfile` for a region that cannot be one.
    """
    if url is not None and service is not None:
        raise UsageError("--open and --service exclude each other", hint="the URL says where to go")
    if url is not None:
        return _checked_url(console, url)
    return _page(console, _path(service), _checked_region(console, region))


def federation_endpoint(console: Console, endpoint_url: str | None = None) -> str:
    """Return the URL that signs people in: AWS's own, or what is at `endpoint_url` in its place."""
    return f"{(endpoint_url or f'https://{console.signin}').rstrip('/')}/federation"


def signin_url(endpoint: str, *, token: str, destination: str) -> str:
    """Return the URL that signs a browser in, once and within 15 minutes; whoever has it can."""
    query = {"Action": "login", "Issuer": _ISSUER, "Destination": destination, "SigninToken": token}
    return f"{endpoint}?{urlencode(query)}"


def switch_role_url(role_arn: str, *, display_name: str) -> str:
    """Return the link by which somebody who is signed in becomes the role; nothing in it is secret."""
    fields = role_arn.split(":", 5)
    query = {
        "account": fields[4],
        "roleName": fields[5].removeprefix("role/"),
        "displayName": display_name[:_DISPLAY_NAME_CHARACTERS],
    }
    return f"https://{console_for(role_arn).signin}/switchrole?{urlencode(query)}"


def _page(console: Console, path: str, region: str | None) -> str:
    if region is None:
        return f"https://{console.domain}/{path}/home"
    return f"https://{region}.{console.domain}/{path}/home?region={region}"


def _path(service: str | None) -> str:
    if service is None:
        return "console"
    if not (service.isascii() and service.replace("-", "").isalnum()):
        raise UsageError(f"{show(service)!r} is no service such as s3", hint="--open takes a whole URL")
    return _PATHS.get(service.lower(), service.lower())


def _checked_region(console: Console, region: str | None) -> str | None:
    if region and not is_region(region):
        raise BrokenProfile(f"{show(region)!r} is no AWS region")
    return region if region and console.has_region(region) else None


def _checked_url(console: Console, url: str) -> str:
    if not _is_of(console, url):
        raise UsageError(
            f"'{show(url)}' is not a page of this role's console",
            hint=f"a sign-in leads only to https://{console.domain}/ and to its subdomains",
        )
    return url


def _is_of(console: Console, url: str) -> bool:
    # What browsers read otherwise than this parser does is refused with the rest.
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    domains = (console.domain, *console.other_domains)
    host = parts.netloc.lower()  # and so neither a user nor a port
    return parts.scheme == "https" and any(host == name or host.endswith(f".{name}") for name in domains)
