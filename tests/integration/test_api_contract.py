"""The API's own description against what the server answers, with whatever a program may send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi import checks as _  # noqa: F401  # puts its checks among CHECKS

from drybench.ids import uuid7
from drybench.model import Run
from drybench.phases import Outcome, Phase
from tests.unit.web.little_bench import ADA, LittleBench, little_bench, notebook

CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
EXAMPLES = 8  # of what may be sent, for each address
PERSON = {"authorization": f"token {ADA}"}
NOTEBOOK = notebook("print(alpha)", parameters="alpha = 1")
ANY_ID = {"type": "string", "title": "", "in": "path"}
SENTENCE = {"code", "sentence", "next_step"}
# what no id, no number and no text should be, and what programs send all the same
ODD_IDS = ["%00", "%ff%fe", "0" * 5000, "..%2f..%2fledger", "%F0%9F%90%9F", "'; drop table runs; --", "%E2%80%AE", "-1"]
ODD_NUMBERS = ["1" + "0" * 400, "-1", "nan", "1e400", "0x10", "%00", "", "9223372036854775808"]
ODD_TEXTS = ["a\0b", "\ud800", "x" * 100_000, "\u202e\x1b[2J", "../../etc"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path)
    yield made
    made.ledger.close()


@pytest.mark.timeout(600)
def test_every_address_answers_as_it_is_described(bench: LittleBench) -> None:
    schema: Any = schemathesis.openapi.from_asgi("/api/v1/openapi.json", bench.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 60
    assert [f"{one.label}: {problem}" for one in operations for problem in _problems(one, bench)] == []


async def test_odd_ids_are_not_found(bench: LittleBench) -> None:
    async with bench.program() as program:
        for method, path in _addresses(bench):
            for odd in ODD_IDS:
                if "{id}" in path:
                    there = path.replace("{id}", odd).replace("{path}", odd)
                    said = await program.request(method, there, **_body(method, path))
                    _is_a_sentence(said, f"{method} {there[:80]}")


async def test_odd_numbers_and_cursors_are_refused_with_a_sentence(bench: LittleBench) -> None:
    run = _one_that_ended(bench)
    asked = [f"/runs?{name}=" for name in ("limit", "cursor", "state", "starred", "tag", "search")]
    asked += [f"/runs/{run.id}/{part}=" for part in ("log?since", "journal?since", "wait?seconds", "wait?known")]
    asked += ["/sweeps?limit=", "/sweeps?cursor=", "/files?since=", "/files?folder=", "/files?beside="]
    asked += [f"/runs/{run.id}/picture?attempt=", f"/runs/differences?a={run.id}&b=", "/runs/differences?b=&a="]
    async with bench.program() as program:
        for beginning in asked:
            for odd in [*ODD_NUMBERS, *ODD_IDS]:
                said = await program.get(beginning + odd)
                _is_a_sentence(said, beginning + odd[:80], or_fine=True)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=["nul", "half a letter", "long", "controls", "climbing"])
async def test_odd_texts_are_taken_or_refused_with_a_sentence(bench: LittleBench, text: str) -> None:
    odd: list[dict[str, Any]] = [
        {name: text} for name in ("name", "environment", "size", "folder", "cwd", "path", "from_run", "requirements")
    ]
    odd += [{"tags": [text]}, {"parameters": {"alpha": text}}, {"parameters": {text: 1}}]
    odd += [{"tell": {"on": text}}, {"tell": {"on": "both", "channels": [text]}}, {text: 1}]
    files = {"notebook": ("n.ipynb", NOTEBOOK)}
    async with bench.program() as program:
        for asked in odd:
            for path in ("/runs", "/notebooks/inspect", "/schedules", "/sweeps", "/sweeps/count"):
                fields = {"request": json.dumps(asked | ({"sweep": {"typed": {"alpha": "1"}}} if "sw" in path else {}))}
                fields["schedule"] = json.dumps({"cron": text, "zone": text})
                said = await program.post(path, data=fields, files=files)
                _is_a_sentence(said, f"{path} {list(asked)}", or_fine=True)
        for path, asked in _bodies(text):
            said = await program.post(path, content=json.dumps(asked), headers={"content-type": "application/json"})
            _is_a_sentence(said, f"{path} {list(asked)}", or_fine=True)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 200_000, b'{"days": 1e999}', b'{"days": ' + b"9" * 5000 + b"}", b"\xff\xfe", b"null", b'"x"'],
    ids=["nothing", "half", "deep", "endless", "many digits", "no text", "null", "a text"],
)
async def test_what_is_no_json_is_refused_with_a_sentence(bench: LittleBench, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    async with bench.program() as program:
        for path in ("/sessions", "/channels", "/schedules/preview", "/notebooks/check"):
            said = await program.post(path, content=body, headers=headers)
            _is_a_sentence(said, path, or_fine=path == "/sessions" and body == b"null")
        _is_a_sentence(await program.put("/retention", content=body, headers=headers), "/retention")
        for path in ("/runs", "/sweeps", "/schedules", "/notebooks/inspect"):
            for field in ("request", "schedule"):
                files = {"notebook": ("n.ipynb", NOTEBOOK)}
                said = await program.post(path, data={field: body.decode("latin-1")}, files=files)
                _is_a_sentence(said, path, or_fine=True)
            _is_a_sentence(await program.post(path, content=body, headers=headers), path)
            boundary = {"content-type": "multipart/form-data; boundary=x"}
            _is_a_sentence(await program.post(path, content=body, headers=boundary), path)


def _problems(operation: APIOperation, bench: LittleBench) -> Iterator[str]:
    """The first of each: what comes after it is most often the same once more."""
    for mode in GenerationMode if _can_be_wrong(operation) else [GenerationMode.POSITIVE]:
        strategy = operation.as_strategy(mode)
        try:
            _ask(operation, strategy, _those_that_are_there(bench, operation.path))
        except Unsatisfiable:
            continue  # what takes nothing cannot be given something wrong
        except Exception as raised:
            yield f"{mode.value}: {_said(raised)}"


def _can_be_wrong(operation: APIOperation) -> bool:
    """Any text may be an id, so that none is wrong: to look for one all the same took most of the test's time."""
    told: Any = operation.definition.raw
    taken = [{**one["schema"], "title": "", "in": one["in"]} for one in told.get("parameters", ())]
    return "requestBody" in told or any(one != ANY_ID for one in taken)


