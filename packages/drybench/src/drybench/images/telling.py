"""Pages hear of builds: of those of this process, and of those that a command line has begun."""

from __future__ import annotations

import asyncio

import structlog

from drybench.changes import Change, Changes
from drybench.images.bringing import ENVIRONMENT
from drybench.images.records import Build, Builds

log = structlog.get_logger("images")

WHILE_BUILDING, OTHERWISE = 0.7, 3.0  # seconds between two looks
BUILD = "build"  # as changes call it
LOOKED_AT = 5  # builds; older ones have ended
ANYBODY = ""  # everybody's pages may want to know

Seen = tuple[Build, int]  # and how far its log has been seen


class TellingOfBuilds:
    def __init__(self, builds: Builds, changes: Changes) -> None:
        self._builds = builds
        self._changes = changes
        self._known: dict[str, Seen] | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                going_on = await asyncio.to_thread(self.look)
            except Exception:
                log.exception("builds could not be looked at")
                going_on = False
            await asyncio.sleep(WHILE_BUILDING if going_on else OTHERWISE)

    def look(self) -> bool:
        """Whether one goes on. Of what was there before the first look nobody is told."""
        builds, first = self._builds.all(LOOKED_AT), self._known is None
        known = self._known or {}
        self._known = {build.id: (build, self._size(build, known.get(build.id))) for build in builds}
        for build in builds:
            if not first and known.get(build.id) != self._known[build.id]:
                self._tell(build, new=build.id not in known)
        return any(not build.is_over for build in builds)

    def _size(self, build: Build, known: Seen | None) -> int:
        """How far its log has been seen."""
        if known is not None and known[0].is_over:
            return known[1]
        since = known[1] if known else 0
        return since + len(self._builds.log(build.id, since))

    def _tell(self, build: Build, new: bool) -> None:
        self._changes.tell(Change(BUILD, build.id, ANYBODY))
        if build.is_over or new:
            self._changes.tell(Change(ENVIRONMENT, build.environment, ANYBODY))
