"""`drybench doctor`: looks at the machine, part by part. Here are the probes; `findings` says what they mean."""

from __future__ import annotations

import errno
import getpass
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from drybench import findings, own_machine
from drybench.addresses import Addresses
from drybench.containers import url_of
from drybench.data_folder import DataFolder
from drybench.engines import docker_slots
from drybench.findings import Finding, Toolkit
from drybench.model import Person
from drybench.people import permissions
from drybench.programs import Said, ask
from drybench.settings import Settings
from drybench.up.supervising import who_is_up

PATIENCE, CONTAINER_WITHIN = 10.0, 60.0  # seconds
NVIDIA = "0x10de"
MOST_OF_A_SPEC = 1 << 20
PCI = Path("/sys/bus/pci/devices")
DISPLAYS = ("0x0300", "0x0302")  # a screen's card, a card that computes only
CDI = (Path("/etc/cdi"), Path("/var/run/cdi"))


def examine(data: DataFolder, in_force: Settings, patience: float = PATIENCE) -> Sequence[Finding]:
    return [*_of_the_bench(data, in_force), *_of_containers(in_force, patience), *_of_the_pool(data, in_force)]


def as_text(found: Sequence[Finding]) -> Iterator[str]:
    """One line each; below what is not well, the command that shows it and what to do."""
    width = max(len(one.part) for one in found)
    for one in found:
        yield f"{one.stands:<13}  {one.part:<{width}}  {one.says}"
        if one.stands != "ok":
            yield from (f"{'':<{width + 17}}{word} {said}" for word, said in _more(one) if said)


def as_json(found: Sequence[Finding]) -> Iterator[str]:
    well = not any(one.ill for one in found)
    yield json.dumps({"well": well, "findings": [asdict(one) for one in found]}, indent=2, ensure_ascii=False)


def for_the_keeper(
    data: DataFolder, in_force: Settings, keeper: Callable[[], str]
) -> Callable[[Person], Sequence[Finding]]:
    """What it finds tells of the machine: nobody else's business."""

    def examine_for(person: Person) -> Sequence[Finding]:
        permissions.keeper_only(person, keeper(), "look into its machine")
        return examine(data, in_force)

    return examine_for


def _more(one: Finding) -> tuple[tuple[str, str], ...]:
    return (("see:", one.command), ("do: ", one.step))


def _of_the_bench(data: DataFolder, in_force: Settings) -> Iterator[Finding]:
    major, minor, micro, *_ = sys.version_info
    yield findings.python((major, minor, micro), f"{platform.system()} {platform.release()}")
    yield findings.disk(str(data.path), _free(data.path))
    number = Addresses.load(data.bench).port if data.bench.exists() else in_force.bench.port
    ours = who_is_up(data) is not None
    yield findings.port(number, not ours and _is_taken(in_force.bench.listen, number), ours)
    yield findings.desktop(own_machine.lacks_for_screens())
    if said := in_force.desktop.background:
        yield findings.background(said, Path(said).is_file())


def _of_containers(in_force: Settings, patience: float) -> Iterator[Finding]:
    needs_docker, needs_gpus = in_force.engines.docker.use == "always", _needs_gpus(in_force)
    env = _environ(in_force.engines.docker.socket)
    docker = ask(("docker", "version", "--format", "{{.Server.Version}}"), patience, env)
    listed = ("docker", "image", "ls", "drybench/*", "--format", "{{.Repository}}:{{.Tag}}")
    images = ask(listed, patience, env) if docker.well else None
    yield findings.docker(docker, getpass.getuser(), needs_docker)
    yield findings.image(images, needs_docker)
    shown = ask(("nvidia-smi", *own_machine.GPU_QUESTION), patience)
    numbered = own_machine.numbered_gpus(shown.text) if shown.well else []
    yield findings.driver(shown, _cards(), numbered, _named(in_force), needs_gpus)
    toolkit = Toolkit(shutil.which("nvidia-container-runtime-hook"), tuple(_specs()))
    in_containers = needs_gpus and needs_docker
    yield findings.toolkit(toolkit, in_containers, shown.here or _cards() > 0)
    yield _device(numbered != [], toolkit, images, env, in_containers)


def _of_the_pool(data: DataFolder, in_force: Settings) -> Iterator[Finding]:
    if any(in_force.ready.pool.values()):
        url = url_of(in_force.engines.docker)
        works = url is not None and docker_slots.work(data.tasks, url)
        yield findings.ready_sessions(works, os.geteuid() == 0)


def _device(driver: bool, toolkit: Toolkit, images: Said | None, env: dict[str, str], needed: bool) -> Finding:
    names = images.text.split() if images and images.well else []
    command = ("docker", "run", "--rm", "--network=none", "--gpus=all", "--entrypoint=", *names[:1], "nvidia-smi", "-L")
    words = " ".join(command if names else (*command[:-2], "IMAGE", *command[-2:]))
    if not driver or not (toolkit.hook or toolkit.specs):
        return findings.device(None, words, "The driver and the toolkit come first.", needed)
    if not names:
        return findings.device(None, words, "There is no image to look with.", needed)
    return findings.device(ask(command, CONTAINER_WITHIN, env), words, "", needed)


def _needs_gpus(in_force: Settings) -> bool:
    return any(size.gpus for size in in_force.sizes.values()) or bool(_named(in_force))


def _named(in_force: Settings) -> set[str]:
    """GPUs that the settings name one by one."""
    chosen = (in_force.engines.local.gpus, in_force.engines.docker.gpus)
    return {name for names in chosen if not isinstance(names, str) for name in names}


def _environ(docker_socket: str) -> dict[str, str]:
    return {**os.environ, **({"DOCKER_HOST": docker_socket} if docker_socket else {})}


def _free(folder: Path) -> int | None:
    """Of the disk that it will lie on, where it is not there yet."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    try:
        return shutil.disk_usage(there).free
    except OSError:
        return None


def _is_taken(address: str, port: int) -> bool:
    try:
        socket.create_server((address, port)).close()
    except OSError as problem:
        return problem.errno == errno.EADDRINUSE
    return False


def _cards() -> int:
    """NVIDIA's, as the machine itself sees them, with a driver or without."""
    return sum(_says(card / "vendor") == NVIDIA and _says(card / "class")[:6] in DISPLAYS for card in PCI.glob("*"))


def _specs() -> Iterator[str]:
    for spec in (file for place in CDI for file in sorted(place.glob("*"))):
        if findings.SPEC_OF_NVIDIA in _says(spec):
            yield str(spec)


def _says(file: Path) -> str:
    with suppress(OSError), file.open("rb") as opened:
        return opened.read(MOST_OF_A_SPEC).decode(errors="replace").strip()
    return ""
