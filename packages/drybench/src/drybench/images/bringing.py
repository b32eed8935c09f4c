"""Environments that people bring: asked for here, kept as folders beside the keeper's own, and built like all others.

Each is one person's until the keeper has it offered to everybody. Beside its folder lies what is known of it:
whose it is and where it came from, which is no part of what its image is made of.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from drybench.asking import Desk
from drybench.catalogue import Offer
from drybench.environment_files import FILE, NAME
from drybench.errors import (
    BroughtWrong,
    EnvironmentNameInUse,
    EnvironmentNameWrong,
    ImagesNotByName,
    NoEnvironmentThere,
    NoSuchEnvironment,
    TooManyBrought,
)
from drybench.images import own
from drybench.images.own import Rules
from drybench.images.repositories import Fetched
from drybench.images.whose import Brought, Whose
from drybench.model import Environment, Person
from drybench.people import permissions

ENVIRONMENT = "environment"  # as deeds and changes call it
MOST = 20  # of one person
ON = "base"

Fetch = Callable[[str, str], Fetched]  # an address and a branch
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Bringing:
    """As somebody asks for it: one of an image's name, a repository, or files."""

    name: str
    title: str = ""
    summary: str = ""
    on: str = ON
    image: str = ""
    repository: str = ""
    branch: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    everybody: bool = False


