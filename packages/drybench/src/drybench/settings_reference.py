"""The reference page of the settings, made from the sections themselves."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def reference(settings: type[BaseModel]) -> str:
    """MyST: a heading for each section, and below it every key with its default and its variable."""
    return "\n".join(_section(settings, ()))


def _section(section: type[BaseModel], above: tuple[str, ...]) -> Iterator[str]:
    defaults = section.model_construct().model_dump(mode="json")
    keys = {name: field for name, field in section.model_fields.items() if not _inner(field) or _is_list(field)}
    if above and keys:
        yield f"## `[{'.'.join(above)}]`\n\n{_text(section)}\n"
    for name, field in keys.items():
        yield from _key(name, field, defaults[name], above)
    for name, field in section.model_fields.items():
        if inner := _inner(field):
            if _is_list(field):
                yield from _entry(inner, (*above, name))
            else:
                yield from _section(inner, (*above, name, "NAME") if get_args(field.annotation) else (*above, name))


def _entry(section: type[BaseModel], above: tuple[str, ...]) -> Iterator[str]:
    """What each table of a list knows."""
    yield f"## `[[{'.'.join(above)}]]`\n\n{_text(section)}\n"
    for name, field in section.model_fields.items():
        default = "It must be given." if field.is_required() else f"Default: `{json.dumps(field.default)}`."
        yield f"### {'.'.join((*above, field.alias or name))}\n\n{field.description}\n\n{default}\n"


def _key(name: str, field: FieldInfo, default: Any, above: tuple[str, ...]) -> Iterator[str]:
    shown = "{}" if default == {} else json.dumps(default, ensure_ascii=False)
    variable = "DRYBENCH_" + "__".join((*above, name)).upper()
    yield f"### {'.'.join((*above, name))}\n\n{field.description}\n\nDefault: `{shown}`. Variable: `{variable}`.\n"


def _text(section: type[BaseModel]) -> str:
    return inspect.cleandoc(section.__doc__ or "")


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field is, or that each of its named entries is."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
