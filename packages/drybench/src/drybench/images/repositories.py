"""Fetch the files of a git repository that somebody names: they are read, and nothing of it is ever run.

The address becomes no option and no other transport, the connection goes to the host that was checked, and git gets
no settings, hooks, filters, submodules or questions. What grows beyond its bounds, or takes too long, is ended.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from urllib.parse import SplitResult, urlsplit

from drybench.beneath import NotPlain, list_beneath, read_beneath
from drybench.errors import BroughtWrong, RepositoryNotHad, RepositoryWrong
from drybench.images import own

AT_ONCE = BoundedSemaphore(4)  # each takes a thread, of which there are only so many for all pages
PATIENCE = 120.0  # seconds for all of it
BETWEEN_LOOKS = 0.1
MOST_BYTES = 200 << 20  # on the disk, with all that git itself keeps
LONGEST_WORDS = 300
SCHEMES = ("https", "http", "ssh", "git")  # that the keeper may let through; never `file`, nor `ext::`
FOLDERS = ("binder", ".binder", "")  # where what describes an environment is looked for

_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_SECRET = re.compile(r"://[^/@\s]*@")
Checked = Callable[[str, int], str]  # a host and a port, to the address that may be connected to


@dataclass(frozen=True)
class Fetched:
    files: Mapping[str, bytes]
    commit: str


def checked_url(typed: str, schemes: tuple[str, ...] = ("https",)) -> SplitResult:
    """RepositoryWrong for what git would take as an option, a program or a file of this machine."""
    url = typed.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RepositoryWrong(url=_shown(url), problem="it is no address") from None
    if not url.isascii() or not url.isprintable() or set(url) & set(" \\\"'`") or len(url) > 1000:
        raise RepositoryWrong(url=_shown(url), problem="it has characters that no address has, or too many")
    if parts.scheme not in schemes or parts.scheme not in SCHEMES or "::" in url.partition("://")[0]:
        raise RepositoryWrong(url=_shown(url), problem=f"it begins with {' or '.join(f'{one}://' for one in schemes)}")
    if not parts.hostname or parts.hostname.startswith("-") or port == 0:
        raise RepositoryWrong(url=_shown(url), problem="it names no host")
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise RepositoryWrong(url=_shown(url), problem="it has a name or a password in it")
    if (parts.username or "").startswith("-") or not parts.path.strip("/"):
        raise RepositoryWrong(url=_shown(url), problem="it names no repository")
    return parts


def fetch(
    typed: str, branch: str, check: Checked, schemes: tuple[str, ...] = ("https",), patience: float = PATIENCE
) -> Fetched:
    """Blocks, in a thread. The files of the folder that describes an environment, and the commit that they are of."""
    url = checked_url(typed, schemes)
    if branch and not _BRANCH.fullmatch(branch):
        raise RepositoryWrong(url=_shown(typed), problem=f"“{_shown(branch)}” is no branch or tag")
    with _one_of_a_few(url), TemporaryDirectory(prefix="drybench-git-") as place:
        there = Path(place, "files")
        _git(_clone(url, branch, there, check), Path(place), url, patience)
        commit = _git(["-C", str(there), "rev-parse", "HEAD"], Path(place), url, patience)
        return Fetched(read_files(there), commit.strip()[:64])


@contextmanager
def _one_of_a_few(url: SplitResult) -> Generator[None]:
    if not AT_ONCE.acquire(blocking=False):
        raise RepositoryNotHad(url=_shown(url.geturl()), why="others are being fetched just now")
    try:
        yield
    finally:
        AT_ONCE.release()


def read_files(folder: Path) -> Mapping[str, bytes]:
    """What describes an environment, with all that lies beside it; links and git's own are passed over."""
    for name in FOLDERS:
        with suppress(FileNotFoundError, NotPlain):
            if (found := _read(folder, name)).keys() & _described_by():
                return found
    raise BroughtWrong(problems=f"none of {', '.join(own.KNOWN)} is among its files")


