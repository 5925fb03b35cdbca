"""Make botocore start faster: find its data without a search, and rehearse the first calls.

botocore looks into the directories of all its services to find one, and parses the endpoints of
all, a megabyte, for one: together these take longer than the call. What is loaded are its own
files, or those that a person has put beside them, as botocore itself would load them. It also takes
twice as long for the first call of an operation as for the next: it reads the operation's model, and
builds what it signs and parses with. Both calls are made once while a person types a code, and not sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader

_SERVICES = ("iam", "sts")
# A service's rule set says where a call goes and for which region it is signed. Of the list of all
# endpoints only two things still count: what a person put into it, and whether a variant exists.
_NO_ENDPOINTS: dict[str, list[Any]] = {"partitions": []}
_VARIANTS = ("use_dualstack_endpoint", "use_fips_endpoint")


def use_lean_data(session: Any, *, region: str) -> None:
    """Give a botocore session, which is for STS and IAM in this region, a loader that does not search."""
    # A region may ask for a variant, too: fips-us-east-1.
    has_variant = "fips" in region or any(session.get_config_variable(name) for name in _VARIANTS)
    search_paths = session.get_component("data_loader").search_paths
    session.register_component("data_loader", LeanLoader(search_paths, has_variant=has_variant))


class LeanLoader(Loader):  # type: ignore[misc]  # botocore has no types
    """botocore's own loader, for clients of STS and IAM alone."""

    def __init__(self, search_paths: list[str], *, has_variant: bool = False) -> None:
        super().__init__(search_paths, include_default_search_paths=False)
        self._has_variant = has_variant

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  # all have both
        """Return the services that we call."""
        return list(_SERVICES)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Return some data, and where it comes from."""
        if name == "endpoints" and not self._has_variant and self._is_all_botocores():
            return _NO_ENDPOINTS, os.path.join(self.BUILTIN_DATA_PATH, name)
        found: tuple[Any, str] = super().load_data_with_path(name)
        return found

    def _is_all_botocores(self) -> bool:
        return [path for path in self.search_paths if os.path.isdir(path)] == [self.BUILTIN_DATA_PATH]


_BEFORE_SEND = "before-send.sts"
_ANSWER = """\
<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials>
<AccessKeyId/><SecretAccessKey/><SessionToken/><Expiration>2000-01-01T00:00:00Z</Expiration>
</Credentials></{0}Result></{0}Response>"""


def rehearse(sts: Any) -> None:
    """Make both calls that give a session, with an answer of our own in place of STS's."""
    sts.meta.events.register(_BEFORE_SEND, _answered_here)
    try:
        sts.get_session_token()
        sts.assume_role(RoleArn="", RoleSessionName="")
    finally:
        sts.meta.events.unregister(_BEFORE_SEND, _answered_here)


def _answered_here(request: Any, event_name: str, **_: object) -> AWSResponse:
    operation = event_name.rpartition(".")[2]
    return AWSResponse(request.url, 200, {}, _Body(_ANSWER.format(operation).encode()))


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content
