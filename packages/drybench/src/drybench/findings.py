"""What the doctor says of what was seen: one part of the machine in one line, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from drybench.model import Gpu
from drybench.programs import Said
from drybench.quantities import bytes_in_words

Stands = Literal["ok", "missing", "wrong", "not looked at"]
GIB = 1 << 30
LITTLE, SCARCE = 10 * GIB, 1 * GIB  # of disk: an image more, the ledger at all
OLDEST_PYTHON = (3, 11)
SPEC_OF_NVIDIA = "nvidia.com/gpu"


@dataclass(frozen=True)
class Finding:
    part: str
    stands: Stands
    says: str
    command: str = ""  # that shows it
    step: str = ""
    needed: bool = True  # without it this bench does not do what its settings say

    @property
    def ill(self) -> bool:
        return self.needed and self.stands in ("missing", "wrong")


@dataclass(frozen=True)
class Toolkit:
    """How Docker would bring a GPU into a container: an old way and a new one."""

    hook: str | None = None  # where the program lies
    specs: Sequence[str] = ()  # CDI files that name NVIDIA's devices


def python(version: tuple[int, int, int], system: str) -> Finding:
    words = f"Python {'.'.join(map(str, version))} on {system}"
    if version[:2] < OLDEST_PYTHON:
        step = f"Install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer, and Drybench with it."
        return Finding("Python", "wrong", f"{words} is too old.", "python3 --version", step)
    return Finding("Python", "ok", f"{words}.", "python3 --version")


def disk(folder: str, free: int | None) -> Finding:
    command = f"df -h {folder}"
    if free is None:
        return Finding("Disk", "wrong", f"{folder} cannot be looked at.", command, "See that its disk is there.")
    words = f"{bytes_in_words(free // GIB * GIB) if free >= GIB else 'less than 1 GiB'} free where {folder} lies"
    if free < SCARCE:
        return Finding("Disk", "wrong", f"{words}: soon nothing can be written.", command, _make_room())
    if free < LITTLE:
        return Finding("Disk", "ok", f"{words}: too little to build images.", command, _make_room())
    return Finding("Disk", "ok", f"{words}.", command)


def port(number: int, taken: bool, ours: bool) -> Finding:
    """0: the first start chooses one that is free."""
    command = f"ss -ltnp 'sport = :{number}'"
    if number == 0:
        return Finding("Port", "ok", "The first start chooses a free one and keeps it.", "drybench status")
    if ours:
        return Finding("Port", "ok", f"{number}: the bench is up and answers there.", command)
    if taken:
        step = "End that program, or choose another port with `bench.port` in drybench.toml."
        return Finding("Port", "wrong", f"{number} is taken by another program.", command, step)
    return Finding("Port", "ok", f"{number} is free.", command)


def desktop(lacks: Sequence[str]) -> Finding:
    """On the machine itself: images bring what they need."""
    part, command = "Desktop", "drybench environments python"
    if not lacks:
        return Finding(part, "ok", "Sessions on this machine itself can show one.", command)
    words = f"Sessions on this machine itself can show none: there is no {' and no '.join(lacks)}."
    step = "sudo apt install tigervnc-standalone-server xfce4 xclip mesa-utils"
    return Finding(part, "missing", words, command, step, needed=False)


def background(path: str, there: bool) -> Finding:
    """Asked only where the keeper has one."""
    part, command = "Background", f"ls -l {path}"
    if there:
        return Finding(part, "ok", f"Desktops in containers have {path}.", command)
    step = "Put it there, for everybody to read, or mend `desktop.background` in drybench.toml."
    return Finding(part, "wrong", f"{path} is not there, or is no file: desktops have Drybench's own.", command, step)


def docker(said: Said, user: str, needed: bool) -> Finding:
    command = "docker version"
    if not said.here:
        step = "Install Docker or Podman; without it, what runs here runs on the machine itself."
        return Finding("Docker", "missing", "There is no program `docker`.", command, step, needed)
    if said.well:
        return Finding("Docker", "ok", f"It answers (version {said.last}).", command, needed=needed)
    if said.hangs:
        return Finding("Docker", "wrong", "It does not answer.", command, "sudo systemctl restart docker", needed)
    if "permission denied" in said.text.lower():
        step = f"sudo usermod -aG docker {user}, and sign in anew. Whoever is in that group can do what root can."
        return Finding("Docker", "wrong", "It is there, and you may not use it.", command, step, needed)
    words = f"It is installed and not running: {said.last}"
    return Finding("Docker", "wrong", words, command, "sudo systemctl enable --now docker", needed)


def image(said: Said | None, needed: bool) -> Finding:
    """None: Docker could not be asked."""
    command = "docker image ls 'drybench/*'"
    if said is None or not said.well:
        return Finding("Images", "not looked at", "Docker cannot be asked.", command, needed=needed)
    names = sorted(set(said.text.split()))
    if not names:
        words = "No image of an environment is here."
        return Finding("Images", "missing", words, command, "drybench images build base", needed)
    return Finding("Images", "ok", f"{len(names)} here, such as {names[0]}.", command, needed=needed)


def ready_sessions(works: bool, root: bool) -> Finding:
    """Asked only where the keeper wants some: a home is mounted into what runs already."""
    part, command = "Ready sessions", "drybench settings"
    if works:
        return Finding(part, "ok", "A home can be shown in a container that stands ready.", command)
    words = "None stands ready: a home cannot be shown in a container that runs already."
    step = "Is Docker on this machine itself, with the mounts of this machine? It takes Linux 5.12 or newer."
    return Finding(part, "wrong", words, command, step if root else "Only root can: have root start the bench.")


def driver(said: Said, cards: int, found: Sequence[tuple[str, Gpu]], named: Collection[str], needed: bool) -> Finding:
    """`cards`: how many of NVIDIA the machine itself sees; `named`: those that the settings name."""
    part, command = "GPU driver", "nvidia-smi"
    if not said.here and not cards:
        step = "Nothing, if it shall have none. Is one put in, and passed on to a virtual machine?"
        return Finding(part, "missing", "This machine shows no NVIDIA card.", "lspci -d 10de:", step, needed)
    if not said.here:
        words = f"{cards} NVIDIA card{'s' if cards > 1 else ''} and no driver: there is no program `nvidia-smi`."
        return Finding(part, "missing", words, command, "Install NVIDIA's driver (Debian: nvidia-driver).", needed)
    if said.hangs:
        return Finding(part, "wrong", "The driver does not answer.", command, "Restart the machine.", needed)
    if not said.well:
        step = "Restart the machine: a driver that was updated is loaded then. If that is not it, install it anew."
        return Finding(part, "wrong", f"The driver does not work: {said.last}", command, step, needed)
    if not found:
        step = "See in `sudo dmesg` what the driver says of the card."
        return Finding(part, "wrong", "The driver works and shows no card.", command, step, needed)
    strange = sorted(set(named) - {number for number, _ in found} - {gpu.id for _, gpu in found})
    if strange:
        step = "Mend `gpus` of the engine in drybench.toml; `nvidia-smi -L` shows all numbers and UUIDs."
        words = f"The settings name {', '.join(strange)}, which the driver does not show."
        return Finding(part, "wrong", words, "nvidia-smi -L", step, needed)
    return Finding(part, "ok", "; ".join(_card(gpu) for _, gpu in found) + ".", command, needed=needed)


def toolkit(seen: Toolkit, needed: bool, card: bool = True) -> Finding:
    """`card`: there is one, or a driver for it."""
    part = "GPU container toolkit"
    if seen.hook:
        return Finding(part, "ok", f"{seen.hook}.", "nvidia-container-cli info", needed=needed)
    if seen.specs:
        return Finding(part, "ok", f"By CDI: {', '.join(seen.specs)}.", "nvidia-ctk cdi list", needed=needed)
    install = (
        "Install nvidia-container-toolkit, then: sudo nvidia-ctk runtime configure && sudo systemctl restart docker"
    )
    step = install if card or needed else "Nothing, as long as there is no card."
    words = "There is neither its program nor a CDI file, so no container can have a GPU."
    return Finding(part, "missing", words, "command -v nvidia-container-runtime-hook", step, needed)


def device(said: Said | None, command: str, why_not: str, needed: bool) -> Finding:
    """Asked from inside a container; None: it could not be, and `why_not` says why."""
    part = "GPU in a container"
    if said is None:
        return Finding(part, "not looked at", why_not, command, needed=needed)
    if said.well and "GPU" in said.text:
        return Finding(part, "ok", f"A container sees {said.text.count('GPU ')}.", command, needed=needed)
    if said.hangs:
        return Finding(part, "wrong", "The container does not come back.", command, "Restart the machine.", needed)
    if "could not select device driver" in said.text:
        words = "Docker does not know the toolkit: it looks for it when it starts."
        return Finding(part, "wrong", words, command, "sudo systemctl restart docker", needed)
    step = "sudo nvidia-ctk runtime configure && sudo systemctl restart docker"
    return Finding(part, "wrong", f"A container with all GPUs sees none: {said.last}", command, step, needed)


def _card(gpu: Gpu) -> str:
    return f"{gpu.title} with {bytes_in_words(gpu.memory)}" if gpu.memory else gpu.title


def _make_room() -> str:
    return "Remove runs that nobody needs, and images: drybench images prune"
