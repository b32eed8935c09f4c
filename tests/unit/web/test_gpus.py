"""GPUs beside those of a size: asked for in forms and by programs, kept when it is asked for again, and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench import gpus
from drybench.findings import Finding
from drybench.model import Gpu, Person, Task
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.attempts import next_attempt
from drybench.sweep_book import SweepBook
from drybench.sweeping import Sweeping
from drybench.web.app import create_app
from tests.unit.web.little_bench import LittleBench, TakesAnything, little_bench, notebook, xsrf

GIB = 1 << 30
THERE = (Gpu("0", 8 * GIB), Gpu("1", 24 * GIB))
TWO: dict[str, Any] = {"gpus": [{"vram": 16 * GIB}, {"vram": 0}]}
AS_ASKED = (16 * GIB, 0)
NOTEBOOK = notebook("print(x)", parameters="x = 1")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleBench]:
    """Its engine has two GPUs."""
    monkeypatch.setattr(TakesAnything, "check", lambda _, task: gpus.check(task, THERE))
    made = little_bench(tmp_path)
    portal = replace(made.portal, gpus=THERE)
    yield replace(made, portal=portal, app=create_app(portal))
    made.ledger.close()


async def send(program: httpx.AsyncClient, path: str = "/runs", **asked: Any) -> Any:
    more = {name: json.dumps(asked.pop(name)) for name in ("schedule",) if name in asked}
    sent = {"data": {"request": json.dumps(asked), **more}, "files": {"notebook": ("a.ipynb", NOTEBOOK)}}
    answer = await program.post(path, **sent)  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.text
    return answer.json()


def spec(bench: LittleBench, task: str) -> Task:
    row = bench.ledger.task(task)
    assert row is not None
    return row.spec


async def test_a_run_and_the_same_again(bench: LittleBench) -> None:
    async with bench.program() as program:
        run = await send(program, **TWO)
        again = (await program.post(f"/runs/{run['id']}/again")).json()
    assert run["gpus"] == again["gpus"] == [{"vram": 16 * GIB, "id": None}, {"vram": 0, "id": None}]
    for task in (run["task"], again["task"]):
        assert (spec(bench, task).gpu_count, spec(bench, task).vram) == (2, AS_ASKED)


async def test_it_says_which_they_are_once_they_are_given(bench: LittleBench) -> None:
    async with bench.program() as program:
        run = await send(program, **TWO)
        bench.ledger.write_task(run["task"], {"gpus": ("1", "0")})
        told = (await program.get(f"/runs/{run['id']}")).json()
        machine = (await program.get("/machine")).json()
    assert told["gpus"] == [{"vram": 16 * GIB, "id": "1"}, {"vram": 0, "id": "0"}]
    assert (machine["gpus"], machine["gpus_held"]) == (2, 0)  # it has not begun


async def test_a_further_attempt_asks_for_the_same(bench: LittleBench) -> None:
    run = bench.run(gpus=(8 * GIB,))
    bench.move(run, Phase.ENDED, Outcome.LOST, reason=Reason.MACHINE_GONE)
    found = bench.ledger.run(run.id)
    assert found is not None
    row = next_attempt(bench.portal.sessions._desk, bench.portal.run_folders, found)  # type: ignore[reportPrivateUsage]
    assert row.spec.vram == (8 * GIB,)


async def test_a_session_started_again_has_the_same_unless_others_are_named(bench: LittleBench) -> None:
    ask = {"environment": "python", "app": "lab", "name": "lab", **TWO}
    async with bench.program() as program:
        first = (await program.post("/sessions", json=ask)).json()
        bench.move(bench.portal.sessions.get(bench.person(), first["id"]), Phase.ENDED, Outcome.DONE)
        again = (await program.post(f"/sessions/{first['id']}/start")).json()
        bench.move(bench.portal.sessions.get(bench.person(), first["id"]), Phase.ENDED, Outcome.DONE)
        other = (await program.post("/sessions", json={**ask, "gpus": [{"vram": 1}]})).json()
    assert first["gpus"] == again["gpus"] == [{"vram": 16 * GIB, "id": None}, {"vram": 0, "id": None}]
    assert other["gpus"] == [{"vram": 1, "id": None}]


async def test_each_run_of_a_sweep_has_them(bench: LittleBench) -> None:
    async with bench.program() as program:
        sweep = await send(program, "/sweeps", sweep={"grid": {"x": [1, 2]}}, **TWO)
    while await Sweeping(SweepBook(bench.ledger), bench.portal.sweeps, bench.portal.changes).look():
        pass
    rows = bench.ledger.open_tasks()
    assert [row.spec.vram for row in rows if sweep["id"]] == [AS_ASKED] * 2


async def test_a_schedule_keeps_them(bench: LittleBench) -> None:
    async with bench.program() as program:
        schedule = await send(program, "/schedules", schedule={"cron": "30 7 * * *", "zone": "UTC"}, **TWO)
        run = (await program.post(f"/schedules/{schedule['id']}/run-now")).json()
    assert spec(bench, run["task"]).vram == AS_ASKED


@pytest.mark.parametrize("path", ["/runs", "/sweeps", "/schedules", "/sessions"])
async def test_what_can_never_be_given_is_refused_at_once(bench: LittleBench, path: str) -> None:
    asked: dict[str, Any] = {"gpus": [{"vram": 24 * GIB}] * 2}
    parts = {"/sweeps": {"sweep": {"grid": {"x": [1]}}}}.get(path, {})
    when = {"schedule": json.dumps({"cron": "30 7 * * *", "zone": "UTC"})} if path == "/schedules" else {}
    form = {"data": {"request": json.dumps({**asked, **parts}), **when}, "files": {"notebook": ("a.ipynb", NOTEBOOK)}}
    async with bench.program() as program:
        answer = await program.post(path, **({"json": asked} if path == "/sessions" else form))  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_gpu")
    has = "this bench has one with 24 GiB and one with 8 GiB."
    assert answer.json()["sentence"] == f"It asks for 2 GPUs with 24 GiB; {has}"
    assert bench.ledger.open_tasks() == []


@pytest.mark.parametrize("wrong", [[{"vram": -1}], [{"vram": "much"}], [{"memory": 1}], "one", [{}] * 65])
async def test_what_is_no_list_of_gpus(bench: LittleBench, wrong: Any) -> None:
    async with bench.program() as program:
        answer = await program.post("/sessions", json={"gpus": wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_wrong")


async def press(bench: LittleBench, *rows: str) -> httpx.Response:
    kept = bench.portal.handed_in.keep(bench.person().id, NOTEBOOK)
    fields = {"n.1.source": f"kept:{kept}", "n.1.name": "a.ipynb", "size": "default", "gpus": list(rows)}
    async with bench.client() as client:
        return await client.post("/runs/new", data=fields, headers=xsrf())


async def test_rows_of_the_form(bench: LittleBench) -> None:
    """An empty row asks for none; a number alone is in GB, as cards are called."""
    answer = await press(bench, " 16 GiB ", "", "any", "")
    assert answer.status_code == 303
    (run,) = bench.portal.runs.mine(bench.person()).rows
    assert run.task.spec.vram == AS_ASKED
    assert (await press(bench, "8")).status_code == 303
    newest = bench.portal.runs.mine(bench.person()).rows[0]
    assert newest.task.spec.vram == (8 * 10**9,)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("much", "“much” is no amount of memory that a GPU could have."),
        ("80 GiB", "It asks for one GPU with 80 GiB and one GPU; this bench has one with 24 GiB and one with 8 GiB."),
    ],
)
async def test_what_does_not_fit_stands_at_its_field_and_stays_typed(
    bench: LittleBench, typed: str, sentence: str
) -> None:
    answer = await press(bench, "any", typed)
    assert answer.status_code == 422
    assert f'<span class="wrong">{sentence}' in answer.text
    assert f'name="gpus" value="{typed}"' in answer.text
    assert bench.ledger.open_tasks() == []


async def test_a_row_is_looked_at_while_it_is_typed(bench: LittleBench) -> None:
    async with bench.client() as client:
        wrong = await client.post("/runs/new/check?field=gpus", data={"gpus": ["any", "x"]}, headers=xsrf())
        large = await client.post("/runs/new/check?field=gpus", data={"gpus": ["80 GB"]}, headers=xsrf())
        right = await client.post("/runs/new/check?field=gpus", data={"gpus": ["any", "8 GB"]}, headers=xsrf())
    assert "“x” is no amount" in wrong.text
    assert "It asks for one GPU with 80 GB; this bench has" in large.text
    assert "wrong" not in right.text


async def test_the_form_of_an_earlier_run_has_its_rows(bench: LittleBench) -> None:
    run = bench.run(gpus=AS_ASKED)
    async with bench.client() as client:
        page = (await client.get(f"/runs/new?again={run.id}")).text
        shown = (await client.get(f"/runs/{run.id}")).text
        receipt = (await client.get(f"/api/v1/runs/{run.id}/receipt")).json()
    assert 'name="gpus" value="16 GiB"' in page
    assert 'name="gpus" value="any"' in page
    assert "1 core, 1.5 GiB, one GPU with 16 GiB and one GPU" in shown
    assert receipt["gpus_asked"] == list(AS_ASKED)


async def test_a_session_from_home(bench: LittleBench) -> None:
    async with bench.client() as client:
        home = (await client.get("/")).text
        asked = {"environment": "python", "app": "lab", "gpus": ["16 GiB", "", "any"]}
        answer = await client.post("/sessions", data=asked, headers=xsrf())
        refused = await client.post("/sessions", data={**asked, "name": "b", "gpus": ["x"]}, headers=xsrf())
    assert "This bench has one with 24 GiB and one with 8 GiB." in home
    assert "0 of 2 GPUs in use" in home
    assert answer.status_code == 303
    (session,) = bench.portal.sessions.mine(bench.person())
    assert session.task.spec.vram == AS_ASKED
    assert refused.status_code == 422


async def test_where_there_is_none_no_row_is_shown(bench: LittleBench) -> None:
    app = create_app(replace(bench.portal, gpus=()))
    async with bench.client(app=app) as client:
        assert 'name="gpus"' not in (await client.get("/")).text + (await client.get("/runs/new")).text


class TestDoctor:
    FOUND = (
        Finding("GPU driver", "ok", "NVIDIA A40 with 48 GiB.", "nvidia-smi"),
        Finding("GPU container toolkit", "missing", "There is none.", "command -v it", "Install it."),
    )

    @pytest.fixture
    def examined(self, bench: LittleBench) -> list[str]:
        """By whom."""
        asked: list[str] = []

        def examine(person: Person) -> tuple[Finding, ...]:
            asked.append(person.name)
            return self.FOUND

        bench.app.state.portal = replace(bench.portal, examine=examine)
        return asked

    async def test_page_and_json_say_the_same(self, bench: LittleBench, examined: list[str]) -> None:
        async with bench.client() as client:
            page = (await client.get("/doctor")).text
            told = (await client.get("/api/v1/doctor")).json()
        assert told["well"] is False
        assert [one["stands"] for one in told["findings"]] == ["ok", "missing"]
        for words in ("GPU container toolkit", "There is none.", "Install it.", "<code>command -v it</code>"):
            assert words in page
        assert examined == ["ada", "ada"]
