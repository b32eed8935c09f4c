"""What somebody brings to be built on a shipped environment: from files to a Dockerfile and its context. Pure.

A `Dockerfile` says all of it by itself, and the other files are there for it to copy. Without one, `apt.txt`,
`environment.yml` and `requirements.txt` are installed, in this order. What they name is checked first: a line of them
must not become a word of a shell, an option of apt or pip, or an image that the keeper has not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from drybench.errors import BroughtWrong, DrybenchError
from drybench.runs import requirement_lines

BASE = "DRYBENCH_PARENT"  # the argument by which the build says what it is built on
DOCKERFILE, APT, CONDA, PIP = "Dockerfile", "apt.txt", "environment.yml", "requirements.txt"
KNOWN = (DOCKERFILE, APT, CONDA, PIP)
OTHER_NAMES = {"environment.yaml": CONDA}

MOST_BYTES = 20 << 20  # of all files together
MOST_FILES = 500
MOST_OF_A_TEXT = 64 << 10
MOST_PACKAGES = 500
MOST_TOLD = 10  # problems in one answer

_PATH = re.compile(r"(?!drybench-)[^\x00-\x1f\x7f\\]{1,200}")  # what begins so is put there by the build
_APT = re.compile(r"[a-z0-9][a-z0-9.+-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?")
_CONDA = re.compile(r"[A-Za-z0-9._/-]+(::[A-Za-z0-9._-]+)?[A-Za-z0-9 .,=<>!~|*+_\[\]'\"-]*")
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_CERTIFICATES, _ALL = "drybench-ca.crt", "/tmp/certificates"
_TRUSTING = (
    f"if [ -s /tmp/{_CERTIFICATES} ]; then cat /etc/ssl/certs/ca-certificates.crt /tmp/{_CERTIFICATES} > {_ALL};"
    f" export SSL_CERT_FILE={_ALL} PIP_CERT={_ALL} REQUESTS_CA_BUNDLE={_ALL}; fi"
)
_RUN_ALL = " \\\n    && "
_GOES_ON = re.compile(r"\\[ \t]*$")
_UNCLEAR = re.compile(r"\\\\[ \t]*$")  # to one builder the instruction goes on, to another it ends
_LIES_HERE = re.compile(r"[\w./*?~+@=-]+")
_DIRECTIVE = re.compile(r"#\s*(syntax|escape|check)\s*=", re.IGNORECASE)


@dataclass(frozen=True)
class Rules:
    """What the keeper allows."""

    any_image: bool = False  # images by their names, also in a Dockerfile
    from_anywhere: bool = False  # requirements with indexes and addresses


def context(files: Mapping[str, bytes], rules: Rules = Rules()) -> dict[str, bytes]:
    """All that the build gets, with the Dockerfile in it; BroughtWrong says what is wrong with which file and line."""
    found = _named(files)
    if DOCKERFILE in found:
        return {**found, DOCKERFILE: _completed(_text(found, DOCKERFILE), rules).encode()}
    if not found.keys() & {APT, CONDA, PIP}:
        raise BroughtWrong(problems=f"none of {', '.join(KNOWN)} is among its files")
    made = {name: content for name, content in found.items() if name in KNOWN}
    return {**made, DOCKERFILE: _written(found, rules).encode()}


def image_name(typed: str) -> str:
    """As a container engine takes it, and nothing that could be read as an option."""
    name = typed.strip()
    if len(name) > 300 or not _IMAGE.fullmatch(name):
        raise BroughtWrong(
            problems=f"“{_short(name)}” is no image's name, such as quay.io/jupyter/scipy-notebook:2024-01"
        )
    return name


def apt_packages(text: str) -> list[str]:
    names = [name for line in _lines(text) for name in line.split()]
    wrong = [name for name in names if not _APT.fullmatch(name) or name.partition("=")[0].endswith("-")]
    if wrong:
        raise BroughtWrong(problems=_told(f"{APT}: “{_short(name)}” is no package's name" for name in wrong))
    if len(names) > MOST_PACKAGES:
        raise BroughtWrong(problems=f"{APT} names more than {MOST_PACKAGES} packages")
    return names


def check_conda(text: str, rules: Rules) -> None:
    said = _yaml(text)
    problems = [*_unknown_channels(said.get("channels") or ()), *_unknown_packages(said.get("dependencies"), rules)]
    if problems:
        raise BroughtWrong(problems=_told(f"{CONDA}: {problem}" for problem in problems))


def _named(files: Mapping[str, bytes]) -> dict[str, bytes]:
    if len(files) > MOST_FILES:
        raise BroughtWrong(problems=f"they are more than {MOST_FILES} files")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise BroughtWrong(problems=f"its files are larger than {MOST_BYTES >> 20} MiB together")
    wrong = [name for name in files if not _PATH.fullmatch(name) or {"", ".", ".."} & set(name.split("/"))]
    if wrong:
        raise BroughtWrong(problems=f"“{_short(wrong[0])}” is no name of a file that is taken")
    return {OTHER_NAMES.get(name, name): content for name, content in files.items()}


def _text(files: Mapping[str, bytes], name: str) -> str:
    if len(files[name]) > MOST_OF_A_TEXT:
        raise BroughtWrong(problems=f"{name} is longer than {MOST_OF_A_TEXT >> 10} KiB")
    try:
        text = files[name].decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise BroughtWrong(problems=f"{name} is no text") from None
    if unfit := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        number = text.count("\n", 0, unfit.start()) + 1
        raise BroughtWrong(problems=f"{name}, line {number}: it has a character that is no text")
    return text


def _written(files: Mapping[str, bytes], rules: Rules) -> str:
    steps = [f"ARG {BASE}", f"FROM ${{{BASE}}}", "USER root"]
    if APT in files:
        steps += _apt_step(apt_packages(_text(files, APT)))
    if CONDA in files:
        check_conda(_text(files, CONDA), rules)
        steps += _conda_step()
    if PIP in files:
        requirement_lines.check(_text(files, PIP), rules.from_anywhere)
        steps += _steps(PIP, f"python -m pip install --no-cache-dir -r /tmp/{PIP}")
    return "\n".join([*steps, "USER person", ""])


def _apt_step(names: list[str]) -> list[str]:
    if not names:
        return []
    return [
        _RUN_ALL.join(
            (
                "RUN apt-get update",
                " \\\n        ".join(("apt-get install --yes --no-install-recommends --", *names)),
                "rm -rf /var/lib/apt/lists/*",
            )
        )
    ]


def _conda_step() -> list[str]:
    """An environment beside Python's own, which appears as a kernel. What has no conda says so and how to get it."""
    kernel = f"--prefix /opt/python --name brought --display-name 'Python ({CONDA})'"
    return _steps(
        CONDA,
        "export MAMBA_ROOT_PREFIX=/tmp/conda",
        f"conda create --yes --prefix /opt/brought --file /tmp/{CONDA}",
        "conda install --yes --prefix /opt/brought --channel conda-forge ipykernel",
        f"/opt/brought/bin/python -m ipykernel install {kernel}",
        "rm -rf /tmp/conda",
    )


