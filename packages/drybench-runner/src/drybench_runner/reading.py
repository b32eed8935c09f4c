"""Read JSON that somebody else wrote: bounded, of a known format, and of the kind that is expected. Pure."""

from __future__ import annotations

import json
from typing import Any, cast

FORMAT = 1


def json_object(data: bytes, most: int) -> dict[str, Any]:
    """A JSON object of a format that is known here, or ValueError."""
    if len(data) > most:
        raise ValueError("larger than it may be")
    try:
        value: Any = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if cast(dict[str, Any], value).get("format", FORMAT) != FORMAT:
        raise ValueError("of a format that is not known here")
    return cast(dict[str, Any], value)


def text(value: Any, most: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("a number or list where words belong")
    return value[:most]


def count(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise ValueError("no count where a count belongs")
    return value


def mapping(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("no object where an object belongs")
    return cast(dict[str, Any], value)


def texts(value: Any, most: int) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("no list where a list belongs")
    return [text(each, 200) or "" for each in cast(list[Any], value)[:most]]
