"""What a cell in Python, R or Julia sets, as it is written there. Pure, and nothing of it is run."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drybench.runs.cell_tokens import Statement, Token, statements, with_plain_line_ends
from drybench.runs.literals import NotLiteral, literal

LONGEST = 1 << 16  # characters of a cell that is read
_ASSIGNS: Mapping[str, frozenset[str]] = {
    "python": frozenset({"="}),
    "r": frozenset({"<-", "=", "<<-"}),
    "julia": frozenset({"="}),
}
_ANNOTATES: Mapping[str, str] = {"python": ":", "julia": "::"}
_BEFORE_A_NAME = frozenset({"const", "global", "local"})
# What is indented below these is set for them alone.
_OF_ITS_OWN = frozenset({"def", "class", "async", "function", "macro", "struct", "mutable", "let", "module"})


@dataclass(frozen=True)
class Written:
    """`type` is the word for its default's own type; empty where it is computed."""

    name: str
    annotation: Sequence[Token]
    default: str
    type: str
    value: Any  # of the default, as JSON has it; None as well where it is computed
    comment: str


def written(source: str, language: str) -> list[Written]:
    """In the order of the cell. What is set twice has its last value."""
    source = with_plain_line_ends(source)
    found: dict[str, Written] = {}
    own = False
    for statement in statements(source, language):
        if not statement.indented:
            own = statement.tokens[0].text in _OF_ITS_OWN
        if not own:
            found |= {one.name: one for one in _assigned(source, statement, language)}
    return list(found.values())


def _assigned(source: str, statement: Statement, language: str) -> Iterator[Written]:
    part, names = statement.tokens, list[str]()
    annotation: Sequence[Token] = ()
    if language == "julia" and part[0].text in _BEFORE_A_NAME:
        part = part[1:]
    begin = 0
    while begin + 2 < len(part) and part[begin].kind == "word" and not keyword.iskeyword(part[begin].text):
        sign = part[begin + 1].text
        if sign in _ASSIGNS[language]:
            value = begin + 2
        elif sign == _ANNOTATES.get(language) and (equals := _equals(part, begin + 2)):
            annotation, value = part[begin + 2 : equals], equals + 1
        else:
            break
        names.append(part[begin].text)
        begin = value
    if names and begin < len(part):
        yield from _one_by_one(source, names, annotation, part[begin:], statement.comment, language)


def _one_by_one(
    source: str, names: Sequence[str], annotation: Sequence[Token], value: Sequence[Token], comment: str, language: str
) -> Iterator[Written]:
    default = source[value[0].start : value[-1].end]
    type, read = _read(value, language)
    yield from (Written(name, annotation, default, type, read, comment) for name in names)


def _equals(part: Sequence[Token], begin: int) -> int | None:
    depth = 0
    for at in range(begin, len(part)):
        depth += (part[at].kind == "open") - (part[at].kind == "close")
        if depth == 0 and part[at].text == "=":
            return at
    return None


def _read(value: Sequence[Token], language: str) -> tuple[str, Any]:
    if language == "python" and (inner := _of_path(value)):
        return "Path", inner
    try:
        read = literal(value, language)
    except NotLiteral:
        return "", None
    return _word(read, value, language), read


def _of_path(value: Sequence[Token]) -> str | None:
    """`Path("x")` and `pathlib.Path("x")`."""
    texts = [token.text for token in value]
    if texts[:2] == ["pathlib", "."]:
        value, texts = value[2:], texts[2:]
    if len(value) < 4 or texts[:2] != ["Path", "("] or texts[-1] != ")":
        return None
    try:
        inner = literal(value[2:-1])
    except NotLiteral:
        return None
    return inner if isinstance(inner, str) else None


def _word(read: Any, value: Sequence[Token], language: str) -> str:
    """In the language's own words."""
    if language == "python":
        if isinstance(read, list):
            return {"(": "tuple", "{": "set"}.get(value[0].text, "list")
        return type(read).__name__
    kind = "NoneType" if read is None else type(read).__name__
    return _WORDS[language][kind]


_WORDS: Mapping[str, Mapping[str, str]] = {
    "r": {
        "bool": "logical",
        "int": "integer",
        "float": "numeric",
        "str": "character",
        "list": "list",
        "dict": "list",
        "NoneType": "NULL",
    },
    "julia": {
        "bool": "Bool",
        "int": "Int",
        "float": "Float64",
        "str": "String",
        "list": "Vector",
        "dict": "Dict",
        "NoneType": "Nothing",
    },
}
