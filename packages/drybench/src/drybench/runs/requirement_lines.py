"""What a run's requirements.txt may say: packages by name, nothing that chooses where they come from. Pure.

A line that names an index, an address or a folder could fetch another's package under a known
name, or read this machine's files, so that is the keeper's to allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from drybench.errors import RequirementsWrong

MOST_BYTES = 64 << 10
MOST_LINES = 500
MOST_TOLD = 10  # problems in one answer

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")
_SOUND_HASH = re.compile(r"\s--hash[= ](sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_ADDRESS = re.compile(r"^([\w+.-]+://|git@|file:)", re.IGNORECASE)
_FOLDER = re.compile(r"^[.~/\\]|\.(whl|zip|tar\.gz|tgz)(\[.*\])?$|^[^<>=!;@\[\s]*/", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    number: int  # of its first line, counted from 1
    text: str  # without comment and without the breaks of a continued line


def check(text: str, from_anywhere: bool = False) -> None:
    """RequirementsWrong, with each wrong line's number and what is wrong with it."""
    problems = [
        f"line {line.number} ({_short(line.text)}): {problem}"
        for line in lines(text)
        if (problem := _problem(line.text, from_anywhere))
    ]
    if problems:
        more = len(problems) - MOST_TOLD
        told = problems[:MOST_TOLD] + ([f"and {more} more"] if more > 0 else [])
        raise RequirementsWrong(problems="; ".join(told))


def lines(text: str) -> list[Line]:
    """Those that say something. RequirementsWrong where there is more than is taken, or no text."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise RequirementsWrong(problems=f"it is longer than {MOST_BYTES >> 10} KiB")
    if unfit := re.search(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]", text):
        number = text.count("\n", 0, unfit.start()) + 1
        raise RequirementsWrong(problems=f"line {number}: it has a character that is no text")
    found = [Line(number, said) for number, whole in _joined(text) if (said := _COMMENT.sub("", whole).strip())]
    if len(found) > MOST_LINES:
        raise RequirementsWrong(problems=f"it has more than {MOST_LINES} lines")
    return found


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """A backslash at its end continues a line, as pip has it."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        begun = begun or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        yield begun, "".join((*parts, line))
        begun, parts = 0, []
    if parts:
        yield begun, "".join(parts)


def _problem(text: str, from_anywhere: bool) -> str | None:
    if elsewhere := _from_elsewhere(text):
        return None if from_anywhere else elsewhere
    if len(_HASH.findall(text)) != len(_SOUND_HASH.findall(text)):
        return "a hash is written as --hash=sha256: and 64 hexadecimal digits"
    return _no_requirement(_HASH.sub("", text))


def _from_elsewhere(text: str) -> str | None:
    if text.startswith("-"):
        return f"options such as {_short(re.split('[ =]', text)[0])} are not taken here"
    if _ADDRESS.match(text):
        return "an address is not taken here"
    if _FOLDER.search(_HASH.sub("", text).split(";")[0].strip()) and "@" not in text:
        return "a file or folder of a machine is not taken here"
    if re.match(r"[\w.-]+\s*(\[[^\]]*\])?\s*@", text):
        return "a package from an address is not taken here"
    return None


def _no_requirement(text: str) -> str | None:
    try:
        Requirement(text)
    except InvalidRequirement as problem:
        return str(problem).split("\n", maxsplit=1)[0].rstrip(".")
    return None


def _short(text: str) -> str:
    """Addresses may carry a password."""
    bare = re.sub(r"://[^/@\s]*@", "://", text)
    return bare if len(bare) <= 60 else f"{bare[:59]}…"
