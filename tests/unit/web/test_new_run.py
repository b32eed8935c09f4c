"""New run, pressed button by button: what is chosen is kept, what is wrong is said, nothing typed is lost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench.model import Run
from drybench.runs.requests import RunRequest
from tests.unit.web.little_bench import ADA, BOB, FROM_SESSION, LittleBench, notebook, xsrf

STEP = notebook("1", parameters="step: int = 2  # each n-th; 1..50\nname = 'disc'")
PLAIN = notebook("print(1)")


def files(*sent: tuple[str, bytes]) -> list[tuple[str, Any]]:
    return [("notebook", (name, content, "application/x-ipynb+json")) for name, content in sent]


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the notebooks that the page holds."""
    hidden = re.findall(r'type="hidden" name="(n\.[^"]+)" value="([^"]*)"', page)
    typed = re.findall(r'<input id="[^"]+" name="(n\.[^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in (*hidden, *typed)}


async def choose(client: httpx.AsyncClient, *sent: tuple[str, bytes], **data: Any) -> httpx.Response:
    return await client.post("/runs/new/notebooks", files=files(*sent), data=data, headers=xsrf())


def names(page: str) -> list[str]:
    return sorted(name for field, name in fields_of(page).items() if re.fullmatch(r"n\.\w+\.name", field))


def parameter(fields: dict[str, str], name: str, place: int = 0) -> str:
    return [field for field in fields if field.endswith(f".p.{name}")][place]


def runs(bench: LittleBench) -> Sequence[Run]:
    return bench.portal.runs.mine(bench.person()).rows[::-1]


async def test_a_chosen_notebook_need_not_be_sent_again(bench: LittleBench) -> None:
    async with bench.client() as client:
        answer = await choose(client, ("wing.ipynb", STEP), name="left wing")
        fields = fields_of(answer.text)
        fields[parameter(fields, "step")] = "7"
        done = await client.post("/runs/new", data={**fields, "name": "left wing", "tags": "a, b"}, headers=xsrf())
    (run,) = runs(bench)
    assert (answer.status_code, done.status_code, done.headers["location"]) == (200, 303, f"/runs/{run.id}")
    assert (run.parameters, run.name, run.tags) == ({"step": 7}, "left wing", ("a", "b"))


async def test_everything_in_one_press_without_script(bench: LittleBench) -> None:
    async with bench.client() as client:
        done = await client.post("/runs/new", files=files(("wing.ipynb", STEP)), data={"_xsrf": f"xsrf-for-{ADA}"})
    assert done.status_code == 303
    assert runs(bench)[0].parameters == {}


async def test_a_second_press_asks_for_nothing_twice_and_a_change_does(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("wing.ipynb", STEP))).text)
        first = await client.post("/runs/new", data=fields, headers=xsrf())
        second = await client.post("/runs/new", data=fields, headers=xsrf())
        other = await client.post("/runs/new", data={**fields, "name": "other"}, headers=xsrf())
    assert first.headers["location"] == second.headers["location"] != other.headers["location"]
    assert len(runs(bench)) == 2


async def test_several_become_a_run_each_with_its_own_values(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("a.ipynb", STEP), ("b.ipynb", STEP), ("c.ipynb", PLAIN))).text)
        fields[parameter(fields, "step", 0)], fields[parameter(fields, "step", 1)] = "3", "4"
        done = await client.post("/runs/new", data={**fields, "size": "large"}, headers=xsrf())
    assert done.status_code == 200
    assert "3 asked for." in done.text
    assert [(run.name, run.parameters, run.size) for run in runs(bench)] == [
        ("a", {"step": 3}, "large"),
        ("b", {"step": 4}, "large"),
        ("c", {}, "large"),
    ]
    assert not fields_of(done.text)


