"""GPUs as rows of a form: each asks for one, with the least memory that was typed. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import FormData

from drybench.errors import GpuWrong
from drybench.quantities import in_vram

FIELD = "gpus"


def filled(form: FormData) -> tuple[str, ...]:
    """As typed. An empty row asks for none: without script there are some to spare."""
    return typed(text for text in form.getlist(FIELD) if isinstance(text, str))


def typed(rows: Iterable[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in rows if text.strip())


def read(rows: Iterable[str]) -> tuple[int, ...]:
    return tuple(_read(text) for text in typed(rows))


def _read(text: str) -> int:
    try:
        return in_vram(text)
    except ValueError:
        raise GpuWrong(typed=text[:40]) from None
