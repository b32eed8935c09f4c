"""Builds the image of an environment, and first those of what it is built on; or gets it from where it is shared."""

# pyright: standard

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, closing, suppress
from pathlib import Path

import aiohttp
from aiodocker import Docker, DockerError

from drybench import own_packages
from drybench.catalogue import Catalogue
from drybench.engines.docker_connection import away
from drybench.engines.docker_registry import Pulling, signed_in
from drybench.environment_files import Recipe
from drybench.environment_folders import REPOSITORY, parents
from drybench.errors import (
    BuildCancelled,
    BuildFailed,
    CertificateUnknown,
    DockerAway,
    DrybenchError,
    ImageNotHad,
    NoMemoryForBuild,
    NoRegistry,
    NoRoomForImage,
    NothingToBuild,
    StepFailed,
)
from drybench.images import streams
from drybench.images.context import Options, arguments, own_wheels, write_context
from drybench.images.known import ENVIRONMENT, RUNNER, SOURCE, Connect, Images
from drybench.images.records import Build, Builds, Writer
from drybench.images.steps import Steps
from drybench.images.turns import Turn, locked
from drybench.quantities import bytes_in_words

LONGEST_TOLD = 200  # letters of a command, or of a line that it said; the log has all
_COMMAND = re.compile(r"^The command '.*'(?= returned)")
LOOK_AGAIN = 0.2  # seconds, at a lock that somebody else holds
KILLED = "returned a non-zero code: 137"
SHARES = 64  # of a core's 1024: whoever sits before a session does not notice

NetworkOf = Callable[[Recipe], Awaitable[str]]  # for what its steps run; empty: the engine's own


