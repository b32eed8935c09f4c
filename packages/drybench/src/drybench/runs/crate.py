"""A run as an RO-Crate: what ro-crate-metadata.json says of it and of the files beside it. Pure.

It follows the Workflow Run Crate profile 0.5 on RO-Crate 1.1: the notebook is the workflow, its
parameters are the workflow's, and the run is the action that made the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from urllib.parse import quote

from drybench.runs.receipts import Receipt

METADATA = "ro-crate-metadata.json"
ROOT = "./"
CONTEXT = (
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
)
RO_CRATE = "https://w3id.org/ro/crate/1.1"
PROFILES: Mapping[str, tuple[str, str]] = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
JUPYTER = "https://jupyter.org/"
MOST_TEXT = 100_000  # characters of one value

Entity = dict[str, Any]


class Role(StrEnum):
    NOTEBOOK = "notebook"  # as it was handed in
    EXECUTED = "executed"
    OUTPUT = "output"
    LOG = "log"
    REQUIREMENTS = "requirements"
    RECEIPT = "receipt"
    README = "readme"


ABOUT: Mapping[Role, str] = {
    Role.EXECUTED: "The notebook with its outputs, as far as it got",
    Role.OUTPUT: "A file that the notebook wrote",
    Role.LOG: "What the run had to say",
    Role.REQUIREMENTS: "The packages that were asked for beside the environment",
    Role.README: "What lies where in this crate",
    Role.RECEIPT: "Environment, packages, inputs, machine and times",
}
FORMATS: Mapping[str, str] = {
    ".ipynb": "application/x-ipynb+json",
    ".txt": "text/plain",
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


@dataclass(frozen=True)
class Part:
    name: str  # in the crate, with slashes
    role: Role
    size: int | None = None


def metadata(receipt: Receipt, parts: Sequence[Part]) -> bytes:
    """ro-crate-metadata.json for a run that has ended."""
    graph = [_descriptor(), _root(receipt, parts), *_profiles(), *_workflow(receipt, parts), *_files(parts)]
    graph += [_action(receipt, parts), _person(receipt), _no_licence()]
    graph += [*_parameters(receipt), *_values(receipt), *_inputs(receipt), *_packages(receipt)]
    crate = {"@context": CONTEXT, "@graph": [_plainly(entity) for entity in graph]}
    return json.dumps(crate, indent=1, ensure_ascii=False).encode("utf-8", "replace")


def readme(receipt: Receipt) -> bytes:
    """For whoever opens the crate without a program for it."""
    return f"""# {receipt.name}

A run of the notebook `{receipt.notebook}` by {receipt.person}: {receipt.outcome or "not ended"}, {receipt.ended_at}.

