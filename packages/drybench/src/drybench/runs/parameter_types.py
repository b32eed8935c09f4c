"""The types that a parameter's annotation names, and what a form may ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drybench.runs.cell_tokens import Token, split, tokens
from drybench.runs.literals import NotLiteral, literal

KINDS = ("whole", "number", "yes_no", "text", "lines", "list", "mapping", "nothing", "path", "choice", "other")
_DEEPEST = 20
_LONGEST = 10_000  # of an annotation

# By the kind that a value may be asked for as: Python's and JSON's classes of it.
TAKES: Mapping[str, tuple[type, ...]] = {
    "yes_no": (bool,),  # and a bool is no int here, though Python says so
    "whole": (int,),
    "number": (int, float),
    "text": (str,),
    "lines": (str,),
    "path": (str,),
    "list": (list,),
    "mapping": (dict,),
    "nothing": (type(None),),
}
IN_WORDS: Mapping[str, str] = {
    "yes_no": "true or false",
    "whole": "a whole number",
    "number": "a number",
    "text": "text",
    "lines": "text",
    "path": "the path of a file or folder",
    "list": "a list",
    "mapping": "names with values",
    "nothing": "nothing",
}
_NAMED: Mapping[str, str] = {
    word.lower(): kind
    for kind, words in {
        "yes_no": "bool logical",
        "whole": "int integer Int8 Int16 Int32 Int64 Int128 UInt UInt8 UInt16 UInt32 UInt64 BigInt",
        "number": "float Float16 Float32 Float64 numeric Real AbstractFloat",
        "text": "str string AbstractString character",
        "path": "Path PosixPath PurePath PathLike FilePath DirectoryPath UPath",
        "list": "list tuple set frozenset sequence iterable vector AbstractVector Array",
        "mapping": "dict mapping AbstractDict",
        "nothing": "None NoneType NULL nothing missing",
    }.items()
    for word in words.split()
}


@dataclass(frozen=True)
class Asked:
    """`kinds` is empty where the annotation names a type that JSON does not have, such as Any."""

    kinds: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()
    optional: bool = False

    @property
    def kind(self) -> str:
        """The one word for a form."""
        if self.choices:
            return "choice"
        kinds = set(self.kinds)
        for one, also in (("number", "whole"), ("path", "text")):
            kinds -= {also} if one in kinds else set()
        if not kinds and self.optional:
            return "nothing"
        return kinds.pop() if len(kinds) == 1 else "other"


def asked(annotation: str | Sequence[Token]) -> Asked:
    if isinstance(annotation, str):
        annotation = list(tokens(annotation[:_LONGEST]))
    try:
        named = list(_alternatives(annotation, 0))
    except NotLiteral:
        return Asked()
    kinds = tuple(dict.fromkeys(kind for kind, _ in named if kind not in ("choice", "nothing")))
    choices = tuple(value for kind, value in named if kind == "choice")
    if choices and kinds:
        return Asked()  # Literal["auto"] | int: said in words only
    return Asked(kinds, choices, any(kind == "nothing" for kind, _ in named))


def kind_of_value(value: Any) -> str:
    if isinstance(value, str):
        return "lines" if "\n" in value else "text"
    return next(kind for kind, classes in TAKES.items() if value.__class__ in classes)


def _alternatives(part: Sequence[Token], depth: int) -> Iterator[tuple[str, Any]]:
    """Kinds, and choices with their values; NotLiteral where a type is not one of JSON's."""
    if depth > _DEEPEST or not part:
        raise NotLiteral
    for one in split(part, "|"):
        yield from _one(one, depth)


def _one(part: Sequence[Token], depth: int) -> Iterator[tuple[str, Any]]:
    if len(part) == 1 and part[0].kind == "text":
        yield from _alternatives(list(tokens(literal(part))), depth + 1)  # quoted: meant for later
        return
    name, inner = _name_and_inner(part)
    if name == "Literal":
        yield from _choices(inner)
    elif name == "Optional":
        yield ("nothing", None)
        yield from _alternatives(inner, depth + 1)
    elif name == "Union":
        for each in split(inner, ","):
            yield from _alternatives(each, depth + 1)
    elif name in ("Annotated", "Final"):
        yield from _alternatives(split(inner, ",")[0] if inner else (), depth + 1)
    elif kind := _NAMED.get(name.lower()):
        yield (kind, None)
    else:
        raise NotLiteral


def _name_and_inner(part: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """typing.Optional[int] is Optional and int."""
    opened = next((at for at, token in enumerate(part) if token.kind == "open"), len(part))
    before = part[:opened]
    if not before or before[-1].kind != "word" or any(token.text != "." for token in before[1::2]):
        raise NotLiteral
    if opened < len(part) and part[-1].kind != "close":
        raise NotLiteral
    return before[-1].text, part[opened + 1 : -1] if opened < len(part) else ()


def _choices(inner: Sequence[Token]) -> Iterator[tuple[str, Any]]:
    for each in split(inner, ","):
        value = literal(each)
        if isinstance(value, list | dict):
            raise NotLiteral
        yield ("nothing", None) if value is None else ("choice", value)
