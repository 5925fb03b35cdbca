"""MFA devices: those that show codes, and security keys, which AWS lists but STS cannot use."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gds_exec.sandbox.totp import code_at_step, new_secret, step_at, steps_accepted_at


@dataclass(slots=True, eq=False)
class MfaDevice:
    """A device that shows a new code every 30 s; AWS takes each of them once."""

    serial: str
    clock: Callable[[], float] = field(repr=False)
    on_spent: Callable[[int], None] | None = field(default=None, repr=False)
    secret: str = field(default_factory=new_secret, repr=False)
    enabled_at: float = 0.0
    _spent_steps: set[int] = field(default_factory=set, repr=False)

    def code(self, step_offset: int = 0) -> str:
        """Return what the device shows now, or `step_offset` steps from now."""
        return code_at_step(self.secret, step_at(self.clock()) + step_offset)

    def spend(self, code: str) -> bool:
        """Return whether `code` is good, after which it no longer is."""
        for step in steps_accepted_at(step_at(self.clock())):
            if step not in self._spent_steps and code == code_at_step(self.secret, step):
                self._spent_steps.add(step)
                if self.on_spent is not None:
                    self.on_spent(step)
                return True
        return False


@dataclass(frozen=True, slots=True)
class SecurityKey:
    """A FIDO key: it signs people in to the console, and shows no codes."""

    serial: str
    enabled_at: float = 0.0
