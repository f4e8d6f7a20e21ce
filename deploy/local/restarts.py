"""How often a child that dies is started again."""

from dataclasses import dataclass, field
from typing import Final

LIMIT: Final = 5
"""Starts again within WINDOW; one more death stops the stack."""
WINDOW: Final = 120.0
"""Seconds after which a death no longer counts."""
_LONGEST: Final = 8.0


@dataclass(slots=True)
class Restarts:
    """The deaths of one child."""

    _deaths: list[float] = field(default_factory=list)

    def delay(self, now: float) -> float | None:
        """Seconds to wait before the next start after a death at `now` (monotonic); None: give up."""
        self._deaths = [death for death in self._deaths if now - death < WINDOW]
        self._deaths.append(now)
        count = len(self._deaths)
        if count > LIMIT:
            return None
        return 0.0 if count == 1 else min(0.5 * 2 ** (count - 1), _LONGEST)