def _steps(file: str, *commands: str) -> list[str]:
    """With the certificates that the keeper has named for builds, where there are some."""
    copied = f"COPY {file} {_CERTIFICATES} /tmp/"
    return [copied, _RUN_ALL.join((f"RUN {_TRUSTING}", *commands, f"rm -f /tmp/{file} /tmp/{_CERTIFICATES} {_ALL}"))]


def _completed(text: str, rules: Rules) -> str:
    """It begins on what it is built on, unless it says so itself."""
    if any(_DIRECTIVE.match(line.strip()) for line in text.split("\n")):
        raise BroughtWrong(problems=f"{DOCKERFILE}: directives such as `# syntax=` are not taken")
    instructions = list(_instructions(text))
    problems = [*_unclear(text), *_foreign(instructions, rules)]
    if problems:
        raise BroughtWrong(problems=_told(problems))
    if not any(words[0].upper() == "FROM" for _, words in instructions):
        return f"ARG {BASE}\nFROM ${{{BASE}}}\n{text}"
    declared = any(words[0].upper() == "ARG" and words[1:2] == [BASE] for _, words in instructions)
    return text if declared else f"ARG {BASE}\n{text}"


def _unclear(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if _UNCLEAR.search(line) and not line.lstrip().startswith("#"):
            yield f"{DOCKERFILE}, line {number}: it ends in more than one backslash"


def _instructions(text: str) -> Iterator[tuple[int, list[str]]]:
    """As Docker reads them: comments and empty lines do not end an instruction that goes on, nor a word of it."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun or number
        parts.append(_GOES_ON.sub("", line))
        if _GOES_ON.search(line):
            continue
        if words := "".join(parts).split():
            yield begun, words
        begun, parts = 0, []
    if words := "".join(parts).split():
        yield begun, words


def _foreign(instructions: list[tuple[int, list[str]]], rules: Rules) -> Iterator[str]:
    """Whatever takes more from elsewhere than what it is built on, or asks the builder for rights."""
    stages = set[str]()
    for number, said in instructions:
        words = said[1:] if said[0].upper() == "ONBUILD" and said[1:] else said  # for who builds on this
        where, options = f"{DOCKERFILE}, line {number}", [word for word in words[1:] if word.startswith("--")]
        if words[0].upper() == "FROM":
            image, *rest = [word for word in words[1:] if not word.startswith("--")] or [""]
            if image not in (f"${{{BASE}}}", f"${BASE}", *stages) and not rules.any_image:
                yield f"{where}: it begins with `FROM ${{{BASE}}}` here, as other images are the keeper's to allow"
            if len(rest) == 2 and rest[0].upper() == "AS":
                stages.add(rest[1])
        elif words[0].upper() == "RUN" and options:
            first = [word for word in words[1:2] if word.startswith("--")]
            if first:
                yield f"{where}: `RUN {_short(first[0])}` is not taken here"
        elif words[0].upper() in ("COPY", "ADD"):
            sources = [word.removeprefix("--from=") for word in options if word.startswith("--from=")]
            if not rules.any_image and any(not one.isdigit() and one not in stages for one in sources):
                yield f"{where}: it copies out of an image, which is the keeper's to allow"
            named = [word for word in words[1:] if word not in options]
            if words[0].upper() == "ADD" and not all(map(_LIES_HERE.fullmatch, named)):
                yield f"{where}: `ADD` takes names of files here; what lies elsewhere is for `RUN` to fetch"


def _yaml(text: str) -> dict[str, Any]:
    try:
        said: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BroughtWrong(problems=f"{CONDA}{where}: it is no YAML") from None
    if not isinstance(said, dict):
        raise BroughtWrong(problems=f"{CONDA}: it lists no `dependencies`")
    return cast("dict[str, Any]", said)


def _unknown_channels(channels: object) -> Iterator[str]:
    for channel in _several(channels):
        if not isinstance(channel, str) or not _CHANNEL.fullmatch(channel):
            yield f"{_quoted(channel)} is no channel by its name"


def _unknown_packages(dependencies: object, rules: Rules) -> Iterator[str]:
    several = _several(dependencies)
    if not several:
        yield "it lists no `dependencies`"
    for one in several[:MOST_PACKAGES]:
        if isinstance(one, dict):
            yield from _unknown_requirements(cast("dict[object, object]", one), rules)
        elif not isinstance(one, str) or not _CONDA.fullmatch(one.strip()) or one.startswith((".", "/", "-")):
            yield f"{_quoted(one)} is no package"
    if len(several) > MOST_PACKAGES:
        yield f"it names more than {MOST_PACKAGES} packages"


def _unknown_requirements(said: dict[object, object], rules: Rules) -> Iterator[str]:
    lines = _several(said.get("pip"))
    if said.keys() != {"pip"} or not all(isinstance(line, str) for line in lines):
        yield "beside packages it may have a list `pip` and nothing else"
        return
    try:
        requirement_lines.check("\n".join(map(str, lines)), rules.from_anywhere)
    except DrybenchError as refusal:
        yield f"pip: {refusal.facts.get('problems', '')}"


def _several(said: object) -> list[object]:
    return list(cast("list[object]", said)) if isinstance(said, list | tuple) else []


def _lines(text: str) -> list[str]:
    bare = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in bare if line]


def _told(problems: Iterator[str] | list[str]) -> str:
    every = list(problems)
    more = [f"and {len(every) - MOST_TOLD} more"] if len(every) > MOST_TOLD else []
    return "; ".join([*every[:MOST_TOLD], *more])


def _quoted(found: object) -> str:
    """Only text: what YAML makes of a few lines that name each other may be endless when it is written out."""
    return f"“{_short(found)}”" if isinstance(found, str) else "what is no text"


def _short(text: str) -> str:
    bare = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return bare if len(bare) <= 60 else f"{bare[:59]}…"
