"""The reference page of the settings, made from the sections themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def reference(settings: type[BaseModel]) -> str:
    """MyST: a heading for each section, and below it every key with its default and its variable."""
    return "\n".join(_section(settings, ()))


def _section(section: type[BaseModel], above: tuple[str, ...]) -> Iterator[str]:
    defaults = section.model_construct().model_dump(mode="json")
    keys = {name: field for name, field in section.model_fields.items() if not _inner(field)}
    if above and keys:
        yield f"## `[{'.'.join(above)}]`\n\n{(section.__doc__ or '').strip()}\n"
    for name, field in keys.items():
        yield from _key(name, field, defaults[name], above)
    for name, field in section.model_fields.items():
        if inner := _inner(field):
            yield from _section(inner, (*above, name, "NAME") if get_args(field.annotation) else (*above, name))


def _key(name: str, field: FieldInfo, default: Any, above: tuple[str, ...]) -> Iterator[str]:
    shown = "{}" if default == {} else json.dumps(default, ensure_ascii=False)
    variable = "DRYBENCH_" + "__".join((*above, name)).upper()
    yield f"### {'.'.join((*above, name))}\n\n{field.description}\n\nDefault: `{shown}`. Variable: `{variable}`.\n"


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field is, or that each of its named entries is."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
