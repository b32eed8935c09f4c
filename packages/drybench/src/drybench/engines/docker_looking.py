"""Looking at containers: one question for all of a bench, and a second one only for what cannot be seen by it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp

from drybench.engines.docker_connection import ask, part, parts
from drybench.engines.docker_container import BENCH_LABEL, KEPT, KIND_LABEL, NAME, TASK_LABEL
from drybench.engines.docker_leavings import moment
from drybench.engines.docker_usage import Usage
from drybench.engines.local_folder import TaskFolder
from drybench.model import READY, RUN, Mount, Task
from drybench.phases import Reason, Seen, Sight

NOT_BEGUN = ("created", "configured", "initialized")
REMOVED = "removing"  # whether it ever began or not
NEVER = "0001-"  # the year in which Docker says that it began
RUNS = ("running", "paused", "restarting", "stopping")
KILLED = 128 + 9
SENT_WITHIN = 30.0


@dataclass(frozen=True)
class Container:
    """As a list of containers shows it."""

    id: str
    name: str
    task: str
    kind: str
    state: str
    ip: str | None

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Container:
        networks, labels = part(shown, "NetworkSettings", "Networks"), part(shown, "Labels")
        return cls(
            id=shown["Id"],
            name=(shown.get("Names") or [""])[0].lstrip("/"),
            task=labels.get(TASK_LABEL, ""),
            kind=labels.get(KIND_LABEL, ""),
            state=str(shown.get("State", "")).lower(),
            ip=next((ip for name in networks if (ip := part(networks, name).get("IPAddress"))), None),
        )

    @property
    def has_begun(self) -> bool:
        return self.state not in NOT_BEGUN

    @property
    def runs(self) -> bool:
        return self.state in RUNS

    @property
    def is_kept(self) -> bool:
        return self.name.startswith(KEPT)

    async def stop(self, docker: aiodocker.Docker, grace: float) -> None:
        """Back when it has ended. One that is gone already has."""
        within = aiohttp.ClientTimeout(total=grace + SENT_WITHIN)
        try:
            await ask(docker, f"containers/{self.id}/stop", "POST", params={"t": math.ceil(grace)}, within=within)
        except aiodocker.DockerError as problem:
            if problem.status != 404:
                raise


@dataclass(frozen=True)
class Lacks:
    mounts: Sequence[Mount]
    slot: Path | None  # as the container sees it
    process: int  # its first one; 0: there is none


class Looking:
    def __init__(self, bench_id: str) -> None:
        self._bench = f"{BENCH_LABEL}={bench_id}"
        self._usage = Usage()
        self._ended: dict[str, Sight] = {}  # nothing changes that any more

    async def all(self, docker: aiodocker.Docker) -> Mapping[str, Container]:
        """By their tasks."""
        containers = await self._list(docker, [self._bench, TASK_LABEL])
        ids = [container.id for container in containers]
        self._usage.only(ids)
        for id in self._ended.keys() - set(ids):
            del self._ended[id]
        return {container.task: container for container in containers}

    async def one(self, docker: aiodocker.Docker, task: str) -> Container | None:
        found = await self._list(docker, [self._bench, f"{TASK_LABEL}={task}"])
        return found[0] if found else None

    async def look(
        self,
        docker: aiodocker.Docker,
        folder: TaskFolder | None,
        containers: Mapping[str, Container],
        starting: Collection[str],
        waits: bool,
    ) -> Sight:
        container = containers.get(folder.path.name) if folder else None
        if folder is None or container is None:
            return Sight(Seen.STARTING if folder and folder.path.name in starting else Seen.UNKNOWN)
        try:
            return await self._look_at(docker, folder, container, starting, waits)
        except aiodocker.DockerError as problem:  # it was removed between the two questions
            return Sight(Seen.UNKNOWN if problem.status == 404 else Seen.UNREACHABLE)
        except OSError as problem:
            return Sight(Seen.UNREACHABLE, detail=problem.strerror or "")

    async def lacks(self, docker: aiodocker.Docker, container: Container, task: Task, slot: Path) -> Lacks:
        """What this task wants and that container did not start with."""
        shown = await self._inspect(docker, container.id)
        has = {(one.get("Source"), one.get("Destination"), not one.get("RW")) for one in parts(shown, "Mounts")}
        mounts = [one for one in task.mounts if (str(one.source), str(one.target), one.read_only) not in has]
        inside = next((Path(str(there)) for source, there, _ in has if source == str(slot)), None)
        return Lacks(mounts, inside, part(shown, "State").get("Pid") or 0)

    async def _look_at(
        self,
        docker: aiodocker.Docker,
        folder: TaskFolder,
        container: Container,
        starting: Collection[str],
        waits: bool,
    ) -> Sight:
        """One that was made and never started was left by a crash: there is nothing that runs."""
        not_begun = Sight(Seen.STARTING if container.task in starting else Seen.UNKNOWN)
        if not container.has_begun:
            return not_begun
        if not container.runs:
            if container.id not in self._ended:
                state = (await self._inspect(docker, container.id))["State"]
                if container.state == REMOVED and str(state.get("StartedAt")).startswith(NEVER):
                    return not_begun
                self._ended[container.id] = _ended(container.kind, state)
            return self._ended[container.id]
        if not self._usage.knows(container.id):
            self._usage.learn(container.id, (await self._inspect(docker, container.id))["State"].get("Pid") or 0)
        return await asyncio.to_thread(self._alive, folder, container, waits)

    def _alive(self, folder: TaskFolder, container: Container, waits: bool) -> Sight:
        memory, cpu = self._usage.of(container.id)
        port = folder.port()
        return Sight(
            Seen.RUNNING if folder.has_door() or not waits else Seen.STARTING,
            address=f"http://{container.ip}:{port}" if port and container.ip else None,
            memory=memory,
            cpu=cpu,
        )

    async def _list(self, docker: aiodocker.Docker, labels: Sequence[str]) -> list[Container]:
        params = {"all": True, "filters": {"label": list(labels)}}
        shown = await ask(docker, "containers/json", params=params)
        found = map(Container.of, shown)
        return [one for one in found if one.name.startswith(NAME) and not one.is_kept]  # labels come with images, too

    async def _inspect(self, docker: aiodocker.Docker, id: str) -> Mapping[str, Any]:
        return await ask(docker, f"containers/{id}/json")


def _ended(kind: str, state: Mapping[str, Any]) -> Sight:
    """A kernel that took too much memory ends a run. In a session it does not: there only its own end counts."""
    if _was_cut_off(state, _boot_time()):
        return Sight(Seen.ENDED, reason=Reason.MACHINE_GONE)
    code = state.get("ExitCode")
    out_of_memory = bool(state.get("OOMKilled")) and (kind in (RUN, READY) or code == KILLED)
    return Sight(Seen.ENDED, exit_code=code, reason=Reason.OUT_OF_MEMORY if out_of_memory else None)


def _was_cut_off(state: Mapping[str, Any], boot: datetime) -> bool:
    """It began before this machine did, and its end was noticed after: nobody knows how it ended."""
    began, ended = moment(state.get("StartedAt")), moment(state.get("FinishedAt"))
    return began is not None and ended is not None and began < boot < ended


def _boot_time() -> datetime:
    lines = Path("/proc/stat").read_text().splitlines()
    seconds = next(int(line.split()[1]) for line in lines if line.startswith("btime"))
    return datetime.fromtimestamp(seconds, UTC)
