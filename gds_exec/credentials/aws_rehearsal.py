"""The calls that a code is waited for with, made once beforehand and kept from being sent.

botocore takes twice as long for the first call of an operation as for the next: it reads the
operation's model, and builds what it signs and parses with. Here a person is typing meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.awsrequest import AWSResponse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

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
