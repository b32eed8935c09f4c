"""The part of `Bench` that shows environments, builds and brings them, and asks for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict, Unpack
from urllib.parse import quote

from drybench_client import errors
from drybench_client.calling import Calling
from drybench_client.looking import Environment

_MOST_FILES = 500
_MOST_BYTES = 20 << 20
_PAUSE = 1.0  # seconds between two looks at a build


class Offered(Environment):
    """An environment, whether it can be used now, and what could be done for it."""

    usable: bool
    why_not: str
    next_step: str
    remedy: str  # what would make it usable, or newer: build, pull, mend, or nothing
    state: str
    image: str | None
    digest: str | None
    on: str | None
    needs: list[str]
    bytes: int | None  # on the disk
    built_at: str | None
    build: str | None  # the id of its last build
    whose: str | None  # who brought it; None: it is the bench's
    everybody: bool
    source: str | None


class Package(TypedDict):
    name: str
    version: str
    of: str  # the environment that it comes with


class Build(TypedDict):
    id: str
    environment: str
    image: str
    fresh: bool
    pull: bool
    state: str  # waiting building done failed cancelled lost
    began_at: str
    ended_at: str | None
    now: str
    ahead: int | None  # so many builds go first
    step: int
    steps: int
    doing: str
    problem: str
    digest: str
    url: str


class Version(TypedDict):
    id: str
    names: list[str]
    bytes: int
    built_at: str
    used: int  # by so many sessions and runs that have not ended


class Tried(TypedDict):
    title: str
    passed: bool
    seconds: float
    said: str  # its last lines


class Lack(TypedDict):
    code: str
    sentence: str
    next_step: str


class Trial(TypedDict):
    """What an image said when it was tried, and what it lacks to be used."""

    began_at: str
    goes_on: bool
    well: bool
    problem: str
    tried: list[Tried]
    lacks: list[Lack]


class Leftover(TypedDict):
    id: str
    names: list[str]
    bytes: int


class Leftovers(TypedDict):
    """Images that nothing uses any more, and the bytes that become free without them."""

    images: list[Leftover]
    freed: int
    kept: list[Leftover]


class Inside(Offered):
    packages: list[Package]
    builds: list[Build]
    versions: list[Version]
    trial: Trial | None


class Wish(TypedDict):
    id: str
    person: str
    what: str
    why: str
    at: str
    answer: str
    answered_at: str | None


class Bringing(TypedDict, total=False):
    """What may be said of an environment that one brings; it comes from one of the last three, or from files."""

    title: str
    summary: str
    on: str
    everybody: bool
    build: bool
    branch: str
    repository: str
    image: str


class Equipping:
    _calling: Calling

    def all_environments(self) -> Iterator[Offered]:
        """Also those that cannot be used now, with the reason."""
        yield from self._calling.json("GET", "/environments", params={"all": "true"})["items"]

    def environment(self, name: str) -> Inside:
        """What is inside, and its latest builds."""
        return self._calling.json("GET", f"/environments/{_safe(name)}")

    def bring(self, name: str, source: str | Path | None = None, **said: Unpack[Bringing]) -> Inside:
        """Bring one's own: from a file (requirements.txt, environment.yml, apt.txt, Dockerfile) or a folder with such
        files on this machine, or with `repository=` or `image=`. It is built on `on`."""
        found = _files(Path(source)) if source else dict[str, bytes]()
        files = [("files", (path, content)) for path, content in found.items()]
        form = {"request": json.dumps({"name": name, **said})}
        return self._calling.json("POST", "/environments", data=form, files=files or None)

    def offer_environment(self, name: str, everybody: bool = True) -> Inside:
        """For the keeper: what somebody brought is everybody's, or theirs alone again."""
        return self._calling.json("POST", f"/environments/{_safe(name)}/offer", json={"everybody": everybody})

    def remove_environment(self, name: str) -> None:
        """One that somebody brought."""
        self._calling.bytes(f"/environments/{_safe(name)}", "DELETE")

    def build_environment(self, name: str, *, fresh: bool = False) -> Build:
        """Begin to build its image, or to get it from where it is shared; a build that goes on is given back."""
        return self._calling.json("POST", f"/environments/{_safe(name)}/build", json={"fresh": fresh})

    def builds(self) -> Iterator[Build]:
        """The newest first."""
        yield from self._calling.json("GET", "/builds")["items"]

    def get_build(self, build: str | Build) -> Build:
        return self._calling.json("GET", f"/builds/{_id(build)}")

    def build_log(self, build: str | Build) -> Iterator[str]:
        """What it says, until it is over."""
        id, since = _id(build), 0
        while True:
            is_over = self.get_build(id)["ended_at"] is not None
            text, following = self._calling.text(f"/builds/{id}/log", since=since)
            if text:
                yield text
            elif is_over:
                return
            if following == since:
                time.sleep(_PAUSE)
            since = following

    def cancel_build(self, build: str | Build) -> Build:
        return self._calling.json("POST", f"/builds/{_id(build)}/cancel")

    def check_environment(self, name: str, *, wait: bool = True) -> Trial:
        """Try its image: its own tests, and what it lacks to be used for sessions and runs."""
        trial: Trial = self._calling.json("POST", f"/environments/{_safe(name)}/check")
        while wait and trial["goes_on"]:
            time.sleep(_PAUSE)
            trial = self.environment(name)["trial"] or trial
        return trial

    def unused_images(self) -> Leftovers:
        """For the keeper: what could go, and how much room it takes."""
        return self._calling.json("GET", "/images/unused")

    def prune_images(self) -> Leftovers:
        """For the keeper: remove what nothing uses any more."""
        return self._calling.json("POST", "/images/prune")

    def ask_for_program(self, what: str, why: str) -> Wish:
        """A word to the keeper of the bench."""
        return self._calling.json("POST", "/wishes", json={"what": what, "why": why})

    def wishes(self) -> Iterator[Wish]:
        """The programs that one has asked for; the keeper sees those of all."""
        yield from self._calling.json("GET", "/wishes")["items"]

    def answer_wish(self, wish: str | Wish, answer: str = "") -> Wish:
        """For the keeper."""
        return self._calling.json("POST", f"/wishes/{_id(wish)}/answer", json={"answer": answer})


def _id(thing: str | Build | Wish) -> str:
    return _safe(thing) if isinstance(thing, str) else thing["id"]


def _safe(name: str) -> str:
    """One part of a path, whatever was typed."""
    return quote(name, safe="") if name not in (".", "..", "") else "-"


def _files(source: Path) -> Mapping[str, bytes]:
    """A file by its name, a folder with all that is in it but what git keeps."""
    try:
        if source.is_file():
            return {source.name: source.read_bytes()}
        if not source.is_dir():
            raise errors.Refused("no_such_folder", f"There is no file or folder {source}.", "Look for a slip in it.")
        found, size = dict[str, bytes](), 0
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if path.is_symlink() or not path.is_file() or ".git" in name.split("/"):
                continue
            size += path.stat().st_size
            if len(found) >= _MOST_FILES or size > _MOST_BYTES:
                step = "Bring a folder with what the environment is made of, and nothing else."
                sentence = f"{source} has more than {_MOST_FILES} files, or more than {_MOST_BYTES >> 20} MiB."
                raise errors.Refused("too_large", sentence, step)
            found[name] = path.read_bytes()
    except OSError as error:
        raise errors.Refused("file_unreadable", f"{source} cannot be read: {error.strerror}.", "Mend that.") from None
    return found
