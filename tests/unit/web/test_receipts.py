"""Receipts, crates and what differs between runs, over a real ledger and real run folders."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drybench.model import Run
from drybench.phases import Outcome, Phase
from drybench.runs.attempts import environment_of
from drybench.runs.receipts import packages_of
from tests.unit.web.little_bench import ADA, BOB, LittleBench, xsrf

SHA = "a" * 64
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEFT: dict[str, Any] = {
    "format": 1,
    "python": "3.11.7",
    "implementation": "cpython",
    "platform": "Linux 6.1 x86_64",
    "machine": {"host": "wing", "cpu": "A CPU", "cores": 8, "memory": 16 << 30},
    "gpus": [{"name": "NVIDIA A40", "memory": 48 << 30, "driver": "570.1"}],
    "git": {"commit": "b" * 40, "dirty": True, "remote": "https://code.example/lab.git"},
    "packages": {"lab-one": "1.0"},
    "inputs": [{"path": "/data/a.csv", "size": 3, "modified": 1, "sha256": SHA, "note": ""}],
}


def done(bench: LittleBench, *sources: str, left: dict[str, Any] | bytes | None = None, **asked: Any) -> Run:
    run = bench.run(*sources, **asked)
    content = json.dumps(LEFT).encode() if left is None else left if isinstance(left, bytes) else json.dumps(left)
    bench.made(run, "receipt.json", content)
    bench.made(run, "output/a.csv", "1,2\n")
    bench.move(run, Phase.ENDED, Outcome.DONE, started_at=THEN, ended_at=THEN)
    return bench.portal.runs.get(bench.person(), run.id)


@pytest.fixture
def installed(tmp_path: Path) -> None:
    for name in ("numpy-2.4.6.dist-info", "Lab_Two-1.dist-info", "numpy"):
        (tmp_path / "python/lib/python3.11/site-packages" / name).mkdir(parents=True)
    packages_of.cache_clear()


async def receipt(bench: LittleBench, run: Run) -> dict[str, Any]:
    async with bench.program() as program:
        answer = await program.get(f"/runs/{run.id}/receipt")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("installed")
async def test_a_receipt_says_with_what_and_on_what(bench: LittleBench) -> None:
    run = done(bench, "print(step)", requirements="lab_one # words\n")
    told = await receipt(bench, run)
    assert told["packages"] == {"lab-two": "1", "numpy": "2.4.6", "lab-one": "1.0"}
    assert told["packages_added"] == {"lab-one": "1.0"}
    assert told["requirements"] == "lab_one # words\n"
    assert told["environment_digest"] == "python"
    assert told["machine"]["cpu"] == "A CPU"
    assert told["gpus"][0]["driver"] == "570.1"
    assert told["git"]["dirty"] is True
    assert told["inputs"] == [{"path": "/data/a.csv", "size": 3, "sha256": SHA, "note": ""}]
    assert told["outputs"] == [{"path": "a.csv", "size": 4}]
    assert len(told["notebook_sha256"]) == 64
    assert (told["outcome"], told["started_at"], told["notes"]) == ("done", "2026-01-02T03:04:05Z", [])


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"format": 2}',
        b'{"format": 1, "packages": ' + b"[" * 100_000,
        json.dumps({**LEFT, "machine": "a string"}).encode(),
        json.dumps({**LEFT, "machine": {"memory": 10**40}}).encode(),
        json.dumps({**LEFT, "machine": {"memory": -1}}).encode(),
        json.dumps({**LEFT, "gpus": [{}] * 100}).encode(),
        json.dumps({**LEFT, "packages": {str(n): "1" for n in range(6000)}}).encode(),
        json.dumps({**LEFT, "packages": {"a" * 1000: "1"}}).encode(),
        json.dumps({**LEFT, "inputs": [{"path": "x"}] * 2000}).encode(),
        json.dumps({**LEFT, "inputs": [{"path": "x", "sha256": "<script>"}]}).encode(),
        json.dumps({**LEFT, "git": {"commit": "; rm -rf /"}}).encode(),
        b" " * (9 << 20),
    ],
)
async def test_a_hostile_receipt_is_left_out_and_the_rest_stays(bench: LittleBench, left: bytes) -> None:
    told = await receipt(bench, done(bench, left=left))
    assert (told["machine"], told["git"], told["inputs"]) == (None, None, [])
    assert any("cannot be read" in note for note in told["notes"])
    assert told["name"] == "notebook"


async def test_a_link_in_its_place_is_not_followed(bench: LittleBench, tmp_path: Path) -> None:
    run = done(bench)
    place = bench.portal.run_folders.path(run.id) / "1/made/receipt.json"
    (tmp_path / "elsewhere.json").write_text(json.dumps(LEFT))
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere.json")
    assert (await receipt(bench, run))["machine"] is None


async def test_without_one_it_says_so(bench: LittleBench) -> None:
    told = await receipt(bench, bench.run())
    assert "The run has left no receipt of its own." in told["notes"]
    assert told["outcome"] is None


async def test_words_of_a_task_are_words_on_the_page(bench: LittleBench) -> None:
    evil = "<script>alert(1)</script>"
    left = {**LEFT, "machine": {**LEFT["machine"], "cpu": evil}, "packages": {evil: evil}}
    left["inputs"] = [{"path": evil, "note": evil}]
    run = done(bench, left=left)
    async with bench.client() as browser:
        whole = await browser.get(f"/runs/{run.id}/receipt")
        part = await browser.get(f"/runs/{run.id}/receipt", headers={"hx-request": "true"})
    assert whole.status_code == part.status_code == 200
    assert "<script>alert" not in whole.text
    assert "&lt;script&gt;alert" in part.text
    assert "<html" in whole.text
    assert "<html" not in part.text


async def test_nobody_elses(bench: LittleBench) -> None:
    run, own = done(bench), done(bench)
    async with bench.program(BOB) as program:
        for path in ("receipt", "crate.zip"):
            assert (await program.get(f"/runs/{run.id}/{path}")).status_code == 404
        assert (await program.get("/runs/differences", params={"a": run.id, "b": own.id})).status_code == 404


def crate(content: bytes) -> tuple[zipfile.ZipFile, dict[str, dict[str, Any]]]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
    return archive, {entity["@id"]: entity for entity in graph}


async def test_a_crate_holds_what_it_names(bench: LittleBench) -> None:
    run = done(bench, "1", requirements="lab_one")
    bench.made(run, "output/deep/grün & co.csv", "1")
    async with bench.program() as program:
        answer = await program.get(f"/runs/{run.id}/crate.zip")
    assert answer.headers["content-type"] == "application/octet-stream"
    archive, graph = crate(answer.content)
    assert archive.testzip() is None
    names = set(archive.namelist())
    expected = {"notebook.ipynb", "executed/notebook.ipynb", "log.txt", "receipt.json", "requirements.txt", "README.md"}
    assert names == {*expected, "output/a.csv", "output/deep/grün & co.csv", "ro-crate-metadata.json"}
    parts = {part["@id"] for part in graph["./"]["hasPart"]}
    assert "output/deep/gr%C3%BCn%20%26%20co.csv" in parts
    assert len(parts) == len(names) - 1
    assert graph["./"]["mainEntity"] == {"@id": "notebook.ipynb"}
    assert graph[f"#run-{run.id}"]["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert json.loads(archive.read("receipt.json"))["run"] == run.id


async def test_names_that_climb_links_and_clashes(bench: LittleBench, tmp_path: Path) -> None:
    run = done(bench)
    output = bench.portal.run_folders.path(run.id) / "1/made/output"
    (output / "..\\..\\evil.txt").write_text("1")
    (output / "secret").symlink_to("/etc/passwd")
    (output / "folder").symlink_to("/etc")
    (output / "A.csv").write_text("2")
    async with bench.program() as program:
        archive, graph = crate((await program.get(f"/runs/{run.id}/crate.zip")).content)
    assert archive.testzip() is None
    assert not any(".." in name or name.startswith("/") or "secret" in name for name in archive.namelist())
    assert sorted(name.casefold() for name in archive.namelist()).count("output/a.csv") == 1
    assert {part["@id"] for part in graph["./"]["hasPart"]} == {
        name.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
        for name in archive.namelist()
        if name != "ro-crate-metadata.json"
    }


async def test_no_crate_of_what_goes_on(bench: LittleBench) -> None:
    run = bench.run()
    async with bench.program() as program:
        assert (await program.get(f"/runs/{run.id}/crate.zip")).json()["code"] == "still_open"


async def test_what_differs_as_json_and_as_a_page(bench: LittleBench) -> None:
    one = done(bench, "x = 1", "y = 2")
    other = done(bench, "x = 1", "y = <b>3</b>", left={**LEFT, "packages": {"lab-one": "2.0"}})
    async with bench.program() as program:
        found = (await program.get("/runs/differences", params={"a": one.id, "b": other.id})).json()
    assert [subject["name"] for subject in found["subjects"]] == ["notebook", "packages"]
    assert found["subjects"][1]["rows"] == [{"name": "lab-one", "a": "1.0", "b": "2.0"}]
    assert found["cells"] == [{"a": 2, "b": 2, "lines": ["@@ -1 +1 @@", "-y = 2", "+y = <b>3</b>"]}]
    assert "files" in found["same"]
    async with bench.client() as browser:
        page = await browser.get("/runs/differences", params={"a": other.id})
        assert page.status_code == 200
        assert "+y = &lt;b&gt;3&lt;/b&gt;" in page.text
        assert (await browser.get("/runs/differences", params={"a": "nonsense", "b": one.id})).status_code == 404


async def test_files_of_one_size_are_told_apart(bench: LittleBench) -> None:
    one, other = done(bench), done(bench)
    bench.made(other, "output/a.csv", "9,9\n")
    async with bench.program() as program:
        found = (await program.get("/runs/differences", params={"a": one.id, "b": other.id})).json()
    subject = next(subject for subject in found["subjects"] if subject["name"] == "files")
    assert subject["rows"][0]["name"] == "a.csv"


async def test_alone_there_is_nothing_to_compare_with(bench: LittleBench) -> None:
    run = done(bench)
    async with bench.client() as browser:
        page = await browser.get("/runs/differences", params={"a": run.id})
    assert "no other run of yours yet" in page.text


async def test_again_in_the_same_environment_or_not_at_all(bench: LittleBench) -> None:
    run = done(bench, requirements="lab_one")
    async with bench.program() as program:
        same = (await program.post(f"/runs/{run.id}/again", json={"environment": "same"})).json()
        wrong = await program.post(f"/runs/{run.id}/again", json={"environment": "older"})
    again = bench.portal.runs.get(bench.person(), same["id"])
    assert again.again_of == run.id
    assert again.task.spec.python == run.task.spec.python
    assert (await receipt(bench, again))["requirements"] == "lab_one"
    assert wrong.status_code == 422


async def test_again_when_the_environment_is_gone(bench: LittleBench, tmp_path: Path) -> None:
    run = done(bench)
    (tmp_path / "python").rename(tmp_path / "old-python")
    async with bench.program() as program:
        refused = await program.post(f"/runs/{run.id}/again", json={"environment": "same"})
    assert (refused.status_code, refused.json()["code"]) == (422, "environment_gone")
    assert any("no longer here" in note for note in (await receipt(bench, run))["notes"])


async def test_again_from_the_page(bench: LittleBench) -> None:
    run = done(bench)
    form = {"_xsrf": xsrf(ADA)["x-xsrftoken"], "environment": "same", "key": "k1"}
    async with bench.client() as browser:
        first = await browser.post(f"/runs/{run.id}/again", data=form)
        second = await browser.post(f"/runs/{run.id}/again", data=form)
    assert first.status_code == 303
    assert first.headers["location"] == second.headers["location"]


def test_a_further_attempt_is_made_where_the_run_began(bench: LittleBench, tmp_path: Path) -> None:
    run = bench.run()
    older = tmp_path / "older"
    older.mkdir()
    begun = replace(run, task=replace(run.task, spec=replace(run.task.spec, python=older)))
    assert environment_of(bench.portal.runs._desk, begun).python == older
    older.rmdir()
    assert environment_of(bench.portal.runs._desk, begun).python == tmp_path / "python"


async def test_what_it_repeats_is_compared_first_and_one_that_is_not_listed_can_be(bench: LittleBench) -> None:
    run = done(bench, name="wing")
    again = bench.portal.runs.again(bench.person(), run.id)
    for number in range(25):
        done(bench, name="wing" if number % 2 else f"eye-{number}")
    async with bench.client() as browser:
        page = (await browser.get("/runs/differences", params={"a": again.id})).text
        other = (await browser.get("/runs/differences", params={"a": again.id, "b": again.id})).text
    assert f'<option value="{run.id}" selected>' in page
    assert page.count("<option ") == 20
    assert f'<option value="{again.id}" selected>' in other
    assert "Nothing differs." in other
