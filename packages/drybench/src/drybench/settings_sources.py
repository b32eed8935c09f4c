"""Where settings come from: the file, the environment, the command line; and what to say when one is wrong."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from drybench import toml_lines
from drybench.errors import SettingsWrong

Key = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    values: Mapping[str, Any]
    places: Mapping[Key, str]  # of each key and each section that it names


def from_file(file: Path, must_exist: bool) -> Source:
    if not must_exist and not file.exists():
        return Source({}, {})
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(place=file, problem=f"cannot be read ({error})") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = toml_lines.line_of_error(error, text)
        raise SettingsWrong(place=f"{file}, line {line}", problem=f"this is not TOML: {error}") from None
    return Source(values, {key: f"{file}, line {line}" for key, line in toml_lines.lines_of(text).items()})


def from_environment(model: type[BaseSettings]) -> Source:
    """Only names with a double underscore are settings: DRYBENCH_TOKEN and its like are not."""
    try:
        values = EnvSettingsSource(model)()
    except SettingsError as error:
        raise SettingsWrong(place="the environment", problem=str(error)) from None
    for name in os.environ:
        section = name.removeprefix("DRYBENCH_").partition("__")[0].lower()
        if name.startswith("DRYBENCH_") and "__" in name and section not in model.model_fields:
            raise SettingsWrong(place=name, problem=_unknown(section, model.model_fields))
    return Source(values, {key: "environment, DRYBENCH_" + "__".join(key).upper() for key in _keys(values)})


def from_command_line(values: Mapping[str, Any]) -> Source:
    return Source(values, {key: f"command line, --{key[-1].replace('_', '-')}" for key in _keys(values)})


def laid_over(sources: Sequence[Source]) -> dict[str, Any]:
    """All of them in one, key by key; the last one wins."""
    together: dict[str, Any] = {}
    for source in sources:
        _lay_over(together, source.values)
    return together


def wrong(error: ErrorDetails, sources: Sequence[Source], model: type[BaseModel]) -> SettingsWrong:
    """The first complaint of pydantic in our words, with the place that it is about."""
    key = tuple(str(part) for part in error["loc"])
    places = {known: place for source in sources for known, place in source.places.items()}
    place = next((places[key[:end]] for end in range(len(key), 0, -1) if key[:end] in places), "the settings")
    if error["type"] == "extra_forbidden":
        return SettingsWrong(place=place, problem=_unknown(key[-1], _names_beside(key, model)))
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return SettingsWrong(place=place, problem=f"`{'.'.join(key)}` {said}.")


def leaves(tree: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(cast("Mapping[str, Any]", value), (*above, name))
        else:
            yield (*above, name), value


def _keys(tree: Mapping[str, Any]) -> set[Key]:
    """Its leaves and every section on the way to them."""
    return {key[:end] for key, _ in leaves(tree) for end in range(1, len(key) + 1)}


def _lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for name, value in above.items():
        if isinstance(value, Mapping):
            if not isinstance(below.get(name), dict):
                below[name] = {}
            _lay_over(below[name], cast("Mapping[str, Any]", value))
        else:
            below[name] = value


def _unknown(name: str, there_are: Collection[str]) -> str:
    close = get_close_matches(name, there_are, n=1)
    return f"there is no key `{name}`" + (f"; did you mean `{close[0]}`?" if close else ".")


def _names_beside(key: Key, model: type[BaseModel]) -> Collection[str]:
    """What the section that holds this key knows."""
    section: Any = model
    for part in key[:-1]:
        section = section.model_fields[part].annotation if hasattr(section, "model_fields") else get_args(section)[-1]
    return section.model_fields if hasattr(section, "model_fields") else ()
