"""The session of a refreshed command, fetched from its endpoint as its SDKs do it."""

from __future__ import annotations

import json
from http.client import HTTPException
from urllib.request import ProxyHandler, Request, build_opener

from gds_exec.errors import AwsUnreachable
from gds_exec.session import AccessKey

_SECONDS = 5


def fetch_key(url: str, token: str) -> AccessKey:
    """Return the keys that the endpoint gives now. Raise `AwsUnreachable` where it gives none."""
    request = Request(url, headers={"Authorization": token})  # noqa: S310  # that our own environment names
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=_SECONDS) as answer:
            document = json.load(answer)
        return AccessKey(document["AccessKeyId"], document["SecretAccessKey"], document["Token"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise AwsUnreachable(
            "the endpoint of this environment gives no session",
            hint="leave what gds-exec has started here, and start it again",
        ) from error
