"""The calls to AWS STS that make sessions: each has a name and, where one is needed, an MFA code."""

from __future__ import annotations

from gds_exec.credentials.mfa import Question
from gds_exec.credentials.request import IdentityToken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.credentials.background import PreparedAws
    from gds_exec.credentials.chain_cache import ChainCache
    from gds_exec.credentials.mfa import TokenCodes
    from gds_exec.credentials.request import Caller, Request
    from gds_exec.session import SessionCredentials


class StsCalls:
    """The calls for one role. One process at a time uses the codes of an MFA device."""

    def __init__(
        self,
        aws: PreparedAws,
        codes: TokenCodes,
        cache: ChainCache,
        *,
        role: str,
        new_session_name: Callable[[], str],
    ) -> None:
        self.aws = aws
        self.codes = codes
        self._cache = cache
        self._role = role
        self._new_session_name = new_session_name

    def question(self, device: str) -> Question:
        """Return the question for a code of this device."""
        return Question(role=self._role, device=device)

    def make_session(self, request: Request, caller: Caller, codes: TokenCodes) -> SessionCredentials:
        """Make the session, with a code if the request names an MFA device."""
        name = request.session_name or self._new_session_name()
        locks = self._cache.locks
        if request.mfa_serial is None or isinstance(caller, IdentityToken):
            locks.mention_passed()
            return self.aws.api.make_session(request, caller, session_name=name)
        with self._cache.device(request.mfa_serial) as memory:
            locks.mention_passed()
            self.aws.expect_code_for(caller)
            if locks.has_waited:  # the process before us may have found that AWS refuses the keys
                self.aws.finish_check()
            return codes.spend(
                self.question(request.mfa_serial),
                memory,
                lambda code: self.aws.api.make_session(request, caller, session_name=name, token_code=code),
                check=self.aws.finish_check,
            )
