"""Tasks as containers of Docker, or of Podman, on this machine.

What is true of a task Docker knows, and the task's folder on the host; so any number of portals, one after
another, see the same tasks. Docker itself says that a name is taken, so nothing is started twice.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiodocker
import structlog

from drybench import gpus as choosing
from drybench.engines import (
    docker_container,
    docker_files,
    docker_log,
    docker_slots,
    host_mounts,
    host_zone,
    local_claiming,
)
from drybench.engines.base import THIS_MACHINE, Capabilities, Handle, Room
from drybench.engines.docker_connection import ask, connect, part
from drybench.engines.docker_container import Place, name_of
from drybench.engines.docker_events import Events
from drybench.engines.docker_images import OF_ENVIRONMENT, Images
from drybench.engines.docker_keeping import Keeping
from drybench.engines.docker_looking import Container, Looking
from drybench.engines.local_claiming import Claimed
from drybench.engines.local_folder import TaskFolder
from drybench.errors import (
    ContainerRefused,
    DiskFull,
    DockerAway,
    DrybenchError,
    MachineTooSmall,
    NoImage,
    ReadyGone,
    TaskNotStarted,
)
from drybench.model import READY, SESSION, Account, Gpu, Task
from drybench.phases import Reason, Seen, Sight
from drybench.quantities import bytes_in_words
from drybench.within import within

log = structlog.get_logger("docker")

LOOK_FOR_ADDRESS = 0.05
BACK_WITHIN = 1.5  # seconds
LONGER_THAN_GRACE = 30.0  # seconds for Docker's answer to a stop
DAY = 24 * 3600.0
NO_ROOM = "no space left on device"


class DockerEngine:
    name = "docker"

    def __init__(
        self,
        tasks: Path,
        *,
        url: str,
        bench_id: str,
        cores: float,
        memory: int,
        gpus: Sequence[Gpu] = (),
        network: str | None = None,
        guard: Callable[[], Awaitable[object]] | None = None,
        runner: Path | None = None,
        certificates: Path | None = None,
        keep_stopped: float = DAY,
    ) -> None:
        self.can = Capabilities(
            images=True,
            gpus=bool(gpus),
            mounts=True,
            addresses=True,
            ready=docker_slots.work(tasks, url),
            own_network=True,
            machine=THIS_MACHINE,
        )
        self._tasks = tasks
        self._url = url
        self._bench_id = bench_id
        self._room = Room(cores, memory, tuple(gpus))
        self._network = network
        self._guard = guard  # back when the network is there, and others are safe from what is on it
        self._runner = runner
        self._certificates = certificates
        self._account = Account(os.getuid(), os.getgid())
        self._client: aiodocker.Docker | None = None
        self._images = Images()
        self._looking = Looking(bench_id)
        self._keeping = Keeping(tasks, bench_id, keep_stopped)
        self._events = Events(bench_id)
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._asked_to_stop: dict[str, float] = {}  # with this grace, and Docker is at it
        self._without_address: set[str] = set()  # or, of ready ones, without their door
        self._slots: set[Path] = set()  # of those that stood ready, and perhaps were not used yet

    def check(self, task: Task) -> None:
        if not task.image:
            raise NoImage()
        if task.memory > self._room.memory:
            raise MachineTooSmall(asked=bytes_in_words(task.memory), most=bytes_in_words(self._room.memory))
        if task.cores > self._room.cores:
            raise MachineTooSmall(asked=f"{task.cores:g} cores", most=f"{self._room.cores:g}")
        choosing.check(task, self._room.gpus)
        docker_container.account_of(task, self._account)
        docker_container.check_mounts(task.mounts, self._sockets())

    async def prepare(self, task: Task) -> str:
        self.check(task)
        image = str(task.image)
        try:
            if self._guard:
                await self._guard()
            known = await self._images.known(self._docker, image)
            return "" if known is not None else await self._images.waits(self._docker, image)
        except DockerAway as problem:
            return problem.sentence

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        self.check(task)
        folder = self._folder(task.id)
        if folder.link:
            with suppress(ReadyGone):
                return await self.claim({"format": 1, "task": folder.path.name}, task, env)
        await self._begin(task, env, folder)
        waits = {"ready": True} if task.kind == READY else {}
        if task.needs_address or waits:
            self._without_address.add(task.id)
        return {"format": 1, "task": task.id, **waits, **await self._made_from(str(task.image))}

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        folders = [TaskFolder.of(self._tasks, handle.get("task")) for handle in handles]
        self._events.know({folder.path.name: folder.link.name for folder in folders if folder and folder.link})
        known = zip(handles, folders, strict=True)
        self._slots.update(docker_slots.of(folder) for handle, folder in known if folder and handle.get("ready"))
        starting = self._being_started()  # before the list is: one that is there a moment later is not on it
        try:
            containers = await self._looking.all(self._docker)
        except (DrybenchError, aiodocker.DockerError) as problem:
            return [Sight(Seen.UNREACHABLE, detail=str(problem)) for _ in handles]
        self._keeping.begin_sweep(self._docker)
        starting |= self._being_started()
        sights = [
            self._look(handle, folder, containers, starting) for handle, folder in zip(handles, folders, strict=True)
        ]
        return list(await asyncio.gather(*sights))

    async def changes(self) -> AsyncIterator[str]:
        """Docker tells; an address is looked for while somebody waits for one."""
        self._events.begin(self._docker)
        while True:
            with suppress(TimeoutError):
                yield await within(LOOK_FOR_ADDRESS if self._without_address else None, self._events.next())
            for id in await asyncio.to_thread(self._new_addresses):
                self._without_address.discard(id)
                yield id

    async def stop(self, handle: Handle, grace: float) -> None:
        """Docker waits for the end of the grace, so its answer is waited for behind our back.

        If the portal dies meanwhile, Docker goes on with it; in any case it is asked again.
        """
        folder = TaskFolder.of(self._tasks, handle.get("task"))
        if folder is None:
            return
        job = asyncio.create_task(self._stop_safely(folder.path.name, grace))
        self._stopping.add(job)
        job.add_done_callback(self._stopping.discard)

    async def forget(self, handle: Handle) -> None:
        folder = TaskFolder.of(self._tasks, handle.get("task"))
        if folder is None:
            return
        id, called = folder.path.name, folder.link.name if folder.link else folder.path.name
        self._without_address.discard(called)
        await _end(self._starting.pop(id, None))
        container = await self._looking.one(self._docker, id)
        if container is not None:
            await self._stop(id, 0)
        await self._keeping.clear(self._docker, container, folder, called)
        self._slots.discard(docker_slots.of(folder))
        self._events.tell(id)

    async def claim(self, handle: Handle, task: Task, env: Mapping[str, str]) -> Handle:
        """What of its mounts the ready one has not is shown in its slot; where that cannot be, it is of no use."""
        ready = TaskFolder.of(self._tasks, handle.get("task"))
        if ready is None or not await asyncio.to_thread(local_claiming.point_to, self._tasks, task.id, ready):
            return await self.start(task, env)
        self._events.know({ready.path.name: task.id})
        self._without_address.discard(ready.path.name)
        container = await self._looking.one(self._docker, ready.path.name)
        if not await self._given(container, ready, task, env):
            await self._clear_unclaimed(handle, ready, task.id)
        if task.needs_address:
            self._without_address.add(task.id)
        return {"format": 1, "task": task.id}

    async def logs(self, handle: Handle, since: int = 0) -> AsyncIterator[bytes]:
        folder = TaskFolder.of(self._tasks, handle.get("task"))
        if folder is None:
            return
        container = await self._looking.one(self._docker, folder.path.name)
        pieces = (
            docker_log.of_container(self._docker, container.id, since)
            if container is not None
            else docker_log.kept(folder.path, since)
        )
        async for piece in pieces:
            yield piece

    async def room(self) -> Room:
        return self._room

    async def close(self) -> None:
        """What stands ready and was not used ends with us: its slot would stay mounted, and without it is of no use."""
        for job in (*self._starting.values(), *self._stopping):
            await _end(job)
        for slot in self._slots:
            if await asyncio.to_thread(host_mounts.is_slot, slot):
                await self._let_end(slot)
        await self._images.close()
        await self._keeping.close()
        await self._events.close()
        if self._client is not None:
            await self._client.close()

    @property
    def _docker(self) -> aiodocker.Docker:
        if self._client is None:
            self._client = connect(self._url)
        return self._client

    def _sockets(self) -> list[str]:
        return [self._url.removeprefix("unix://")] if self._url.startswith("unix://") else []

    def _folder(self, id: str) -> TaskFolder:
        folder = TaskFolder.of(self._tasks, id)
        if folder is None:
            raise TaskNotStarted(cause=f"{id} is no id of a task")
        return folder

    async def _begin(self, task: Task, env: Mapping[str, str], folder: TaskFolder) -> None:
        """A machine that is busy takes longer than anybody is to wait here: then it goes on behind the handle."""
        job = self._starting.get(task.id)
        if job is None or job.done():
            job = self._starting[task.id] = asyncio.create_task(self._start_alone(task, env, folder))
        await asyncio.wait({job}, timeout=BACK_WITHIN)
        if job.done():
            self._starting.pop(task.id, None)
            await job

    async def _start_alone(self, task: Task, env: Mapping[str, str], folder: TaskFolder) -> None:
        try:
            async with docker_files.one_at_a_time(folder):
                await self._start_or_find(task, env, folder)
        except OSError as problem:
            raise TaskNotStarted(cause=problem.strerror or str(problem)) from problem

    def _being_started(self) -> set[str]:
        return {id for id, job in self._starting.items() if not job.done()}

    async def _look(
        self, handle: Handle, folder: TaskFolder | None, containers: Mapping[str, Container], starting: Collection[str]
    ) -> Sight:
        if folder and handle.get("claimed") and local_claiming.whose(folder, str(handle["task"])) is not Claimed.TAKEN:
            return Sight(Seen.UNKNOWN)  # what is there is not yet this task
        job = self._starting.get(folder.path.name) if folder else None
        if job is not None and job.done() and (problem := job.exception()):  # nobody waited for it any more
            return Sight(Seen.ENDED, detail=str(problem), reason=Reason.START_FAILED)
        return await self._looking.look(self._docker, folder, containers, starting, waits=bool(handle.get("ready")))

    async def _start_or_find(self, task: Task, env: Mapping[str, str], folder: TaskFolder) -> None:
        container = await self._looking.one(self._docker, task.id)
        if container is not None and container.has_begun:
            return
        try:
            await asyncio.to_thread(self._check_links, task)
            image = await self._images.known(self._docker, str(task.image))
            place = self._place(task, folder, image or {})
            self._slots |= {place.slot} if place.slot else set()
            await asyncio.to_thread(docker_files.make, folder, task, place, env)
            below = await asyncio.to_thread(host_mounts.read_only_below, task.mounts)
            await self._create(replace(task, mounts=(*task.mounts, *below)), place)
            await ask(self._docker, f"containers/{name_of(task.id)}/start", "POST")
        except aiodocker.DockerError as problem:
            await self._unmake(task.id)
            raise _refusal(task, problem) from problem

    async def _made_from(self, image: str) -> dict[str, str]:
        """A name may mean another image tomorrow."""
        known = None if image.startswith("sha256:") else await self._images.known(self._docker, image)
        return {"image": known["Id"]} if known else {}

    def _check_links(self, task: Task) -> None:
        """Where they lead only the disk knows."""
        led = [replace(mount, source=mount.source.resolve()) for mount in task.mounts]
        docker_container.check_mounts(led, [str(Path(socket).resolve()) for socket in self._sockets()])

    def _place(self, task: Task, folder: TaskFolder, image: Mapping[str, Any]) -> Place:
        labels = part(image, "Config", "Labels")
        return Place(
            bench_id=self._bench_id,
            folder=folder.path,
            account=docker_container.account_of(task, self._account),
            home=docker_container.home_of(task),
            network=self._network,
            runner=None if OF_ENVIRONMENT in labels else self._runner,
            certificates=self._certificates,
            claims_from=os.geteuid(),
            slot=docker_slots.of(folder) if task.kind == READY and self.can.ready else None,
            stacks=docker_container.of_stacks(image),
            zone=None if docker_container.has_a_zone(image) else host_zone.here(),
        )

    async def _create(self, task: Task, place: Place) -> None:
        """Docker refuses a name that is taken: it was made before, by one who was killed before it was started."""
        try:
            body = docker_container.body(task, place)
            await ask(self._docker, "containers/create", "POST", params={"name": name_of(task.id)}, body=body)
        except aiodocker.DockerError as problem:
            if problem.status != 409 and "already in use" not in problem.message:
                raise

    async def _unmake(self, id: str) -> None:
        """So that it is not taken for one that a crash left, and started again for ever."""
        with suppress(aiodocker.DockerError, DockerAway):
            container = await self._looking.one(self._docker, id)
            if container is not None and not container.has_begun:
                await ask(self._docker, f"containers/{container.id}", "DELETE", params={"v": True})

    async def _let_end(self, slot: Path) -> None:
        with suppress(DrybenchError, aiodocker.DockerError):  # it may never have begun
            named = f"containers/{name_of(slot.parent.name)}"
            await ask(self._docker, f"{named}/kill", "POST", params={"signal": "SIGTERM"})
        await asyncio.to_thread(host_mounts.clear, slot)

    async def _stop_safely(self, id: str, grace: float) -> None:
        with suppress(DockerAway):
            try:
                await self._stop(id, grace)
            except aiodocker.DockerError as problem:
                log.warning("could not stop", task=id, cause=problem.message)

    async def _stop(self, id: str, grace: float) -> None:
        """Back when it has ended. Asked again meanwhile it must not begin anew; but a shorter grace counts."""
        container = await self._looking.one(self._docker, id)
        if container is None or not container.runs or self._asked_to_stop.get(id, math.inf) <= grace > 0:
            return
        self._asked_to_stop[id] = grace
        try:
            await container.stop(self._docker, grace)
        finally:
            self._asked_to_stop.pop(id, None)

    async def _given(self, container: Container | None, ready: TaskFolder, task: Task, env: Mapping[str, str]) -> bool:
        """Whether it says that it has taken the work, now or before."""
        if container is None:
            return await asyncio.to_thread(local_claiming.whose, ready, task.id) is Claimed.TAKEN
        async with docker_files.one_at_a_time(ready):
            whose = await asyncio.to_thread(local_claiming.whose, ready, task.id)
            if whose is Claimed.NOT_TAKEN and await self._is_as_for(container, ready, task):
                given = {**docker_container.given_with_a_claim(task), **env}
                whose = await asyncio.to_thread(local_claiming.give, ready, task, given)
            return whose is Claimed.TAKEN

    async def _is_as_for(self, container: Container, ready: TaskFolder, task: Task) -> bool:
        """Before it takes the work, so that nobody who is killed in between leaves it halfway."""
        try:
            if task.kind == SESSION:
                await asyncio.to_thread(docker_files.name_anew, ready, task, self._place(task, ready, {}))
            return all(await asyncio.gather(self._becomes(container, task), self._sees(container, ready, task)))
        except OSError as problem:
            log.warning("a ready container could not be shown its work", task=task.id, cause=str(problem))
            return False

    async def _sees(self, container: Container, ready: TaskFolder, task: Task) -> bool:
        """Everything that this task wants."""
        lacks = await self._looking.lacks(self._docker, container, task, docker_slots.of(ready))
        if not lacks.mounts:
            return True
        await asyncio.to_thread(self._check_links, task)
        return await asyncio.to_thread(docker_slots.fill, ready, lacks.slot, lacks.mounts, lacks.process)

    async def _clear_unclaimed(self, handle: Handle, ready: TaskFolder, id: str) -> None:
        """It has ended, or must, before it could take the work after all; then only what it wrote down counts."""
        whose = await asyncio.to_thread(local_claiming.whose, ready, id)
        if whose is Claimed.NOT_TAKEN:
            await self._stop(ready.path.name, 0)
            whose = await asyncio.to_thread(local_claiming.whose, ready, id)
        if whose is Claimed.TAKEN:
            return
        await asyncio.to_thread((self._tasks / id).unlink, missing_ok=True)  # another portal may have found the same
        if whose is Claimed.NOT_TAKEN:
            await self.forget(handle)
        raise ReadyGone()

    async def _becomes(self, container: Container, task: Task) -> bool:
        """Whether its limits are those of its task from now on; a run's were from the start. It gets its name too."""
        path, name = f"containers/{container.id}", {"name": name_of(task.id)}
        become = [ask(self._docker, f"{path}/update", "POST", body=docker_container.limits(task))]
        if container.name != name["name"]:
            become.append(ask(self._docker, f"{path}/rename", "POST", params=name))
        updated, *renamed = await asyncio.gather(*become, return_exceptions=True)
        for answer in (updated, *renamed):
            if isinstance(answer, BaseException):
                log.info("a claimed container stays as it was", task=task.id, cause=str(answer))
        return task.kind != SESSION or not isinstance(updated, BaseException)

    def _new_addresses(self) -> list[str]:
        folders = {id: TaskFolder.of(self._tasks, id) for id in list(self._without_address)}
        return [id for id, folder in folders.items() if folder and (folder.port() is not None or folder.has_door())]


async def _end(job: asyncio.Task[None] | None) -> None:
    if job is not None:
        job.cancel()
        await asyncio.wait({job})
        if not job.cancelled():
            job.exception()  # looked at, or asyncio complains that nobody did


def _refusal(task: Task, problem: aiodocker.DockerError) -> DrybenchError:
    """What would be refused for ever is told from what may go another time."""
    if NO_ROOM in problem.message:
        return DiskFull()
    if 400 <= problem.status < 500 and problem.status not in (404, 409):
        return ContainerRefused(image=task.image, why=problem.message)
    return TaskNotStarted(cause=problem.message)
