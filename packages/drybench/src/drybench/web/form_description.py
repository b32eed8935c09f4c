"""How the API's description tells of forms: a notebook, and beside it fields that are JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

from drybench.web.shapes import RunAsk

_NOTEBOOK = "The notebook (.ipynb), unless the request names it"
_REQUIREMENTS = "What it needs beside the environment (requirements.txt)"


def form(request: type[BaseModel] = RunAsk, **more: type[BaseModel]) -> dict[str, Any]:
    """For `openapi_extra`: FastAPI cannot know what a handler reads out of a form by itself."""
    files = {"notebook": _file(_NOTEBOOK), "requirements": _file(_REQUIREMENTS)}
    return _form(files, {"request": request, **more}, list(more))


def several(files: str, what: str, **asked: type[BaseModel]) -> dict[str, Any]:
    """A form with any number of files in one field."""
    return _form({files: {"type": "array", "items": _file(what)}}, asked, list(asked))


def _form(files: dict[str, Any], asked: Mapping[str, type[BaseModel]], required: list[str]) -> dict[str, Any]:
    fields = {name: _described(shape) for name, shape in asked.items()}
    content = {
        "schema": {"type": "object", "properties": {**files, **fields}, "required": required},
        "encoding": {name: {"contentType": "application/json"} for name in asked},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": content}}}


def _file(what: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "description": what}


def _described(shape: type[BaseModel]) -> dict[str, Any]:
    """In one piece: what a form has in it is not among the description's components."""
    schema = shape.model_json_schema()
    return _in_one_piece(schema, schema.pop("$defs", {}))


def _in_one_piece(part: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_in_one_piece(one, known) for one in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    found = cast("dict[str, Any]", part)
    if "$ref" in found:
        return _in_one_piece(known[found["$ref"].rpartition("/")[2]], known)
    return {name: _in_one_piece(one, known) for name, one in found.items()}
