"""What a form asks for while it is filled in: files to choose from, and whether a value fits. In /api/v1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from drybench.errors import RequestWrong
from drybench.files import Entry, Listing, Look, Place
from drybench.runs.parameter_making import Parameter
from drybench.runs.parameter_types import KINDS
from drybench.runs.typed_text import Problem as Wrong
from drybench.runs.typed_text import Unset, from_text
from drybench.web.door import ForAll, ForRuns
from drybench.web.portal import Here
from drybench.web.shapes import Ask, Problem

router = APIRouter(
    prefix="/api/v1",
    tags=["forms"],
    responses={status: {"model": Problem} for status in (401, 403, 404, 413, 422, 503)},
)


class PlaceJson(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    path: str

    @classmethod
    def of(cls, place: Place) -> PlaceJson:
        return cls.model_validate(place)


class EntryJson(BaseModel):
    """`path` is null where it cannot be chosen: a link that leads elsewhere, a pipe, a name that is no text."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    kind: Literal["folder", "file", "link", "other"]
    path: str | None
    size: int | None
    modified: float | None

    @classmethod
    def of(cls, entry: Entry) -> EntryJson:
        return cls.model_validate(entry)


class FilesJson(BaseModel):
    folder: str
    places: Sequence[PlaceJson] = Field(description="Where one can begin")
    way: Sequence[PlaceJson] = Field(description="From one of them to this folder")
    items: Sequence[EntryJson]
    next: int | None = Field(description="What to give as `since` for those after them")
    cut: bool = Field(description="The folder has more names than are looked at")

    @classmethod
    def of(cls, found: Listing) -> FilesJson:
        return cls(
            folder=found.folder,
            places=[PlaceJson.of(place) for place in found.places],
            way=[PlaceJson.of(place) for place in found.way],
            items=[EntryJson.of(entry) for entry in found.entries],
            next=found.next,
            cut=found.cut,
        )


class CheckAsk(Ask):
    """A parameter as `POST /notebooks/inspect` describes it, and what was typed for it."""

    parameter: Parameter
    text: str = Field(max_length=1 << 20)

    @field_validator("parameter", mode="before")
    @classmethod
    def _as_described(cls, said: Any) -> Any:
        """What an inspection says beside is no mistake: it is its own answer that comes back."""
        known = {one.name for one in fields(Parameter)}
        if not isinstance(said, dict):
            return said
        return {name: value for name, value in cast("dict[str, Any]", said).items() if name in known}


class CheckedJson(BaseModel):
    """`given` is false where nothing was typed: then the notebook's own default counts."""

    fits: bool
    given: bool
    value: Any
    sentence: str


@router.get("/files")
def files(
    portal: Here,
    asker: ForAll,
    folder: Annotated[str, Query(max_length=4000, description="Empty: the home")] = "",
    kind: Annotated[Literal["file", "folder"], Query(description="folder: folders only")] = "file",
    pattern: Annotated[str, Query(max_length=200, description="Of files, such as *.ipynb")] = "",
    search: Annotated[str, Query(max_length=200, description="A part of the name")] = "",
    hidden: Annotated[bool, Query(description="Also names that begin with a dot")] = False,
    beside: Annotated[str, Query(max_length=4000, description="A notebook, whose folder is shown too")] = "",
    since: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> FilesJson:
    """One folder of the person's own files, where the bench's account is theirs."""
    look = Look(folder, pattern, search, kind == "folder", hidden, beside, since)
    return FilesJson.of(portal.files.list(asker.person, look))


@router.post("/notebooks/check")
def check(asker: ForRuns, ask: CheckAsk) -> CheckedJson:
    """Whether a typed value fits a parameter, and what it is read as."""
    if ask.parameter.kind not in KINDS:
        raise RequestWrong(field="parameter.kind", problem=f"it is one of {', '.join(KINDS)}")
    if ask.parameter.step is not None and not ask.parameter.step > 0:
        raise RequestWrong(field="parameter.step", problem="it is more than 0")
    value = from_text(ask.parameter, ask.text)
    if isinstance(value, Wrong):
        return CheckedJson(fits=False, given=True, value=None, sentence=value.sentence)
    given = not isinstance(value, Unset)
    return CheckedJson(fits=True, given=given, value=value if given else None, sentence="")
