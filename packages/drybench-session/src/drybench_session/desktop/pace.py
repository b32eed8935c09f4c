"""How many pictures a second a narrow line gets. Pure.

Video cannot leave a picture out: each tells only what changed since the one before. So where a viewer has not yet seen
too many of those that were sent, nothing more goes out until they have, and then a whole one is due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

IN_FLIGHT = 6  # pictures: a tenth of a second at full rate
FASTEST, SLOWEST = 60.0, 8.0  # a second
EASED_AFTER = 2.0  # seconds without a jam


@dataclass(frozen=True)
class Pace:
    rate: float = FASTEST
    sent: int = 0
    seen: int = 0
    jammed: bool = False  # what goes out next must be whole
    changed_at: float = 0.0

    @property
    def is_full(self) -> bool:
        return self.sent - self.seen >= IN_FLIGHT

    def offered(self, whole: bool, now: float) -> tuple[Pace, bool]:
        """A picture is there: whether it goes out."""
        if self.is_full:
            slower = self if self.jammed else replace(self, rate=max(SLOWEST, self.rate * 2 / 3), changed_at=now)
            return replace(slower, jammed=True), False
        if self.jammed and not whole:
            return self, False
        return replace(self, sent=self.sent + 1, jammed=False), True

    def shown(self, number: int, now: float) -> Pace:
        """A viewer says how many they have seen; more than were sent is nonsense, and less than before is old."""
        seen = max(self.seen, min(number, self.sent))
        if self.rate < FASTEST and not self.jammed and now - self.changed_at > EASED_AFTER:
            return replace(self, seen=seen, rate=min(FASTEST, self.rate * 1.25), changed_at=now)
        return replace(self, seen=seen)