class Building:
    """The one way to an image: for the page, the API and the command line. `folder` is DATA/images."""

    def __init__(
        self,
        catalogue: Catalogue,
        images: Images,
        builds: Builds,
        options: Options,
        connect: Connect,
        folder: Path,
        network: NetworkOf | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._images = images
        self._builds = builds
        self._options = options
        self._connect = connect
        self._folder = folder
        self._network = network
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by the build's id

    def begin(self, name: str, fresh: bool = False, pull: bool = False) -> Build:
        """In the background of this process. One that goes on already is the one that is asked for."""
        newest = self._builds.newest(name)
        if newest and not newest.is_over:
            return newest
        writer = self._writer(name, fresh, pull)
        id = writer.build.id
        self._tasks[id] = asyncio.create_task(_drained(self._recorded(writer)))
        self._tasks[id].add_done_callback(lambda _: self._tasks.pop(id, None))
        return writer.build

    async def cancel(self, id: str) -> None:
        """Back when it has ended. One of another process goes on."""
        if task := self._tasks.get(id):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def build(self, name: str, fresh: bool = False, pull: bool = False) -> AsyncGenerator[str]:
        """Its log, line by line, and an error at the end where it failed. To close it is to cancel the build."""
        await asyncio.to_thread(self._catalogue.reread)
        async with aclosing(self._recorded(self._writer(name, fresh, pull))) as lines:
            async for line in lines:
                yield line

    async def close(self) -> None:
        """End those that go on here."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _writer(self, name: str, fresh: bool, pull: bool) -> Writer:
        recipe = self._catalogue.recipe(name)
        _refuse_without_way(recipe, pull, self._options.registry)
        return self._builds.begin(name, recipe.environment.image or "", fresh, pull)

    async def _recorded(self, writer: Writer) -> AsyncGenerator[str]:
        name = writer.build.environment
        try:
            async with aclosing(self._lines(writer)) as lines:
                async for line in lines:
                    writer.say(line)
                    yield line
            await self._images.look()
            writer.end("done", digest=self._images.digest(writer.build.image) or "")
        except DrybenchError as error:
            writer.say(error.sentence)
            writer.end("failed", problem=error.sentence)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            cancelled = BuildCancelled(name=name).sentence
            writer.say(cancelled)
            writer.end("cancelled", problem=cancelled)
            raise
        except Exception as error:
            writer.end("failed", problem=str(error))
            raise

    async def _lines(self, writer: Writer) -> AsyncGenerator[str]:
        await asyncio.to_thread(self._catalogue.reread)
        recipe = self._catalogue.recipe(writer.build.environment)
        writer.note(image=recipe.environment.image)
        async with self._docker() as docker:
            if writer.build.pull:
                async with aclosing(self._pulled(docker, recipe, writer)) as lines:
                    async for line in lines:
                        yield line
                return
            recipes = self._catalogue.recipes()
            for one in (*reversed(parents(recipe, recipes)), recipe):
                async with aclosing(self._built(docker, one, writer, one is recipe)) as lines:
                    async for line in lines:
                        yield line

    async def _built(self, docker: Docker, recipe: Recipe, writer: Writer, asked: bool) -> AsyncGenerator[str]:
        fresh = asked and writer.build.fresh
        image = recipe.environment.image or ""
        async with self._alone(image, writer) as waited:
            if not fresh and await _is_here(docker, image):
                yield f"{recipe.name}: {image} is here" + (" now" if waited else "")
                return
            if not recipe.dockerfile:
                async with aclosing(self._pulled(docker, recipe, writer)) as lines:
                    async for line in lines:
                        yield line
                return
            async with aclosing(self._in_turn(docker, recipe, writer, fresh)) as lines:
                async for line in lines:
                    yield line
            if not await _is_here(docker, image):
                raise DockerAway

    async def _in_turn(self, docker: Docker, recipe: Recipe, writer: Writer, fresh: bool) -> AsyncGenerator[str]:
        with closing(Turn(self._folder / "locks", self._builds, writer, self._options.at_once)) as turn:
            if not turn.take(recipe.name):
                yield f"{recipe.name}: waiting in line, for {self._options.at_once} may build at a time"
                while not turn.take(recipe.name):
                    await asyncio.sleep(LOOK_AGAIN)
            yield f"{recipe.name}: building {recipe.environment.image}"
            async with aclosing(self._steps(docker, recipe, writer, fresh)) as lines:
                async for line in lines:
                    yield line

    async def _steps(self, docker: Docker, recipe: Recipe, writer: Writer, fresh: bool) -> AsyncGenerator[str]:
        steps = Steps()
        wheels = await asyncio.to_thread(own_wheels, self._folder)
        with tempfile.TemporaryFile(dir=self._folder) as sent:
            await asyncio.to_thread(write_context, recipe, wheels, self._options, sent)
            network = await self._network(recipe) if self._network else ""
            asked = {**self._asked(recipe, fresh), **({"networkmode": network} if network else {})}
            said = streams.building(docker, sent, asked)
            try:
                async with aclosing(said):
                    async for one in said:
                        for line in steps.hear(one):
                            yield line
                        writer.note_step(steps.step, steps.steps, steps.doing)
            except DockerError as error:
                if away(error):
                    raise
                raise _failed(recipe, steps, error.message, writer.log_file, self._options.memory) from error
            finally:
                for line in steps.end():
                    writer.say(line)
                writer.note(layers=(*writer.build.layers, *steps.layers))

    def _asked(self, recipe: Recipe, fresh: bool) -> dict[str, str]:
        return {
            "t": recipe.environment.image or "",
            "nocache": str(fresh).lower(),
            "rm": "true",
            "forcerm": "true",
            "memory": str(self._options.memory),
            "memswap": str(self._options.memory),  # no swap beside it
            "cpushares": str(SHARES),
            "buildargs": json.dumps(arguments(recipe, self._parent(recipe), self._options)),
            "labels": json.dumps(_labels(recipe)),
        }

    def _parent(self, recipe: Recipe) -> str | None:
        on = recipe.environment.on
        return self._catalogue.recipes()[on].environment.image if on else None

    async def _pulled(self, docker: Docker, recipe: Recipe, writer: Writer) -> AsyncGenerator[str]:
        image = recipe.environment.image or ""
        writer.note(state="building", now=recipe.name, ahead=None)
        source = image
        if recipe.dockerfile:
            source = f"{self._options.registry}/{image.removeprefix(f'{REPOSITORY}/')}"
        pulling = Pulling()
        yield f"{recipe.name}: getting {source}"
        try:
            said = streams.pulling(docker, source, signed_in(source))
            async with aclosing(said):
                async for one in said:
                    for line in pulling.hear(one):
                        yield line
                    writer.note_step(pulling.have, pulling.all, "")
        except DockerError as error:
            if away(error):
                raise
            raise ImageNotHad(image=source, problem=error.message.strip(" .\n")) from error
        if source != image and await _is_here(docker, source):
            repository, _, tag = image.rpartition(":")
            await docker.images.tag(source, repository, tag=tag)
        if not await _is_here(docker, image):
            raise DockerAway

    @asynccontextmanager
    async def _docker(self) -> AsyncIterator[Docker]:
        try:
            async with self._connect() as docker:
                yield docker
        except (DockerError, aiohttp.ClientError, OSError) as error:
            if away(error):
                raise DockerAway from error
            if isinstance(error, DockerError):
                raise BuildFailed(name="it", problem=error.message, again="drybench images build") from error
            raise

    @asynccontextmanager
    async def _alone(self, image: str, writer: Writer) -> AsyncIterator[bool]:
        """One build of one image at a time, whichever process asks; whether it had to wait."""
        file, waited = self._folder / "locks" / image.replace("/", "_"), False
        while (lock := locked(file)) is None:
            if not waited:
                writer.note(state="waiting", now=image, ahead=None)  # out of line: who has it may be behind us there
            waited = True
            await asyncio.sleep(LOOK_AGAIN)
        try:
            yield waited
        finally:
            os.close(lock)


def _refuse_without_way(recipe: Recipe, pull: bool, registry: str) -> None:
    if recipe.environment.image is None:
        raise NothingToBuild(name=recipe.name, what=f"it is the Python environment {recipe.environment.python}")
    if pull and recipe.dockerfile and not registry:
        raise NoRegistry(name=recipe.name)
    if not pull and not recipe.dockerfile:
        raise NothingToBuild(name=recipe.name, what=f"it is the image {recipe.environment.image}")


def _labels(recipe: Recipe) -> dict[str, str]:
    tag = (recipe.environment.image or "").rpartition(":")[2]
    return {ENVIRONMENT: recipe.name, SOURCE: tag, RUNNER: own_packages.fingerprint()[: len(tag)]}


def _failed(recipe: Recipe, steps: Steps, problem: str, log: Path, memory: int) -> BuildFailed:
    problem = " ".join(problem.split()) or "it does not say why"
    if "no space left on device" in " ".join((problem, *steps.last)).lower():
        return NoRoomForImage(name=recipe.name, problem=problem)
    if memory and KILLED in problem:
        return NoMemoryForBuild(name=recipe.name, step=steps.step, steps=steps.steps, most=bytes_in_words(memory))
    if "CERTIFICATE_VERIFY_FAILED" in " ".join(steps.last):
        return CertificateUnknown(name=recipe.name, log=log)
    return StepFailed(
        name=recipe.name,
        step=steps.step,
        steps=steps.steps,
        doing=_brief(steps.doing or "reading its Dockerfile"),
        problem=_brief(_COMMAND.sub("it", problem)),
        last=" / ".join(map(_brief, steps.telling())) or "nothing",
        log=log,
    )


def _brief(words: str) -> str:
    return words if len(words) <= LONGEST_TOLD else f"{words[:LONGEST_TOLD]}…"


async def _is_here(docker: Docker, image: str) -> bool:
    try:
        await docker.images.inspect(image)
    except DockerError as error:
        if error.status == 404:
            return False
        raise
    return True


async def _drained(lines: AsyncGenerator[str]) -> None:
    """What goes wrong is in the record."""
    with suppress(DrybenchError):
        async with aclosing(lines):
            async for _ in lines:
                pass
