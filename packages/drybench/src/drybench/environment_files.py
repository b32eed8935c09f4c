"""One environment as its folder says it: `environment.toml`, and what lies beside it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from drybench import desktop_files, toml_lines
from drybench.model import DESKTOP, LAB, TERMINAL, App, Environment
from drybench.settings_sections import ModuleName, Section

FILE, DOCKERFILE = "environment.toml", "Dockerfile"
LOCAL, DOCKER = "local", "docker"
LARGEST = 64 << 10  # bytes of a file; and so many lines of it are looked through for the wrong one
MOST_LINES = 1000
NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")  # so that sessions and images can be named after it
OF_THE_SERVER = re.compile(  # what a session's own server answers at, so that no app can
    "api|consoles|custom|doc|drybench|edit|files|hub|kernel(s|specs)|log(in|out)|lsp|metrics|nb(classic|convert|extensions)"
    "|notebooks|proxy|services|static|t(erminals|ree)|user|view"
)
NAMED_SO = "a name is 1 to 30 of a-z, 0-9 and hyphen, and begins with a letter"

Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_][A-Za-z0-9._-]*)?$")]
ImageName = Annotated[str, StringConstraints(max_length=400, pattern=r"^([a-z0-9][A-Za-z0-9._:/@-]*)?$")]


@dataclass(frozen=True)
class Smoke:
    """One test of an image: a command in it, as an ordinary account, without a network."""

    title: str
    command: tuple[str, ...]
    timeout: float = 120  # seconds


@dataclass(frozen=True)
class Recipe:
    """An environment with what is needed to make it and to try it."""

    environment: Environment
    folder: Path
    shipped: bool = False
    dockerfile: bool = False  # its image is built here, from this folder
    kernels: tuple[str, ...] = ()  # that its image has; none: nobody has said
    lists_apps: bool = True  # all that it has; else an image by its name is asked for more
    smoke: tuple[Smoke, ...] = ()
    brought: bool = False  # it lies where people's own are

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def picture(self) -> Path | None:
        return self.folder / self.environment.picture if self.environment.picture else None


@dataclass(frozen=True)
class Broken:
    """A folder that should be an environment and is none."""

    name: str
    file: Path
    line: int
    problem: str


class Wrong(Exception):
    def __init__(self, problem: str, *key: str) -> None:
        super().__init__(problem)
        self.problem, self.key = problem, key


def read(folder: Path, pythons: Mapping[str, Path], shipped: bool = False) -> Recipe | Broken:
    """`pythons` says where the Python of an environment lies that the bench makes itself."""
    file, text = folder / FILE, ""
    try:
        text = _text(file)
        recipe = _recipe(folder, _Said(**tomllib.loads(text)), shipped)
        return _made_by_the_bench(recipe, pythons[folder.name]) if folder.name in pythons else _checked(recipe)
    except tomllib.TOMLDecodeError as error:
        return Broken(folder.name, file, toml_lines.line_of_error(error, text), f"this is not TOML: {error}")
    except ValidationError as error:
        problem = _first_problem(error)
    except Wrong as wrong:
        problem = wrong
    except desktop_files.Unfit as unfit:
        return Broken(folder.name, unfit.file, unfit.line, unfit.problem)
    return Broken(folder.name, file, _line(text, problem.key), problem.problem)


def broken(recipe: Recipe, problem: str, *key: str) -> Broken:
    """It reads well by itself, and does not go with the others."""
    file = recipe.folder / FILE
    return Broken(recipe.name, file, _line(_text(file), key), problem)


class _App(Section):
    name: Name
    title: Line
    command: tuple[Line, ...] = Field(default=(), max_length=100)

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if OF_THE_SERVER.fullmatch(name):
            raise ValueError(f"cannot be `{name}`, which is something else in a session")
        return name

    @model_validator(mode="after")
    def _is_not_known(self) -> _App:
        if self.command and self.name in (LAB, DESKTOP, TERMINAL):
            raise ValueError(f"needs no `command`: every session knows what `{self.name}` is")
        return self


class _Smoke(Section):
    title: Line
    command: tuple[str, ...] = Field(min_length=1, max_length=100)
    timeout: float = Field(default=120, gt=0, le=3600)


class _Said(Section):
    title: Line
    summary: Line
    apps: tuple[_App, ...] = Field(default=(_App(name="lab", title="JupyterLab"),), min_length=1, max_length=20)
    picture: FileName = ""
    needs: tuple[Line, ...] = ()
    size: str = "default"
    preload: tuple[ModuleName, ...] = ()
    engine: str = ""
    python: str = ""
    image: ImageName = ""
    on: str = ""
    entrypoint: bool = False
    kernels: tuple[Line, ...] = ()
    smoke: tuple[_Smoke, ...] = ()

    @field_validator("apps")
    @classmethod
    def _are_told_apart(cls, apps: tuple[_App, ...]) -> tuple[_App, ...]:
        names = [app.name for app in apps]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"has `{twice}` twice")
        return apps

    @model_validator(mode="after")
    def _one_of_both(self) -> _Said:
        if self.python and self.image:
            raise ValueError("an environment has either `python` or `image`")
        return self


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Wrong(f"it is larger than {LARGEST >> 10} KiB")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(f"it cannot be read ({error})") from None


def _recipe(folder: Path, said: _Said, shipped: bool) -> Recipe:
    environment = Environment(
        name=folder.name,
        title=said.title,
        summary=said.summary,
        engine=said.engine or (LOCAL if said.python else DOCKER),
        apps=tuple(App(app.name, app.title, app.command) for app in said.apps),
        python=Path(said.python) if said.python else None,
        size=said.size,
        preload=said.preload,
        image=said.image or None,
        entrypoint=said.entrypoint,
        on=said.on or None,
        picture=said.picture,
        needs=said.needs,
    )
    smoke = tuple(Smoke(one.title, one.command, one.timeout) for one in said.smoke)
    built = not said.python and not said.image and (folder / DOCKERFILE).is_file()
    return Recipe(environment, folder, shipped, built, said.kernels, "apps" in said.model_fields_set, smoke)


def _made_by_the_bench(recipe: Recipe, python: Path) -> Recipe:
    return replace(recipe, environment=replace(recipe.environment, python=python, engine=LOCAL))


def _checked(recipe: Recipe) -> Recipe:
    """What the file names must be there."""
    one = recipe.environment
    if not NAME.fullmatch(one.name):
        raise Wrong(f"its folder cannot be named {one.name[:60]!r}: {NAMED_SO}")
    if recipe.picture and not recipe.picture.is_file():
        raise Wrong(f"there is no file {one.picture} beside it", "picture")
    if one.python and not (one.python / "bin/python").exists():
        raise Wrong(f"there is no Python environment in {one.python} (no bin/python)", "python")
    if one.on and not recipe.dockerfile:
        raise Wrong(f"`on` goes with a {DOCKERFILE} beside it, and there is none", "on")
    if not (one.python or one.image or recipe.dockerfile):
        raise Wrong(f"it needs `image`, `python`, or a {DOCKERFILE} beside it")
    for file in desktop_files.in_folder(recipe.folder):
        if not recipe.dockerfile:
            raise desktop_files.Unfit(file, 1, f"it goes with a {DOCKERFILE} beside it, and there is none")
        desktop_files.check(file)
    return replace(recipe, environment=replace(one, image=_with_tag(one.image))) if one.image else recipe


def _with_tag(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _first_problem(error: ValidationError) -> Wrong:
    first = error.errors()[0]
    key = tuple(str(part) for part in first["loc"])
    name = ".".join(key)
    match first["type"]:
        case "extra_forbidden":
            return Wrong(f"there is no key `{name}`", *key)
        case "missing":
            return Wrong(f"`{name}` is missing", *key)
        case "string_pattern_mismatch":
            return Wrong(f"`{name}` cannot be {str(first['input'])[:60]!r}", *key)
        case _:
            said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
            return Wrong(f"`{name}` {said}" if name else said, *key)


def _line(text: str, key: tuple[str, ...]) -> int:
    if text.count("\n") > MOST_LINES:
        return 1
    lines = toml_lines.lines_of(text)
    return next((lines[key[:end]] for end in range(len(key), 0, -1) if key[:end] in lines), 1)