def _described_by() -> set[str]:
    return {*own.KNOWN, *own.OTHER_NAMES}


def _read(folder: Path, within: str) -> dict[str, bytes]:
    found, size, above = dict[str, bytes](), 0, os.fsencode(f"{within}/" if within else "")
    for file in list_beneath(folder, within, own.MOST_FILES * 2):
        name = file.path.decode("utf-8", "replace")
        if name.split("/")[0] == ".git":
            continue
        size += file.size
        if size > own.MOST_BYTES or len(found) >= own.MOST_FILES:
            raise BroughtWrong(
                problems=f"it has more than {own.MOST_FILES} files, or more than {own.MOST_BYTES >> 20} MiB"
            )
        with suppress(FileNotFoundError, NotPlain):
            found[name] = read_beneath(folder, above + file.path, own.MOST_BYTES)
    return found


def _clone(url: SplitResult, branch: str, there: Path, check: Checked) -> list[str]:
    """The name is looked up once, here; git connects to what was found."""
    port = url.port or {"http": 80, "https": 443, "ssh": 22, "git": 9418}[url.scheme]
    address = check(str(url.hostname), port)
    bare = f"[{address}]" if ":" in address else address
    options = {
        "protocol.allow": "never",
        f"protocol.{url.scheme}.allow": "always",
        "http.followRedirects": "false",
        "http.curloptResolve": f"{url.hostname}:{port}:{bare}",
        "http.proxy": "",
        "core.hooksPath": "/dev/null",
        "core.symlinks": "false",
        "core.fsmonitor": "false",
        "submodule.recurse": "false",
        "credential.helper": "",
        "pack.packSizeLimit": str(MOST_BYTES),
    }
    settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    only = ["--branch", branch] if branch else []
    small = ["--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", "--template="]
    return [*settings, "clone", "--quiet", *small, *only, "--", url.geturl(), str(there)]


def _git(words: list[str], place: Path, url: SplitResult, patience: float) -> str:
    try:
        said = (place / "said").open("w+")
        began = subprocess.Popen(
            ["git", *words],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=place,
            env=_environ(place),
            start_new_session=True,
        )
    except FileNotFoundError:
        raise RepositoryNotHad(url=_shown(url.geturl()), why="this machine has no git") from None
    with said:
        problem = _watch(began, place, time.monotonic() + patience)
        said.seek(0)
        words_said = said.read(1 << 16)
    if problem or began.returncode:
        raise RepositoryNotHad(url=_shown(url.geturl()), why=problem or _why(words_said))
    return words_said


def _environ(place: Path) -> dict[str, str]:
    """None of ours: no token, no settings, no agent, nobody to ask."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes",
        "GIT_LFS_SKIP_SMUDGE": "1",
    } | {name: value for name in ("SSL_CERT_FILE", "GIT_SSL_CAINFO") if (value := os.environ.get(name))}


def _watch(began: subprocess.Popen[bytes], place: Path, until: float) -> str:
    """What it was ended for, or nothing."""
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(began.pid, resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
    problem = ""
    try:
        while began.poll() is None and not problem:
            with suppress(subprocess.TimeoutExpired):
                began.wait(BETWEEN_LOOKS)
            problem = "it took too long" if time.monotonic() > until else _too_large(place)
    finally:
        if began.poll() is None:
            os.killpg(began.pid, signal.SIGKILL)
            began.wait()
    return problem


def _too_large(place: Path) -> str:
    size = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):
                size += Path(folder, name).lstat().st_size
    return f"it is larger than {MOST_BYTES >> 20} MiB" if size > MOST_BYTES else ""


def _why(said: str) -> str:
    """git's last words, without what an address may hold."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("fatal:")] or lines[-1:]
    words = _SECRET.sub("://", fatal[-1].removeprefix("fatal: ").rstrip(".")) if fatal else "git said nothing"
    return _plain(words)[:LONGEST_WORDS]


def _shown(text: str) -> str:
    return _plain(_SECRET.sub("://", text))[:200]


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