async def test_when_the_second_of_three_is_wrong_only_that_one_stays(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("a.ipynb", STEP), ("b.ipynb", STEP), ("c.ipynb", PLAIN))).text)
        fields[parameter(fields, "step", 1)] = "51"
        refused = await client.post("/runs/new", data=fields, headers=xsrf())
        left = fields_of(refused.text)
        wrong = parameter(left, "step")
        assert left[wrong] == "51"
        done = await client.post("/runs/new", data={**left, wrong: "50"}, headers=xsrf())
    assert refused.status_code == 422
    assert "2 asked for." in refused.text
    assert "is a whole number from 1 to 50, not 51" in unescape(refused.text)
    assert [run.name for run in runs(bench)] == ["a", "c", "b"]
    assert done.headers["location"] == f"/runs/{runs(bench)[2].id}"


async def test_what_all_would_be_refused_for_is_said_once_and_nothing_is_asked_for(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("a.ipynb", STEP), ("b.ipynb", STEP))).text)
        wishes = {"limit": "soon", "cell_limit": "1h 30m", "retries": "11", "cwd": "/nowhere"}
        refused = await client.post("/runs/new", data={**fields, **wishes}, headers=xsrf())
        packages = {"requirements": "numpy\n-e /etc"}
        again = await client.post("/runs/new", data={**fields, **packages}, headers=xsrf())
    assert refused.status_code == again.status_code == 422
    assert "“soon” is no time." in refused.text
    assert "0 to 10 times" in refused.text
    assert 'value="1h 30m"' in refused.text
    assert "line 2 (-e /etc)" in unescape(again.text)
    assert len(fields_of(again.text)) == len(fields)
    assert not runs(bench)


async def test_what_is_no_notebook_is_said_and_the_others_are_taken(bench: LittleBench) -> None:
    async with bench.client() as client:
        answer = await choose(client, ("a.ipynb", STEP), ("b.ipynb", b"%PDF"), ("<b>.ipynb", b"[]"), ("d.ipynb", PLAIN))
        nothing = await client.post("/runs/new", data={}, headers=xsrf())
    assert answer.status_code == 422
    assert answer.text.count(" is not a notebook") == 2
    assert "<b>.ipynb" not in answer.text
    assert names(answer.text) == ["a.ipynb", "d.ipynb"]
    assert (nothing.status_code, "No notebook came" in nothing.text) == (422, True)


async def test_fifty_one_are_too_many(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, *[(f"{n}.ipynb", PLAIN) for n in range(50)])).text)
        answer = await choose(client, ("51.ipynb", PLAIN), **fields)
    assert answer.status_code == 422
    assert "51 notebooks are more than go in at once." in answer.text
    assert len(fields_of(answer.text)) == len(fields) == 100


async def test_one_is_taken_out_again(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("a.ipynb", STEP), ("b.ipynb", PLAIN))).text)
        id = next(iter(fields)).split(".")[1]
        answer = await choose(client, **fields, remove=id)
    assert names(answer.text) == ["b.ipynb"]


async def test_what_somebody_else_has_chosen_is_not_there(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("a.ipynb", STEP))).text)
    mine = bench.run(person="ada")
    async with bench.client(BOB) as client:
        refused = await client.post("/runs/new", data=fields, headers=xsrf(BOB))
        others = {"n.1.source": f"run:{mine.id}", "n.1.name": "x", "n.2.source": "sweep:1", "n.3.source": "nothing:x"}
        looked = await client.post("/runs/new/notebooks", data=others, headers=xsrf(BOB))
        again = await client.get(f"/runs/new?again={mine.id}")
    assert "a.ipynb is no longer here" in refused.text
    assert looked.status_code == 422
    assert "no such run of yours" in looked.text
    assert again.status_code == 404
    assert not bench.portal.runs.mine(bench.person("bob")).rows


async def test_a_notebook_from_ones_own_files(bench: LittleBench, tmp_path: Path) -> None:
    (tmp_path / "wing.ipynb").write_bytes(STEP)
    os.mkfifo(tmp_path / "pipe.ipynb")
    async with bench.client() as client:
        opened = await client.get("/runs/new", params={"notebook": "~/wing.ipynb"})
        fields = fields_of(opened.text)
        await client.post("/runs/new", data=fields, headers=xsrf())
        for path in ("/nowhere.ipynb", str(tmp_path), str(tmp_path / "pipe.ipynb"), "/etc/passwd"):
            refused = await choose(client, path=path, **fields)
            assert refused.status_code == 422
            assert len(fields_of(refused.text)) == len(fields)
    (run,) = runs(bench)
    assert bench.portal.run_folders.run_json(run.id)["folder"] == str(tmp_path)


