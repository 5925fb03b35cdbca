"""The plan for one session, made anew from what was asked, what is held and what AWS has refused."""

from __future__ import annotations

import time

from gds_exec.credentials.plan import decide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.chain_cache import Chain, ChainCache
    from gds_exec.credentials.key_source import KeySource
    from gds_exec.credentials.plan import Asked, Plan
    from gds_exec.credentials.token_source import TokenSource


class Planner:
    """Plans the way to a profile's session, and takes in what is learned on the way."""

    def __init__(
        self,
        profile: Profile,
        asked: Asked,
        *,
        source: KeySource | TokenSource,
        cache: ChainCache,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.profile = profile
        self.now = now
        self._asked = asked
        self._source = source
        self._cache = cache
        self.found_device: str | None = None  # AWS refused the role without MFA
        self.has_no_room_for_job_tags = False
        self.is_served = False  # a new session was made; a refresh need not make another

    @property
    def asked(self) -> Asked:
        """What was asked, without what AWS has no room for and what has been done."""
        return self._asked.but(
            new_session=self._asked.new_session and not self.is_served,
            job_tags=() if self.has_no_room_for_job_tags else self._asked.job_tags,
        )

    @property
    def mfa_serial(self) -> str | None:
        """The MFA device of the profile, or else the one that was found."""
        return self.profile.mfa_serial or self.found_device

    def plan(self) -> Plan:
        """Return the shortest way from here to the session."""
        plan = self.plan_with(self.mfa_serial)
        known = plan if plan.is_complete else self._with_known_device(plan)
        return known if known.is_complete else plan

    def chains(self) -> tuple[Chain, Chain]:
        """Return the chains that the session may be held under."""
        plan = self.plan_with(self.mfa_serial)
        return plan.requests, self._with_known_device(plan).requests

    def plan_with(self, mfa_serial: str | None) -> Plan:
        """Return the plan for a profile that has this MFA device."""
        return decide(
            self.profile.but(mfa_serial=mfa_serial),
            self.asked,
            look=self._cache.find,
            now=self.now(),
            source_is_temporary=self._source.is_temporary,
        )

    def _with_known_device(self, plan: Plan) -> Plan:
        """Return the plan with the device that once opened this role, if the profile names none.

        Sessions may be held that were made with the device, but the role may want no MFA any more.
        """
        if self.mfa_serial is not None or not plan.requests:
            return plan
        device = self._cache.device_of(plan.requests[:1])
        return self.plan_with(device) if device else plan
