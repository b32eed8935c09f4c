"""Values as they are written in Python, R or Julia: read, never evaluated. Pure."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from drybench.runs.cell_tokens import Token, tokens, with_plain_line_ends

DEEPEST = 50  # brackets in brackets; what reads and writes values goes down by recursion
_LONGEST = 1 << 16

_CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    "python": {"True": True, "False": False, "None": None},
    "r": {"TRUE": True, "FALSE": False, "T": True, "F": False, "NULL": None, "NA": None},
    "julia": {"true": True, "false": False, "nothing": None, "missing": None},
}
_CALLS: Mapping[str, frozenset[str]] = {  # a list, or names with values
    "python": frozenset(),
    "r": frozenset({"c", "list"}),
    "julia": frozenset({"Dict"}),
}
_PAIR: Mapping[str, str] = {"python": ":", "r": "=", "julia": "=>"}
_CLOSING: Mapping[str, str] = {"[": "]", "(": ")", "{": "}"}
_OPENING: Mapping[str, str] = {"python": "[({", "r": "(", "julia": "[("}
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<x>[\da-fA-F]{2})|u(?P<u>[\da-fA-F]{1,4})|[uU]\{(?P<braced>[\da-fA-F]{1,6})\}"
    r"|U(?P<U>[\da-fA-F]{8})|N\{(?P<name>[^}]{1,100})\}|(?P<letter>.))",
    re.DOTALL,
)
_LETTERS: Mapping[str, str] = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b",
    "\n": "", "\\": "\\", "'": "'", '"': '"', "`": "`", "$": "$",
}  # fmt: skip
_NOT_IN_PYTHON = frozenset("e`$")
_HALF = re.compile("[\ud800-\udfff]")


class NotLiteral(Exception):
    """It is computed, or nothing that JSON could say."""


def literal(written: str | Sequence[Token], language: str = "python") -> Any:
    """The value as JSON has it (a tuple and a set are lists), or NotLiteral."""
    if isinstance(written, str):
        if len(written) > _LONGEST:
            raise NotLiteral
        found = tokens(with_plain_line_ends(written), language)
        written = [token for token in found if token.kind not in ("newline", "comment")]
    reading = _Reading(written, language)
    value = reading.value(0)
    if reading.at != len(written):
        raise NotLiteral
    return value


class _Reading:
    def __init__(self, written: Sequence[Token], language: str) -> None:
        self._tokens = written
        self._language = language
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise NotLiteral
        token = self._take()
        if token.text in ("-", "+") and self._is("number"):
            return _number(self._take(), self._language) * (-1 if token.text == "-" else 1)
        if token.kind == "number":
            return _number(token, self._language)
        if token.kind == "text":
            return self._text(token)
        if token.kind == "word":
            return self._word(token, depth)
        if token.kind == "open" and token.text in _OPENING[self._language]:
            return self._bracket(token.text, depth)
        raise NotLiteral

    def _text(self, token: Token) -> str:
        """Python puts together what stands side by side."""
        parts = [_text(token.text, self._language)]
        while self._language == "python" and self._is("text"):
            parts.append(_text(self._take().text, self._language))
        return "".join(parts)

    def _word(self, token: Token, depth: int) -> Any:
        constants = _CONSTANTS[self._language]
        if token.text in constants:
            return constants[token.text]
        if token.text in _CALLS[self._language] and self._next() == "(":
            self._take()
            items, pairs = self._inside(")", depth)
            return pairs if pairs or token.text == "Dict" else items
        raise NotLiteral

    def _bracket(self, opened: str, depth: int) -> Any:
        items, pairs = self._inside(_CLOSING[opened], depth)
        if opened == "{":
            return items or pairs
        if opened == "(" and len(items) == 1 and self._tokens[self.at - 2].text != ",":
            return items[0]  # only a bracket around it
        return _refuse() if pairs or self._language == "r" else items

    def _inside(self, closing: str, depth: int) -> tuple[list[Any], dict[str, Any]]:
        """Items, or names with values; both together are no literal."""
        items: list[Any] = []
        pairs: dict[str, Any] = {}
        while self._next() != closing:
            key = self._key(depth)
            if self._next() == _PAIR[self._language]:
                self._take()
                pairs[_name(key)] = self.value(depth + 1)
            else:
                items.append(key)
            if self._next() == ",":
                self._take()
            elif self._next() != closing:
                raise NotLiteral
        self._take()
        if items and pairs:
            raise NotLiteral
        return items, pairs

    def _key(self, depth: int) -> Any:
        """In R a name stands before the `=` as a bare word."""
        if self._language == "r" and self._is("word") and self._next(1) == "=":
            return self._take().text
        return self.value(depth + 1)

    def _is(self, kind: str) -> bool:
        return self.at < len(self._tokens) and self._tokens[self.at].kind == kind

    def _next(self, further: int = 0) -> str:
        at = self.at + further
        return self._tokens[at].text if at < len(self._tokens) else ""

    def _take(self) -> Token:
        if self.at >= len(self._tokens):
            raise NotLiteral
        self.at += 1
        return self._tokens[self.at - 1]


def _name(key: Any) -> str:
    """JSON's names are text only."""
    return key if isinstance(key, str) else _refuse() if isinstance(key, list | dict) else json.dumps(key)


def _number(token: Token, language: str) -> int | float:
    """A plain `1` is a float in R, and an integer there is `1L`."""
    text = token.text.removesuffix("L")
    try:
        if text[:2].lower() in ("0x", "0o", "0b") or (language != "r" and not set(text) & set(".eE")):
            return int(text, 0)
        number = float(text)
    except ValueError:
        raise NotLiteral from None
    if not math.isfinite(number):
        raise NotLiteral
    return int(number) if token.text.endswith("L") else number


def _text(written: str, language: str) -> str:
    quote = re.search(r'"""|\'\'\'|"|\'|`', written)
    if quote is None or quote[0] == "`":
        raise NotLiteral
    prefix, mark = written[: quote.start()].lower(), quote[0]
    body = written[quote.end() : -len(mark)]
    if len(written) < quote.end() + len(mark) or not written.endswith(mark):
        raise NotLiteral  # it never ends
    raw = prefix in ("r", "raw") and language != "r"
    if prefix not in ("", "u") and not (raw and prefix == ("r" if language == "python" else "raw")):
        raise NotLiteral
    if language == "julia" and not raw and re.search(r"(?<!\\)(?:\\\\)*\$", body):
        raise NotLiteral  # it is computed
    said = body if raw or "\\" not in body else _ESCAPE.sub(partial(_meant, language), body)
    return _refuse() if _HALF.search(said) else said


def _meant(language: str, escape: re.Match[str]) -> str:
    kind, digits = escape.lastgroup or "", escape[escape.lastgroup or 0]
    try:
        if kind == "letter":
            known = not (language == "python" and digits in _NOT_IN_PYTHON)
            return _LETTERS[digits] if known and digits in _LETTERS else escape[0]
        if kind == "name":
            return unicodedata.lookup(digits)
        return chr(int(digits, 8 if kind == "octal" else 16))
    except (KeyError, ValueError):
        raise NotLiteral from None


def _refuse() -> NoReturn:
    raise NotLiteral
