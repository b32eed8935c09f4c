"""A cell in Python, R or Julia cut into statements, each with the comment behind it.

Enough of the three grammars to tell where a text, a bracket, a comment and a statement end; nothing is run, and
the time it takes grows with the length alone (possessive patterns never go back).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_QUOTED = r'"(?:[^"\\]|\\.)*+"?'
_QUOTED_SINGLE = r"'(?:[^'\\]|\\.)*+'?"
_THRICE = r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?'
_THRICE_SINGLE = r"'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?"
_ON_ONE_LINE = r'"(?:[^"\\\n]|\\.)*+"?|' + r"'(?:[^'\\\n]|\\.)*+'?"
_BACKTICKS = r"`[^`]*+`?"

_TEXT: Mapping[str, str] = {
    "python": rf"[rRbBuUfF]{{0,2}}(?:{_THRICE}|{_THRICE_SINGLE}|{_ON_ONE_LINE})",
    "r": rf"{_QUOTED}|{_QUOTED_SINGLE}|{_BACKTICKS}",
    "julia": rf"(?:raw|[rbv])?(?:{_THRICE}|{_QUOTED})|(?<![\w)\]}}'.])'(?:[^'\\\n]|\\.)*+'|{_BACKTICKS}",
}
_WORD: Mapping[str, str] = {"python": r"[^\W\d]\w*+", "r": r"(?:[^\W\d]|\.(?!\d))[\w.]*+", "julia": r"[^\W\d][\w!]*+"}
_NUMBER = r"0[xXoObB][\da-fA-F_]++L?|(?:\d[\d_]*+(?:\.(?!\.)[\d_]*+)?|\.\d[\d_]*+)(?:[eE][+-]?\d++)?[jJL]?"
_SKIPPED = r"[ \t\f\v\ufeff\xa0]++|\\\n"
_SKIPPED_IN_JULIA = rf"#=(?:[^=]|=(?!\#))*+(?:=\#)?|{_SKIPPED}"
_OPERATOR = r"<<-|<-|->|::|:=|=>|//=|\*\*=|[-+*/%&|^@<>=!]=|."
# What a statement cannot end with: the next line goes on with it. (Python has brackets and backslashes only.)
_GOES_ON = frozenset({"<-", "<<-", "=", "+", "-", "*", "/", ",", "=>", "|"})
_NOT_PYTHON = frozenset("%!?")  # what a line of IPython's own begins with


class Token(NamedTuple):
    kind: str  # text, number, word, open, close, operator, comment, newline
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    tokens: Sequence[Token]
    comment: str = ""
    indented: bool = False


def with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tokens(source: str, language: str = "python") -> Iterator[Token]:
    """Of a source with plain line ends; `language` is python, r or julia."""
    for found in _PATTERNS[language].finditer(source):
        if (kind := found.lastgroup or "") != "skipped":
            yield Token(kind, found[0], found.start(), found.end())


def statements(source: str, language: str) -> Iterator[Statement]:
    part: list[Token] = []
    comments: list[Token] = []
    depth, line, indented, ignored = 0, 0, False, False
    for token in tokens(source, language):
        if token.kind == "newline" or token.text == ";":
            if depth == 0 and not (token.kind == "newline" and _goes_on(part, language)):
                if part and not ignored:
                    yield Statement(part, _beside(source, part, comments), indented)
                part, comments, ignored = [], [], ignored and token.kind != "newline"
            line = token.end if token.kind == "newline" else line
        elif token.kind == "comment":
            comments += [token] if part else []
        else:
            if not part:
                ignored = ignored or (language == "python" and token.text in _NOT_PYTHON)
                indented = token.start > line if source[line : line + 1].isspace() else False
            part.append(token)
            depth = 0 if ignored else max(0, depth + (token.kind == "open") - (token.kind == "close"))
    if part and not ignored:
        yield Statement(part, _beside(source, part, comments), indented)


def split(part: Sequence[Token], by: str) -> list[Sequence[Token]]:
    """At this operator, where it is in no bracket; nothing behind the last one is no part."""
    parts: list[Sequence[Token]] = []
    depth = begin = 0
    for at, token in enumerate(part):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and token.text == by:
            parts.append(part[begin:at])
            begin = at + 1
    return [*parts, part[begin:]] if begin < len(part) else parts


def _beside(source: str, part: Sequence[Token], comments: Sequence[Token]) -> str:
    """The comment on the last line counts, as for papermill; else the one on the first."""
    if not comments:
        return ""
    last, first = comments[-1], comments[0]
    if last.start >= part[-1].end:
        return last.text.lstrip("#").strip()
    return "" if "\n" in source[part[0].start : first.start] else first.text.lstrip("#").strip()


def _goes_on(part: Sequence[Token], language: str) -> bool:
    return bool(part) and language != "python" and part[-1].text in _GOES_ON


def _pattern(language: str) -> re.Pattern[str]:
    groups = {
        "skipped": _SKIPPED_IN_JULIA if language == "julia" else _SKIPPED,
        "comment": r"\#[^\n]*+",
        "text": _TEXT[language],
        "number": _NUMBER,
        "word": _WORD[language],
        "newline": r"\n",
        "open": r"[\[({]",
        "close": r"[\])}]",
        "operator": _OPERATOR,
    }
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in groups.items()), re.DOTALL)


_PATTERNS: Mapping[str, re.Pattern[str]] = {language: _pattern(language) for language in _TEXT}
