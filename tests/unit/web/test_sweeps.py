"""Sweeps over the API and on their page: asked for, counted, laid out, sorted, taken away."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from typing import Any

import httpx
import pytest

from drybench.model import Run
from drybench.phases import Outcome, Phase, Reason
from drybench.retention_book import RetentionBook
from drybench.sweep_book import SweepBook
from drybench.sweeping import MOST_OPEN, Sweeping
from tests.unit.web.little_bench import ADA, BOB, FROM_SESSION, LittleBench, notebook, now, xsrf

NOTEBOOK = notebook("print(x)", parameters="x = 1\ny = 'a'\nimage: str = 'a.tif'")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture
async def ada(bench: LittleBench) -> Any:
    async with bench.program(ADA) as client:
        yield client


async def ask(client: httpx.AsyncClient, sweep: dict[str, Any], path: str = "/sweeps", **more: Any) -> httpx.Response:
    key = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    files = {"notebook": ("disc.ipynb", more.pop("notebook", NOTEBOOK))}
    return await client.post(path, files=files, data={"request": json.dumps({"sweep": sweep, **more})}, headers=key)


async def asked(client: httpx.AsyncClient, sweep: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await ask(client, sweep, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def loop(bench: LittleBench) -> Sweeping:
    return Sweeping(SweepBook(bench.ledger), bench.portal.sweeps, bench.portal.changes)


async def laid_out(bench: LittleBench, sweep: str) -> list[Run]:
    """As the loop does it, until it has nothing more to do."""
    while await loop(bench).look():
        pass
    runs = [bench.ledger.run(place.run) for place in SweepBook(bench.ledger).places(sweep)]
    return [run for run in runs if run]


def end(bench: LittleBench, run: Run, outcome: Outcome = Outcome.DONE, **values: Any) -> None:
    bench.move(run, Phase.RUNNING)
    reason = {"reason": Reason.CELL_ERROR} if outcome is Outcome.FAILED else {}
    bench.move(run, Phase.ENDED, outcome, **reason)
    found = bench.ledger.run(run.id)
    assert found
    bench.ledger.settle(found, values or None, 1.0, lambda connection, run: None)


async def test_it_is_counted_before_it_is_asked_for(ada: httpx.AsyncClient) -> None:
    answer = await ask(ada, {"grid": {"x": {"from": 1, "to": 5, "step": 1}}, "typed": {"y": "a, b"}}, "/sweeps/count")
    assert answer.json() == {
        "count": 10,
        "limit": 2000,
        "first": [{"x": 1, "y": "a"}, {"x": 1, "y": "b"}, {"x": 2, "y": "a"}],
    }
    assert (await ada.get("/sweeps")).json()["items"] == []


@pytest.mark.parametrize(
    ("sweep", "code", "said"),
    [
        ({"grid": {"x": {"from": 1, "to": 1_000_000, "step": 1}}}, "sweep_too_large", "1,000,000 runs"),
        ({"csv": "x,z\n1,2\n"}, "sweep_wrong", "`z` is no parameter"),
        ({"grid": {"x": ["a"]}}, "sweep_wrong", "`x` is a whole number"),
        ({}, "sweep_empty", "no runs"),
        ({"list": []}, "sweep_empty", "no runs"),
        ({"folder": {"parameter": "image", "folder": "/nowhere/at/all"}}, "no_such_folder", "/nowhere"),
        ({"folder": {"parameter": "image", "folder": "/", "pattern": "../*"}}, "pattern_wrong", "pattern"),
        ({"grid": {"x": [1]}, "list": [{"x": 2}]}, "sweep_wrong", "given twice"),
        ({"nothing": 1}, "request_wrong", "sweep.nothing"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence(
    ada: httpx.AsyncClient, bench: LittleBench, sweep: dict[str, Any], code: str, said: str
) -> None:
    for path in ("/sweeps", "/sweeps/count"):
        answer = await ask(ada, sweep, path)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert said in answer.json()["sentence"]
    assert list(bench.data.sweeps.iterdir()) == []


async def test_the_same_key_asks_for_nothing_twice(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    first, second = [await asked(ada, {"grid": {"x": [1, 2]}}, key="k") for _ in range(2)]
    assert first["id"] == second["id"]
    assert len(list(bench.data.sweeps.iterdir())) == 1
    other = await ada.post("/runs", files={"notebook": ("a.ipynb", NOTEBOOK)}, headers={"Idempotency-Key": "k"})
    assert other.json()["code"] == "key_used_otherwise"


async def test_each_place_gets_one_run_with_its_own_values(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [1, 2]}, "typed": {"y": "a,b"}}, parameters={"image": "i.tif"}, name="disc")
    runs = await laid_out(bench, sweep["id"])
    assert [run.place for run in runs] == [0, 1, 2, 3]
    assert runs[2].parameters == {"x": 2, "y": "a", "image": "i.tif"}
    assert runs[2].name == "disc 3 x=2_y=a"
    assert (await ada.get(f"/sweeps/{sweep['id']}")).json()["totals"]["waiting"] == 4


async def test_a_large_one_is_laid_out_some_at_a_time(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"typed": {"x": "1..200"}})
    runs = await laid_out(bench, sweep["id"])
    assert len(runs) == MOST_OPEN
    for run in runs[:7]:
        end(bench, run)
    assert len(await laid_out(bench, sweep["id"])) == MOST_OPEN + 7
    answer = (await ada.get(f"/sweeps/{sweep['id']}")).json()
    assert (answer["totals"]["done"], answer["totals"]["waiting"]) == (7, 193)


async def test_cancel_twice_begins_nothing_more(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"typed": {"x": "1..100"}})
    runs = await laid_out(bench, sweep["id"])
    end(bench, runs[0])
    for _ in range(2):
        answer = await ada.post(f"/sweeps/{sweep['id']}/cancel")
        assert answer.json()["wanted"] == "stop"
    assert len(await laid_out(bench, sweep["id"])) == MOST_OPEN
    tasks = [bench.ledger.task(run.task.id) for run in runs]
    assert [task.wanted.value for task in tasks if task] == ["run", *["stop"] * (MOST_OPEN - 1)]


async def test_a_run_laid_out_while_it_was_cancelled_is_stopped_too(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [1, 2]}})
    book, found = SweepBook(bench.ledger), bench.portal.sweeps.get(bench.person(), sweep["id"])
    book.stop(sweep["id"], "ada")
    bench.portal.sweeps.lay_out(found, 0)
    await loop(bench).look()
    (place,) = book.places(sweep["id"])
    assert place.wanted.value == "stop"


async def test_only_what_did_not_get_done_is_run_again(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [1, 2, 3]}})
    first, second, third = await laid_out(bench, sweep["id"])
    end(bench, first)
    end(bench, second, Outcome.FAILED)
    await ada.post(f"/sweeps/{sweep['id']}/rerun-failed")  # while the third still waits
    runs = await laid_out(bench, sweep["id"])
    assert [run.attempt for run in runs] == [1, 2, 1]
    end(bench, runs[1], area=3)
    end(bench, third, Outcome.FAILED)
    assert [run.attempt for run in await laid_out(bench, sweep["id"])] == [1, 2, 1]  # it failed after that
    await ada.post(f"/sweeps/{sweep['id']}/rerun-failed")
    assert [run.attempt for run in await laid_out(bench, sweep["id"])] == [1, 2, 2]


async def test_a_cancelled_one_goes_on_where_it_was(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"typed": {"x": "1..60"}})
    runs = await laid_out(bench, sweep["id"])
    end(bench, runs[0])
    await ada.post(f"/sweeps/{sweep['id']}/cancel")
    await ada.post(f"/sweeps/{sweep['id']}/rerun-failed")  # before they have stopped
    for run in runs[1:]:
        bench.move(run, Phase.ENDED, Outcome.STOPPED)
    runs = await laid_out(bench, sweep["id"])
    assert {run.attempt for run in runs[1:MOST_OPEN]} == {2}
    for _ in range(3):
        for run in runs:
            if run.task.phase is not Phase.ENDED:
                end(bench, run)
        runs = await laid_out(bench, sweep["id"])
    assert (await ada.get(f"/sweeps/{sweep['id']}")).json()["totals"] == {
        "done": 60, "failed": 0, "stopped": 0, "lost": 0, "running": 0, "waiting": 0
    }  # fmt: skip


async def test_what_was_handed_in_is_not_taken_when_it_was_changed(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [1]}})
    given = bench.data.sweeps / sweep["id"] / "given" / "notebook.ipynb"
    given.chmod(0o600)
    given.write_bytes(notebook("print('another')", parameters="x = 1"))
    assert await laid_out(bench, sweep["id"]) == []
    assert "is not what was handed in" in (await ada.get(f"/sweeps/{sweep['id']}")).json()["trouble"]


async def test_the_matrix_is_sorted_filtered_and_paged(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [3, 1, 2]}})
    runs = await laid_out(bench, sweep["id"])
    end(bench, runs[0], area=0.5, name="b")
    end(bench, runs[1], area=12, odd=float("nan"))
    path = f"/sweeps/{sweep['id']}/runs"

    async def numbers(**params: Any) -> list[int]:
        return [row["number"] for row in (await ada.get(path, params=params)).json()["items"]]

    assert await numbers() == [1, 2, 3]
    assert await numbers(sort="p.x") == [2, 3, 1]
    assert await numbers(sort="-v.area") == [2, 1, 3]
    assert await numbers(sort="-state") == [1, 2, 3]
    assert await numbers(state="done") == [1, 2]
    assert await numbers(limit=2, cursor="2") == [3]
    rows = (await ada.get(path)).json()["items"]
    assert rows[1]["values"] == {"area": 12, "odd": None}
    assert (await ada.get(path, params={"limit": 2})).json()["next"] == "2"


async def test_the_table_holds_no_formula(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    evil = ["=1+1", "+1", "-1", "@x", "\tq", "plain"]
    sweep = await asked(ada, {"list": [{"y": one, "x": -1} for one in evil]})
    runs = await laid_out(bench, sweep["id"])
    end(bench, runs[0], **{"=cmd()": "=2", "x": -3})
    text = (await ada.get(f"/sweeps/{sweep['id']}/matrix.csv")).content.decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["number", "state", "y", "x", "'=cmd()", "value x", "seconds", "run", "detail"]
    assert [row[2] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "'\tq", "plain"]
    assert {row[3] for row in rows} == {"-1"}  # a number is no formula
    assert rows[0][4:6] == ["'=2", "-3"]


async def test_the_zip_keeps_each_run_in_its_folder(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"y": ["../../up", "b"]}})
    runs = await laid_out(bench, sweep["id"])
    bench.made(runs[0], "output/../output/areas.csv", "1")
    made = bench.portal.run_folders.path(runs[0].id) / "1" / "made" / "output"
    (made / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(made / "pipe")
    (made / "..\\climbs").write_text("x")
    for run in runs:
        end(bench, run, area=1)
    answer = await ada.get(f"/sweeps/{sweep['id']}/results.zip")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {"runs.csv", "1_y=up/notebook.ipynb", "1_y=up/values.json", "1_y=up/output/areas.csv"} <= set(names)
    assert all(not name.startswith("/") and ".." not in name.split("/") for name in names)
    assert not any("passwd" in name or "pipe" in name for name in names)


async def test_nobody_elses_sweep_is_there(bench: LittleBench, ada: httpx.AsyncClient) -> None:
    sweep = await asked(ada, {"grid": {"x": [1]}})
    (run,) = await laid_out(bench, sweep["id"])
    async with bench.program(BOB) as bob:
        for path in ("", "/runs", "/matrix.csv", "/results.zip"):
            assert (await bob.get(f"/sweeps/{sweep['id']}{path}")).status_code == 404
        for deed in ("cancel", "rerun-failed"):
            assert (await bob.post(f"/sweeps/{sweep['id']}/{deed}")).status_code == 404
        assert (await bob.get(f"/runs/{run.id}/picture")).status_code == 404
        assert (await bob.get("/sweeps")).json()["items"] == []


async def test_it_is_removed_with_its_runs_once_nothing_is_open(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [1, 2, 3]}})
    path = f"/sweeps/{sweep['id']}"
    assert (await ada.delete(path)).json()["code"] == "still_open"  # nothing of it is laid out yet
    runs = await laid_out(bench, sweep["id"])
    end(bench, runs[0])
    bench.ledger.set_star(runs[0].id, True)
    end(bench, runs[1], Outcome.FAILED)
    assert (await ada.delete(path)).json()["code"] == "still_open"
    bench.move(runs[2], Phase.ENDED, Outcome.STOPPED)  # not settled yet
    assert (await ada.delete(path)).json()["code"] == "still_open"
    end(bench, runs[2], Outcome.STOPPED)
    assert (await ada.delete(path)).json()["code"] == "still_open"  # the engine still clears up after it
    for run in runs:
        bench.ledger.forgotten(run.task.id)
    async with bench.program(BOB) as bob, bench.program(FROM_SESSION) as session:
        assert (await bob.delete(path)).status_code == 404
        assert (await session.delete(path)).status_code == 403
    async with bench.client() as browser:
        assert "Remove the sweep" in (await browser.get(path)).text
        answer = await browser.post(f"{path}/remove", data={"_xsrf": xsrf()["x-xsrftoken"]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
        assert runs[0].name in (await browser.get("/runs")).text  # its star keeps it, and it stands by itself
        assert "a sweep" not in (await browser.get(f"/runs/{runs[0].id}")).text
    assert (await ada.delete(path)).status_code == 404
    assert [folder.name for folder in bench.data.runs.iterdir()] == [runs[0].id]
    assert list(bench.data.sweeps.iterdir()) == []
    assert await laid_out(bench, sweep["id"]) == []


async def test_it_goes_by_itself_with_the_last_of_its_runs(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep, other = [await asked(ada, {"grid": {"x": [1, 2]}}) for _ in range(2)]
    await ada.post(f"/sweeps/{other['id']}/cancel")  # before it had any
    keeping, person = bench.portal.keeping, bench.person()
    first, second = await laid_out(bench, sweep["id"])
    for run in (first, second):
        end(bench, run)
        bench.ledger.forgotten(run.task.id)
    keeping.remove(person, first.id)
    keeping.sweeps.remove_what_is_empty()
    assert (await ada.get(f"/sweeps/{sweep['id']}")).status_code == 200
    keeping.remove(person, second.id)
    keeping.sweeps.remove_what_is_empty()
    assert [one["id"] for one in (await ada.get("/sweeps")).json()["items"]] == [other["id"]]
    assert [folder.name for folder in bench.data.sweeps.iterdir()] == [other["id"]]


async def test_what_a_killed_portal_left_of_it_is_removed(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    kept, half_way = [await asked(ada, {"grid": {"x": [1]}}) for _ in range(2)]
    (bench.data.sweeps / "unknown").mkdir()  # the ledger may be an older copy
    await ada.post(f"/sweeps/{half_way['id']}/cancel")
    assert RetentionBook(bench.ledger).remove_sweep(half_way["id"], now()) == []
    folder = bench.data.sweeps / half_way["id"]
    folder.rename(folder.with_name(f".gone-{half_way['id']}"))
    bench.portal.keeping.sweeps.remove_what_is_left()
    assert {folder.name for folder in bench.data.sweeps.iterdir()} == {kept["id"], "unknown"}


async def test_a_picture_is_only_what_is_one(ada: httpx.AsyncClient, bench: LittleBench) -> None:
    sweep = await asked(ada, {"grid": {"x": [1, 2, 3, 4]}})
    good, script, link, none = await laid_out(bench, sweep["id"])
    for run in (good, script, link, none):
        end(bench, run)
    made = {run.id: bench.portal.run_folders.path(run.id) / "1" / "made" for run in (good, script, link)}
    (made[good.id] / "picture.png").write_bytes(PNG)
    (made[script.id] / "picture.png").write_text("<script>alert(1)</script>")
    (made[link.id] / "picture.png").symlink_to(made[good.id] / "picture.png")
    answer = await ada.get(f"/runs/{good.id}/picture?attempt=1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    for run in (script, link, none):
        assert (await ada.get(f"/runs/{run.id}/picture")).status_code == 404
    assert (await ada.get(f"/runs/{good.id}/picture?attempt=2")).status_code == 404


async def test_the_page_shows_it_and_has_its_deeds(bench: LittleBench, ada: httpx.AsyncClient) -> None:
    sweep = await asked(ada, {"grid": {"x": [1, 2]}, "typed": {"y": "<script>, b"}}, name="<b>disc")
    runs = await laid_out(bench, sweep["id"])
    end(bench, runs[0], area=0.123456789, words="<img src=x>")
    end(bench, runs[1], Outcome.FAILED)
    async with bench.client() as browser:
        page = await browser.get(f"/sweeps/{sweep['id']}?sort=-v.area&state=")
        assert page.status_code == 200, page.text
        assert "&lt;b&gt;disc" in page.text
        assert "<script>," not in page.text
        assert "<img src=x>" not in page.text
        assert 'title="0.123456789"' in page.text
        assert "Run again the one not done" in page.text
        assert 'aria-sort="descending"' in page.text
        for deed in ("rerun-failed", "cancel", "cancel"):
            answer = await browser.post(f"/sweeps/{sweep['id']}/{deed}", data={"_xsrf": xsrf()["x-xsrftoken"]})
            assert answer.status_code in (200, 303), answer.text
        empty = await browser.get(f"/sweeps/{sweep['id']}?state=lost&page=99")
        assert "No run of this sweep is lost" in empty.text


async def test_what_was_removed_is_not_waited_for_when_the_failed_are_run_again(
    ada: httpx.AsyncClient, bench: LittleBench
) -> None:
    """More of them than are tried at once: else the loop would come back to the same ones for ever."""
    sweep = await asked(ada, {"typed": {"x": "1..13"}})
    runs = await laid_out(bench, sweep["id"])
    for run in runs:
        end(bench, run, Outcome.FAILED)
        bench.ledger.forgotten(run.task.id)
    for run in runs[:12]:
        assert (await ada.delete(f"/runs/{run.id}")).status_code == 204
    await ada.post(f"/sweeps/{sweep['id']}/rerun-failed")
    assert not await loop(bench).look()
    found = SweepBook(bench.ledger).get(sweep["id"])
    assert found
    assert found.rerun_at is None
    assert [run.place for run in bench.ledger.runs(bench.person().id).rows if run.task.phase is Phase.WAITING] == [12]