async def test_a_run_again_with_changes(bench: LittleBench) -> None:
    first = bench.portal.runs.submit(bench.person(), _asked(STEP))
    async with bench.client() as client:
        page = (await client.get(f"/runs/new?again={first.id}&add=tifffile&size=large")).text
        fields = fields_of(page)
        assert fields[parameter(fields, "step")] == "9"
        assert {"wing", "a, b", "1 h 30 min"} <= set(re.findall(r'value="([^"]*)"', page))
        assert "numpy\ntifffile</textarea>" in page
        changed = {
            **fields,
            parameter(fields, "step"): "",
            parameter(fields, "name"): "",
            "size": "large",
            "requirements": "numpy\ntifffile",
        }
        await client.post("/runs/new", data=changed, headers=xsrf())
    second = runs(bench)[1]
    assert (second.parameters, second.size, second.again_of) == ({}, "large", first.id)
    assert second.notebook_hash == first.notebook_hash
    given = json.loads(bench.portal.run_folders.given_notebook(second.id))
    assert [cell["source"] for cell in given["cells"]] == [cell["source"] for cell in json.loads(STEP)["cells"]]


async def test_a_sweep_and_a_schedule_are_asked_for_by_the_same_button(bench: LittleBench) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("wing.ipynb", STEP))).text)
        many = {**fields, "s.step": "1, 2, 3"}
        later = {"when": "cron", "cron": "30 7 * * 1-5", "zone": "Europe/Berlin"}
        sweep = await client.post("/runs/new", data=many, headers=xsrf())
        again = await client.post("/runs/new", data=many, headers=xsrf())
        schedule = await client.post("/runs/new", data={**fields, **later}, headers=xsrf())
        both = await client.post("/runs/new", data={**many, **later}, headers=xsrf())
        wrong = await client.post("/runs/new", data={**fields, **later, "cron": "* * * * * *"}, headers=xsrf())
        changed = await client.get("/runs/new", params={"from_sweep": sweep.headers["location"].rpartition("/")[2]})
    assert sweep.headers["location"] == again.headers["location"]
    assert sweep.headers["location"].startswith("/sweeps/")
    assert schedule.headers["location"].startswith("/schedules#")
    assert "begin now" in both.text
    assert wrong.status_code == 422
    assert 'name="s.step" value="1, 2, 3"' in changed.text


async def test_what_a_time_means_stays_said_when_a_notebook_is_chosen(bench: LittleBench) -> None:
    """Else the form would grow by it at the next word, and the button move away below a press."""
    later = {"when": "cron", "cron": "30 7 * * 1-5", "zone": "Europe/Berlin"}
    async with bench.client() as client:
        chosen = await choose(client, ("wing.ipynb", STEP), **later)
        wrong = await choose(client, ("wing.ipynb", STEP), **{**later, "cron": "0 0 31 2 *"})
        now = await choose(client, ("wing.ipynb", STEP), **{**later, "when": "now"})
    assert "Every weekday at 07:30 (Europe/Berlin)" in chosen.text
    assert "names a day that never comes" in wrong.text
    assert "Every weekday" not in now.text


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("p.step", "51", "from 1 to 50"),
        ("p.step", "3", ""),
        ("p.step", "", ""),
        ("p.<script>", "x", ""),
    ],
)
async def test_a_value_is_checked_while_it_is_typed(bench: LittleBench, field: str, text: str, said: str) -> None:
    async with bench.client() as client:
        fields = fields_of((await choose(client, ("wing.ipynb", STEP))).text)
        (source,) = [value for name, value in fields.items() if name.endswith(".source")]
        sent = {f"n.1.{field}": text, "source": source, "notebook_name": "wing.ipynb"}
        answer = await client.post("/runs/new/check", params={"field": f"n.1.{field}"}, data=sent, headers=xsrf())
    assert answer.status_code == 200
    assert ("wrong" in answer.text) is bool(said)
    assert said in answer.text


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("limit", "soon", "is no time"),
        ("limit", "1h 30m", ""),
        ("hold", "9 d", "at most"),
        ("retries", "x<b>", "is no whole number"),
        ("requirements", "numpy\n--index-url x", "line 2"),
        ("requirements", "numpy\npandas", "2 packages"),
        ("cwd", "/nowhere", ""),
    ],
)
async def test_a_wish_is_checked_while_it_is_typed(bench: LittleBench, field: str, text: str, said: str) -> None:
    async with bench.client() as client:
        answer = await client.post("/runs/new/check", params={"field": field}, data={field: text}, headers=xsrf())
    assert answer.status_code == 200
    assert said in answer.text
    assert "<b>" not in answer.text