class OwnEnvironments:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(
        self, desk: Desk, folder: Path, whose: Whose, rules: Rules, fetch: Fetch, people_build: bool = False
    ) -> None:
        self._desk = desk
        self._folder = folder
        self._whose = whose
        self._rules = rules
        self._fetch = fetch
        self._people_build = people_build

    # whose they are

    def keeps(self, person: Person) -> bool:
        return self._whose.keeps(person)

    def must_keep(self, person: Person, deed: str) -> None:
        permissions.needs(person)
        permissions.keeper_only(person, self._whose.keeper(), deed)

    def offered(self, person: Person) -> Sequence[Offer]:
        """What this person may see of all there is; what is broken is the keeper's to mend."""
        permissions.needs(person, permissions.RUNS)
        return [
            offer
            for offer in self._desk.catalogue.offered()
            if self.may_see(person, offer.environment.name) and (offer.recipe or self.keeps(person))
        ]

    def offer(self, person: Person, name: str) -> Offer:
        permissions.needs(person, permissions.RUNS)
        offer = next((one for one in self.offered(person) if one.environment.name == name), None)
        if offer is None:
            raise NoEnvironmentThere(name=name[:60])
        return offer

    def may_see(self, person: Person, name: str) -> bool:
        return self._whose.may_see(person, name)

    def brought(self, name: str) -> Brought | None:
        return self._whose.brought(name)

    def may_build(self, person: Person, name: str) -> bool:
        found = self.brought(name)
        theirs = found is not None and not found.gone and found.person_id == person.id
        return permissions.ALL in person.scopes and (self.keeps(person) or (theirs and self._people_build))

    def must_build(self, person: Person, name: str) -> Offer:
        offer = self.offer(person, name)
        if not self.may_build(person, name):
            self.must_keep(person, "build images")
        return offer

    # what is brought

    def add(self, person: Person, asked: Bringing, origin: str = "api") -> Brought:
        """Look at all of it, fetch it, and keep it; it is not built by this."""
        permissions.needs(person)
        name = self._checked_name(person, asked.name.strip())
        if asked.everybody:
            self.must_keep(person, "offer an environment to everybody")
        asked, commit = self._fetched(asked)
        below = self._below(person, asked)
        context = {} if asked.image else own.context(asked.files, self._rules)
        found = Brought(name, person.id, person.name, asked.everybody, _source(asked), commit, self._desk.now())
        self._whose.write(found)  # first: what is there without a word of whose it is would be everybody's
        try:
            self._keep(name, {**context, FILE: _as_toml(asked, below, context).encode()})
        except BaseException:
            self._whose.write(replace(found, gone=True))
            raise
        self._desk.catalogue.reread()
        self._desk.done(person, "brought", ENVIRONMENT, name, origin)
        return found

    def offer_to(self, person: Person, name: str, everybody: bool, origin: str = "api") -> Brought:
        found = self._of(person, name)
        self.must_keep(person, "offer an environment to everybody")
        self._whose.write(replace(found, everybody=everybody))
        self._desk.done(person, "offered to everybody" if everybody else "offered to one", ENVIRONMENT, name, origin)
        return self._of(person, name)

    def remove(self, person: Person, name: str, origin: str = "api") -> None:
        """Its image stays until nothing uses it any more and the keeper makes room, and so does whose it is.

        Else the records of its builds would be everybody's, and its image whose ever takes that name.
        """
        permissions.needs(person)
        found = self._of(person, name)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self._whose.write(replace(found, everybody=False, gone=True))
        self._desk.catalogue.reread()
        self._desk.done(person, "removed", ENVIRONMENT, name, origin)

    def _of(self, person: Person, name: str) -> Brought:
        found = self.brought(name)
        if found is None or found.gone or not (found.person_id == person.id or self.keeps(person)):
            raise NoEnvironmentThere(name=name[:60])
        return found

    def _checked_name(self, person: Person, name: str) -> str:
        if not NAME.fullmatch(name):
            raise EnvironmentNameWrong(name=_ODD.sub(" ", name)[:60])
        taken = {offer.environment.name for offer in self._desk.catalogue.offered()}
        before = self.brought(name)
        is_free = before is None or before.person_id == person.id
        if name in taken or (self._folder / name).exists() or not is_free:
            raise EnvironmentNameInUse(name=name)
        if sum(one.person_id == person.id for one in self._whose.all()) >= MOST:
            raise TooManyBrought(most=MOST)
        return name

    def _fetched(self, asked: Bringing) -> tuple[Bringing, str]:
        """One source, with its files."""
        sources = [bool(asked.image), bool(asked.repository), bool(asked.files)]
        if sum(sources) != 1:
            raise BroughtWrong(problems="it comes from one of an image's name, a repository, or files")
        if asked.image:
            if not self._rules.any_image:
                raise ImagesNotByName()
            return replace(asked, image=own.image_name(asked.image)), ""
        if asked.repository:
            fetched = self._fetch(asked.repository, asked.branch.strip())
            return replace(asked, files=fetched.files), fetched.commit
        return asked, ""

    def _below(self, person: Person, asked: Bringing) -> Environment | None:
        """What it is built on: something with an image that is not another person's."""
        if asked.image:
            return None
        seen = {offer.environment.name: offer.environment for offer in self.offered(person)}
        if asked.on not in seen:
            raise NoSuchEnvironment(name=asked.on[:60], there=", ".join(seen))
        if seen[asked.on].image is None:
            raise BroughtWrong(problems=f"{seen[asked.on].title} has no image to build it on")
        return seen[asked.on]

    def _keep(self, name: str, files: Mapping[str, bytes]) -> None:
        """Whole or not at all."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(mkdtemp(prefix=".bringing-", dir=self._folder.parent))
        try:
            for path, content in files.items():
                file = made / path
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file.write_bytes(content)
            made.rename(self._folder / name)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):  # `a` and `a/b` are both among them
            raise BroughtWrong(problems="a file and a folder of it have one name") from None
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _source(asked: Bringing) -> str:
    if asked.image:
        return f"the image {asked.image}"
    if asked.repository:
        return f"{asked.repository.strip()}{f' ({asked.branch.strip()})' if asked.branch.strip() else ''}"
    described = [name for name in own.KNOWN if name in asked.files]
    return ", ".join(described or sorted(asked.files)[:3])


def _as_toml(asked: Bringing, below: Environment | None, context: Mapping[str, bytes]) -> str:
    """Its apps and its size are those of what it is built on."""
    lines = [
        f"title = {_quoted(asked.title or asked.name, 60)}",
        f"summary = {_quoted(asked.summary or _summary(asked), 200)}",
        'engine = "docker"',
    ]
    if below is None:
        return "\n".join([*lines, f"image = {_quoted(asked.image, 400)}", "entrypoint = true", ""])
    kernels = ["python3", "brought"] if own.CONDA in context and b"--name brought" in context[own.DOCKERFILE] else []
    lines += [f"on = {_quoted(asked.on, 60)}", f"size = {_quoted(below.size, 60)}"]
    lines += [f"kernels = {json.dumps(kernels)}"] if kernels else []
    for app in below.apps:
        lines += ["", "[[apps]]", f"name = {_quoted(app.name, 60)}", f"title = {_quoted(app.title, 200)}"]
        lines += [f"command = [{', '.join(_quoted(word, 200) for word in app.command)}]"] if app.command else []
    return "\n".join([*lines, ""])


def _summary(asked: Bringing) -> str:
    return f"The image {asked.image}" if asked.image else f"{asked.on} with {_source(asked)}"


def _quoted(words: str, most: int) -> str:
    """A string of JSON is one of TOML, where it has no control characters."""
    return json.dumps(" ".join(_ODD.sub(" ", words).split())[:most] or "-")
