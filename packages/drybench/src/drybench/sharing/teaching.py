"""Who teaches which group: to them its members may show their desktops, side by side on one wall."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from drybench.model import Person


@dataclass(frozen=True)
class Teaching:
    """As the settings say it; the keeper may look wherever a teacher may."""

    teachers: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    keeper: Callable[[], str] = lambda: ""

    def by(self, person: Person) -> frozenset[str]:
        """The groups that they teach."""
        is_keeper = person.name == self.keeper()
        return frozenset(group for group, names in self.teachers.items() if is_keeper or person.name in names)

    def of(self, person: Person) -> Sequence[str]:
        """The groups in which they are taught."""
        return sorted((person.groups & self.teachers.keys()) - self.by(person))