- `{METADATA}` says what each file is (RO-Crate 1.1, Workflow Run Crate 0.5).
- `executed/` has the notebook with its outputs, `output/` the files that it wrote.
- `receipt.json` names the environment, every package, the inputs with their hashes, and the machine.
""".encode()


def _plainly(entity: Entity) -> Entity:
    """A list of one is written as that one, and an empty one not at all."""
    return {name: _plain(value) for name, value in entity.items() if value != []}


def _plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    told = cast(list[Any], value)
    return told[0] if len(told) == 1 else told


def _descriptor() -> Entity:
    conforms = [_to(RO_CRATE), _to("https://w3id.org/workflowhub/workflow-ro-crate/1.0")]
    return {"@id": METADATA, "@type": "CreativeWork", "conformsTo": conforms, "about": _to(ROOT)}


def _root(receipt: Receipt, parts: Sequence[Part]) -> Entity:
    return {
        "@id": ROOT,
        "@type": "Dataset",
        "name": receipt.name,
        "description": f"A run of the notebook {receipt.notebook}, with what it worked on and what came of it",
        "datePublished": receipt.ended_at or receipt.created_at,
        "license": _to("#licence"),
        "author": _to("#person"),
        "conformsTo": [_to(profile) for profile in PROFILES],
        "hasPart": [_to(_id(part)) for part in parts],
        "mainEntity": _to(_id(_only(parts, Role.NOTEBOOK))),
        "mentions": [_to(_run(receipt))],
    }


def _profiles() -> Iterator[Entity]:
    for address, (name, version) in PROFILES.items():
        yield {"@id": address, "@type": "CreativeWork", "name": name, "version": version}


def _workflow(receipt: Receipt, parts: Sequence[Part]) -> Iterator[Entity]:
    part = _only(parts, Role.NOTEBOOK)
    yield {
        **_file(part),
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": receipt.notebook,
        "description": "The notebook as it was handed in, with the parameters of this run",
        "version": receipt.notebook_sha256[:16] or "unknown",
        "url": _to(_id(part)),
        "conformsTo": _to(WORKFLOW),
        "programmingLanguage": _to("#jupyter-notebook"),
        "input": [_to(f"#parameter-{_safe(name)}") for name in receipt.parameters],
        "softwareRequirements": [_to(_package(*one)) for one in receipt.packages.items()],
    }
    yield {
        "@id": "#jupyter-notebook",
        "@type": "ComputerLanguage",
        "name": "Jupyter Notebook",
        "identifier": _to(JUPYTER),
        "url": _to(JUPYTER),
    }
    yield {"@id": JUPYTER, "@type": "WebSite", "name": "Project Jupyter"}
    yield {"@id": WORKFLOW, "@type": "CreativeWork", "name": "ComputationalWorkflow", "version": "1.0-RELEASE"}


def _files(parts: Sequence[Part]) -> Iterator[Entity]:
    yield from (_file(part) for part in parts if part.role is not Role.NOTEBOOK)


def _file(part: Part) -> Entity:
    ending = part.name[part.name.rfind(".") :].lower()
    file: Entity = {"@id": _id(part), "@type": "File", "name": part.name}
    if part.role in ABOUT:
        file["description"] = ABOUT[part.role]
    if part.role is Role.README:
        file["about"] = _to(ROOT)
    if part.size is not None:
        file["contentSize"] = str(part.size)
    return {**file, "encodingFormat": FORMATS[ending]} if ending in FORMATS else file


def _action(receipt: Receipt, parts: Sequence[Part]) -> Entity:
    done = receipt.outcome == "done"
    made = [_to(_id(part)) for part in parts if part.role in (Role.EXECUTED, Role.OUTPUT)]
    action: Entity = {
        "@id": _run(receipt),
        "@type": "CreateAction",
        "name": f"Run {receipt.name}",
        "description": f"In the environment {receipt.environment} ({receipt.environment_digest or 'without a digest'})"
        f" on {receipt.machine.host if receipt.machine else 'a machine that is not known'}",
        "instrument": _to(_id(_only(parts, Role.NOTEBOOK))),
        "agent": _to("#person"),
        "startTime": _moment(receipt.started_at),
        "endTime": _moment(receipt.ended_at),
        "actionStatus": f"http://schema.org/{'Completed' if done else 'Failed'}ActionStatus",
        "object": [
            *(_to(f"#value-{_safe(name)}") for name in receipt.parameters),
            *(_to(f"#input-{number}") for number, _ in enumerate(receipt.inputs, 1)),
        ],
        "result": [*made, *(_to(f"#returned-{_safe(name)}") for name in receipt.values)],
    }
    if not done:
        action["error"] = receipt.reason or receipt.outcome
    return {name: value for name, value in action.items() if value is not None}


def _person(receipt: Receipt) -> Entity:
    return {"@id": "#person", "@type": "Person", "name": receipt.person}


def _no_licence() -> Entity:
    return {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "No licence is stated",
        "description": "Whoever ran the notebook has not said under what licence this may be used.",
    }


def _parameters(receipt: Receipt) -> Iterator[Entity]:
    for name, value in receipt.parameters.items():
        yield {
            "@id": f"#parameter-{_safe(name)}",
            "@type": "FormalParameter",
            "conformsTo": _to(FORMAL_PARAMETER),
            "name": name,
            "additionalType": _kind(value),
            "workExample": _to(f"#value-{_safe(name)}"),
        }
        yield {**_value("value", name, value), "exampleOfWork": _to(f"#parameter-{_safe(name)}")}
    if receipt.parameters:
        about = {"name": "FormalParameter", "version": "1.0-RELEASE"}
        yield {"@id": FORMAL_PARAMETER, "@type": "CreativeWork", **about}


def _values(receipt: Receipt) -> Iterator[Entity]:
    for name, value in receipt.values.items():
        yield _value("returned", name, value)


def _value(prefix: str, name: str, value: Any) -> Entity:
    plain = value if isinstance(value, bool | int | str) else json.dumps(value, default=str)
    said = plain[:MOST_TEXT] if isinstance(plain, str) else plain
    return {"@id": f"#{prefix}-{_safe(name)}", "@type": "PropertyValue", "name": name, "value": said}


def _inputs(receipt: Receipt) -> Iterator[Entity]:
    """Not in the crate: they may be large, and are not the run's. Their hashes say which they were."""
    for number, one in enumerate(receipt.inputs, 1):
        entity = {"@id": f"#input-{number}", "@type": "CreativeWork", "name": one.path, "sha256": one.sha256}
        entity |= {"contentSize": None if one.size is None else str(one.size), "description": one.note or None}
        yield {name: value for name, value in entity.items() if value is not None}


def _packages(receipt: Receipt) -> Iterator[Entity]:
    for name, version in receipt.packages.items():
        url = _package(name, version)
        said = {"name": name, "softwareVersion": version, "identifier": url}
        yield {"@id": url, "@type": "SoftwareApplication", **said}


def _package(name: str, version: str) -> str:
    """As a package URL, which says what it is and not where it came from."""
    return f"pkg:pypi/{quote(name, safe='')}@{quote(version, safe='')}"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    kinds = ((int, "Integer"), (float, "Float"), (str, "Text"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "PropertyValue")


def _moment(said: str | None) -> str | None:
    """Whole seconds and +00:00, as the profile's examples write it."""
    return None if said is None else datetime.fromisoformat(said).isoformat(timespec="seconds")


def _only(parts: Sequence[Part], role: Role) -> Part:
    return next(part for part in parts if part.role is role)


def _id(part: Part) -> str:
    return _safe(part.name)


def _run(receipt: Receipt) -> str:
    return f"#run-{receipt.run}"


def _safe(name: str) -> str:
    """As part of an address; half a character has no place in one."""
    return quote(name.encode("utf-8", "replace"), safe="/")


def _to(id: str) -> Entity:
    return {"@id": id}
