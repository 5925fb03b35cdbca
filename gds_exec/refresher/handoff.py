"""What the process that got a session hands to the refresher, which is to keep it fresh for a command.

It goes through a pipe: nothing secret stands in an argument or in the environment.
"""

from __future__ import annotations

import marshal
import os

from gds_exec.environment import Briefing
from gds_exec.errors import SystemRefused
from gds_exec.hidden_subcommands import upgraded_command
from gds_exec.lean import Value
from gds_exec.session import parse, serialise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.session import SessionCredentials

READY = b"\0"  # a refresher beside the command writes this to its stderr once it serves the session
SILENTLY, ASKING = "silently", "asking"  # how a worker renews a session
PAUSED = "paused"  # what a worker calls the pid of a process that it pauses
_READ_BYTES = 65_536


class Handoff(Value):
    """A session, and all that it takes to keep it fresh and to hand it to a command.

    `key` is its name in the cache directory. `program` is the path of the installed gds-exec, and
    `arguments` are those that renew the session. `private_files` are the copies of AWS's files that the
    command reads; they are the refresher's to remove. Unless it `may_ask`, nobody is asked for a code.
    `blocked_signals` are those that the caller had blocked: the refresher begins with all of them so.
    """

    session: SessionCredentials
    role: str
    key: str
    cache_directory: str | None
    arguments: tuple[str, ...]
    program: str
    private_files: tuple[str | None, str | None] | None = None
    may_ask: bool = True
    blocked_signals: tuple[int, ...] = ()
    region: str | None = None
    region_override: str | None = None
    lost_source: str | None = None
    may_request_tokens: bool = False

    @property
    def briefing(self) -> Briefing:
        """What the command is told besides."""
        return Briefing(
            self.role,
            region=self.region,
            region_override=self.region_override,
            lost_source=self.lost_source,
            may_request_tokens=self.may_request_tokens,
        )


class Sidecar(Value):
    """The values that only a refresher beside the command needs: the command's process, and the socket.

    The refresher's standard error leads to that process until it serves the session, and then to `stderr`.
    """

    pid: int
    birth: str | None
    program: str
    listener: int
    token: str
    stderr: int

    _unshown = ("token",)


def send(handoff: Handoff, beside: Sidecar | None = None) -> int:
    """Return a descriptor, which a program that is executed inherits, to read the handoff from.

    Raise `SystemRefused` for what cannot be handed over.
    """
    if parse(serialise(handoff.session)) is None:
        raise SystemRefused(
            "cannot keep the session fresh: AWS STS did not make it", hint="run it without --refresh"
        )
    fields = {**vars(handoff), "session": serialise(handoff.session)}
    data = marshal.dumps({"handoff": fields, "beside": vars(beside) if beside else None})
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # what does not fit into a pipe is an error, and not a deadlock
    try:
        written = os.write(writing, data)
    finally:
        os.close(writing)
    if written != len(data):
        os.close(reading)
        raise OSError("the session is too long to be handed over")
    os.set_inheritable(reading, True)  # noqa: FBT003  # as os has it
    return reading


def receive(descriptor: int) -> tuple[Handoff, Sidecar | None]:
    """Return what was sent, and close the descriptor. Raise `Upgraded` if another version sent it."""
    with open(descriptor, "rb") as file:
        data = file.read(_READ_BYTES)
    try:
        sent = marshal.loads(data)  # noqa: S302  # our own
        fields, beside = sent["handoff"], sent["beside"]
        fields["session"] = _session(fields["session"])
        return Handoff(**fields), Sidecar(**beside) if beside else None
    except (EOFError, KeyError, TypeError, ValueError) as error:
        raise upgraded_command() from error


def _session(text: str) -> SessionCredentials:
    session = parse(text)
    if session is None:
        raise ValueError("no session was handed over")
    return session
