"""Every page answers, says what is there, and teaches where nothing is."""

from __future__ import annotations

import pytest

from drybench.phases import Outcome, Phase, Reason
from tests.unit.web.little_bench import LittleBench


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/new", "/engines"])
async def test_pages_answer_and_teach_while_nothing_is_there(bench: LittleBench, path: str) -> None:
    async with bench.client() as browser:
        page = await browser.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


async def test_home_shows_sessions_runs_and_environments(bench: LittleBench) -> None:
    session, run = bench.session("my-lab"), bench.run(name="analysis")
    bench.move(session, Phase.RUNNING, answers=True)
    bench.fail(run, Reason.OUT_OF_MEMORY)
    async with bench.client() as browser:
        page = (await browser.get("/")).text
    assert "my-lab" in page
    assert bench.portal.sessions.url(session) in page
    assert "analysis" in page
    assert "more memory" in page
    assert "JupyterLab" in page


async def test_run_page(bench: LittleBench) -> None:
    run = bench.run("x = 1", parameters={})
    bench.move(run, Phase.ENDED, Outcome.DONE)
    async with bench.client() as browser:
        page = await browser.get(f"/runs/{run.id}")
        frame = await browser.get(f"/runs/{run.id}/notebook.html")
    assert page.status_code == 200
    assert frame.status_code == 200
    assert "<iframe" in page.text