def _said(raised: BaseException) -> str:
    group: tuple[BaseException, ...] = getattr(raised, "exceptions", ())
    return _said(group[0]) if group else f"{type(raised).__name__}: {raised}"


def _ask(operation: APIOperation, cases: Any, ids: list[str | None]) -> None:
    @seed(20260101)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases, st.sampled_from(ids), st.booleans())
    def ask(case: Case, id: str | None, real: bool) -> None:
        if id is not None and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = id
        if real and case.media_type == "multipart/form-data" and isinstance(case.body, dict):
            case.body = {name: one if isinstance(one, bytes) else json.dumps(one) for name, one in case.body.items()}
            case.body |= {"notebook": NOTEBOOK}
        case.call_and_validate(headers=PERSON, checks=CHECKED)

    ask()


def _those_that_are_there(bench: LittleBench, path: str) -> list[str | None]:
    """What is there is asked for as often as what is not. Runs that ended: what waits for the end of one comes back."""
    if path.startswith("/api/v1/runs/{id}"):
        return [None, _one_that_ended(bench).id]
    if path.startswith("/api/v1/sessions/{id}"):
        return [None, bench.session(uuid7()[-8:]).id]
    return [None]


def _one_that_ended(bench: LittleBench) -> Run:
    """And is settled: who waits for the end of one waits for that too."""
    run = bench.run("1 + 1")
    bench.move(run, Phase.ENDED, Outcome.DONE)
    bench.ledger.settle(run, None, None, lambda connection, run: None)
    return run


def _addresses(bench: LittleBench) -> list[tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = bench.app.openapi()["paths"]
    return [(method.upper(), path.removeprefix("/api/v1")) for path, told in paths.items() for method in told]


def _body(method: str, path: str) -> dict[str, Any]:
    """What the address wants to be told before it looks at the id."""
    return {"json": {"on": "both"}} if method == "POST" and path.startswith("/channels") else {}


def _bodies(text: str) -> list[tuple[str, dict[str, Any]]]:
    sessions = [("/sessions", {name: text}) for name in ("environment", "app", "name", "size")]
    channels = [("/channels", {"kind": kind, "address": text, "name": text}) for kind in ("mail", "webhook", text)]
    when = [("/schedules/preview", {name: text, "zone": zone}) for name in ("cron", "at") for zone in ("UTC", text)]
    return [*sessions, *channels, *when]


def _is_a_sentence(said: httpx.Response, asked: str, or_fine: bool = False) -> None:
    if or_fine and said.is_success:
        return
    assert 400 <= said.status_code < 500, f"{asked}: {said.status_code} {said.text[:200]}"
    assert said.json().keys() == SENTENCE, f"{asked}: {said.text[:200]}"
    assert all(isinstance(word, str) for word in said.json().values())
    assert said.json()["sentence"], asked
