"""uv resolves and installs; what it says is shown as it says it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST = 1800.0  # seconds that uv may take for one step, where the run's own limit does not end it before
MOST_OF_A_LINE = 2000  # characters
_KEPT = 5000  # lines
_DETAILS = (" ", "Using ", "Would ")  # lines that begin so: every package is named in the record
_HASH = re.compile(r"--hash[= ]\S+")
_WOULD_INSTALL = re.compile(r"^\s*\+ ([\w.-]+)==(\S+)(?: \(from (.+)\))?$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
Say = Callable[[str], None]


class RequirementsFailed(Exception):
    """Its words are for the person."""


class NoRoom(RequirementsFailed):
    """The disk is full."""


@dataclass(frozen=True)
class Requirements:
    """A requirements.txt, and its lines that say something: numbered, without comments, continued ones joined."""

    file: Path
    lines: tuple[tuple[int, str], ...]

    @classmethod
    def read(cls, file: Path) -> Requirements:
        return cls(file, tuple(_lines(file.read_text(errors="replace"))))


async def resolve(asked: Requirements, folder: Path, say: Say) -> list[str]:
    """What has to be installed beside the environment, exactly, as lines of a requirements.txt."""
    said = await _uv(["--dry-run", "-r", str(asked.file)], folder, say, asked)
    found = [match for line in said if (match := _WOULD_INSTALL.match(line))]
    hashes = {_name(line): _HASH.findall(line) for _, line in asked.lines}
    return [
        " ".join([f"{name} @ {place}" if place else f"{name}=={version}", *hashes.get(_name(name), ())])
        for name, version, place in (match.groups() for match in found)
    ]


async def install(exactly: Sequence[str], asked: Requirements, target: Path, say: Say) -> None:
    """Into a folder of their own; where they come from is said as the requirements say it."""
    places = [line for _, line in asked.lines if re.match(r"-[if]\b|--\w*(index|find-links|host)", line)]
    pinned = target.with_name(f"{target.name}.txt")
    pinned.write_text("\n".join([*places, *exactly]) + "\n")
    # Bytecode is left to Python: it compiles what is imported and keeps it there, and no more than that.
    options = ["--no-deps", "--target", str(target), "-r", str(pinned)]
    await _uv(options, target.parent, say, asked)
    _unbind_scripts(target / "bin")


def environment() -> Path:
    """What lies under this task's own thin environment; without one, where this very program runs."""
    return Path(os.environ.get("DRYBENCH_PYTHON") or sys.prefix)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    begun, parts = 0, ""
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        begun = begun or number
        parts += line.removesuffix("\\")
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            continue
        if said := " ".join(re.sub(r"(^|\s)#.*$", "", parts).split()):
            yield begun, said
        begun, parts = 0, ""


async def _uv(options: Sequence[str], cwd: Path, say: Say, asked: Requirements) -> Sequence[str]:
    """All that it said. In a session of its own, so that nothing of it is left when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *(_program(), "pip", "install", "--python", str(environment() / "bin" / "python"), *options),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=cwd,
        env=_environ(),
        start_new_session=True,
    )
    said: deque[str] = deque(maxlen=_KEPT)
    try:
        async with asyncio.timeout(LONGEST):
            async for line in _said(process):
                said.append(line)
                if not line.startswith(_DETAILS):
                    say(line)
            code = await process.wait()
    except TimeoutError:
        raise RequirementsFailed(f"Resolving requirements.txt took longer than {LONGEST / 60:g} minutes.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()  # to its end: in Python 3.11 nothing ends whose output is not read
    if code:
        raise _failure(list(said), asked)
    return list(said)


def _program() -> str:
    found = os.environ.get("DRYBENCH_UV") or shutil.which("uv")
    if found is None:
        raise RequirementsFailed("This environment has no uv, which a requirements.txt needs.")
    return found


def _environ() -> dict[str, str]:
    """Indexes that the machine names for pip count for uv too."""
    own = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    for theirs, its in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
        if theirs in os.environ:
            own[its] = os.environ[theirs]
    return {**own, **{name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}}


async def _said(process: Process) -> AsyncIterator[str]:
    """Line by line; one that never ends is broken into pieces."""
    assert process.stdout is not None
    rest = ""
    while block := await process.stdout.read(1 << 16):
        *whole, rest = (rest + _COLOURS.sub("", block.decode(errors="replace"))).split("\n")
        for line in whole:
            if line.strip():
                yield line.rstrip()[:MOST_OF_A_LINE]
        rest = rest[-MOST_OF_A_LINE:]
    if rest.strip():
        yield rest.rstrip()


def _failure(last: Sequence[str], asked: Requirements) -> RequirementsFailed:
    """uv's own words, and the line of requirements.txt that they speak of."""
    began = next((at for at, line in enumerate(last) if line.startswith("error")), max(0, len(last) - 5))
    words = re.sub(r"\b(error|cause): ", "", " ".join(line.strip() for line in last[began:]))
    if "os error 28" in words or "No space left" in words:
        return NoRoom(words)
    place = _line_at_fault(asked, words)
    return RequirementsFailed(f"{place}: {words[:1200]}")


def _line_at_fault(asked: Requirements, words: str) -> str:
    """The first package that is spoken of, whose line asks for it."""
    spoken = {_name(word): at for at, word in reversed(list(enumerate(re.findall(r"[\w.-]+", words))))}
    told = [(spoken[name], number, line) for number, line in asked.lines if (name := _name(line)) in spoken]
    if not told:
        return "requirements.txt"
    _, number, line = min(told)
    return f"requirements.txt, line {number} ({line[:80]})"


def _name(line: str) -> str:
    """As indexes compare names."""
    found = re.match(r"[A-Za-z0-9][\w.-]*", line)
    return re.sub(r"[-_.]+", "-", found[0]).strip("-").lower() if found else ""


def _unbind_scripts(bin: Path) -> None:
    """The interpreter that they name would not find what lies beside them; each task's own does."""
    for script in bin.iterdir() if bin.is_dir() else ():
        head, newline, rest = script.read_bytes().partition(b"\n")
        if script.is_file() and head.startswith(b"#!") and b"python" in head:
            mode = script.stat().st_mode
            script.unlink()  # it may be the same file as one in uv's cache
            script.write_bytes(b"#!/usr/bin/env python" + newline + rest)
            script.chmod(mode)
