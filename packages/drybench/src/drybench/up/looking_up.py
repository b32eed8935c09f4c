"""`drybench status`: is it up, and which of its parts answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drybench import settings
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.errors import NotUp
from drybench.up import answering
from drybench.up.supervising import who_is_up


@dataclass(frozen=True)
class Found:
    url: str
    supervisor: int  # its pid
    answers: dict[str, bool]

    @property
    def well(self) -> bool:
        return all(self.answers.values())

    @property
    def lines(self) -> Iterator[str]:
        yield f"Up at {self.url} (process {self.supervisor})"
        for part, does in self.answers.items():
            yield f"{part:<7} {'answers' if does else 'does not answer'}"


def look(data: DataFolder, settings_file: Path | None = None) -> Found:
    supervisor = who_is_up(data)
    if supervisor is None or not data.bench.exists():
        raise NotUp(data=data.path)
    here = Addresses.load(data.bench)
    tls = bool(settings.load(data, settings_file).tls.certificate)
    asked = {question.part: answering.answers(question) for question in answering.questions(here, tls)}
    return Found(here.public, supervisor.pid, asked)