async def test_the_number_of_runs_is_said_while_it_is_typed(bench: LittleBench) -> None:
    async with bench.client() as client:
        sent = {"s.step": "1..4", "k.step": "whole", "s.name": "a, b", "k.name": "text"}
        answer = await client.post("/runs/new/count", data=sent, headers=xsrf())
        wrong = await client.post("/runs/new/count", data={"s.step": "1..9999999"}, headers=xsrf())
    assert "8 runs" in answer.text
    assert 'hx-post="/runs/new/count"' in answer.text
    assert wrong.status_code == 200


async def test_the_api_lists_files_and_checks_values(bench: LittleBench, tmp_path: Path) -> None:
    (tmp_path / "wing.ipynb").write_bytes(STEP)
    async with bench.program() as program:
        found = (await program.get("/files", params={"pattern": "*.ipynb"})).json()
        outside = await program.get("/files", params={"folder": "/etc"})
        inspected = await program.post("/notebooks/inspect", data={"request": json.dumps({"path": "~/wing.ipynb"})})
        step = inspected.json()["parameters"][0]
        wrong = await program.post("/notebooks/check", json={"parameter": step, "text": "51"})
        right = await program.post("/notebooks/check", json={"parameter": step, "text": " 7 "})
        empty = await program.post("/notebooks/check", json={"parameter": {"name": "x", "kind": "text"}, "text": ""})
        odd: list[Any] = [{"name": "x", "kind": "y"}, {"name": "x", "kind": "whole", "step": 0}, {"kind": "whole"}, []]
        strange = [await program.post("/notebooks/check", json={"parameter": one, "text": "1"}) for one in odd]
    assert [item["path"] for item in found["items"] if item["kind"] == "file"] == [str(tmp_path / "wing.ipynb")]
    assert (outside.status_code, outside.json()["code"]) == (422, "folder_not_shown")
    assert wrong.json()["fits"] is False
    assert "from 1 to 50" in wrong.json()["sentence"]
    assert right.json() == {"fits": True, "given": True, "value": 7, "sentence": ""}
    assert empty.json()["given"] is False
    assert {answer.status_code for answer in strange} == {422}


async def test_the_api_takes_a_notebook_by_path_or_from_a_run(bench: LittleBench, tmp_path: Path) -> None:
    (tmp_path / "wing.ipynb").write_bytes(STEP)
    async with bench.program(FROM_SESSION) as program:
        first = await _submit(program, path=str(tmp_path / "wing.ipynb"), parameters={"step": 3})
        second = await _submit(program, from_run=first.json()["id"], parameters={"name": "x"})
        refused = [
            await _submit(program, path="/etc/passwd"),
            await _submit(program, path=str(bench.data.path / "portal.sqlite")),
            await _submit(program, from_run="none"),
            await program.get("/files"),
        ]
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.json()["parameters"], second.json()["again_of"]) == ({"name": "x"}, first.json()["id"])
    assert [answer.json()["code"] for answer in refused] == [
        "not_a_notebook",
        "notebook_unreadable",
        "no_such_run",
        "token_too_narrow",
    ]


async def _submit(program: httpx.AsyncClient, **request: Any) -> httpx.Response:
    return await program.post("/runs", data={"request": json.dumps(request)})


def _asked(content: bytes) -> RunRequest:
    return RunRequest(
        content, "wing.ipynb", {"step": 9, "name": "x"}, timeout=5400, tags=("a", "b"), requirements="numpy"
    )
