"""What a task wrote is shown, and can do nothing: neither while its notebook grows nor when it is done."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.model import Run
from drybench.phases import Outcome, Phase
from tests.browser.serving import bench as bench
from tests.browser.serving import signed_in
from tests.unit.web.little_bench import LittleBench

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

# Tries everything it may not and writes down what it got; that it could write shows that it ran.
ATTACK = """
<p id="diary">ran</p>
<script>
(async () => {
  const got = []
  const attempt = async (name, deed) => {
    try { const value = await deed(); if (value) got.push(name + "=" + value) } catch (refused) {}
  }
  await attempt("parent", () => parent.document.body.dataset.xsrf)
  await attempt("cookie", () => document.cookie || "no")
  await attempt("storage", () => { localStorage.setItem("a", "b"); return "kept" })
  await attempt("fetch", async () => (await fetch("PORTAL/api/v1/me", { credentials: "include" })).status)
  await attempt("post", async () => (await fetch("PORTAL/sessions", { method: "POST", mode: "no-cors" })).type)
  await attempt("elsewhere", async () => (await fetch("http://127.0.0.1:9/", { mode: "no-cors" })).type)
  await attempt("popup", () => window.open("PORTAL/") ? "opened" : "")
  await attempt("top", () => { top.location = "PORTAL/engines"; return "" })
  const form = document.createElement("form")
  form.action = "PORTAL/sessions"
  form.method = "post"
  document.body.append(form)
  await attempt("form", () => { form.submit(); return "" })
  const picture = new Image()
  picture.src = "PORTAL/?stolen"
  parent.postMessage({ height: 1e12, events: "x", ready: true }, "*")
  document.getElementById("diary").textContent = "got " + JSON.stringify(got)
})()
</script>
"""


@pytest.mark.parametrize("growing", [True, False])
def test_script_in_an_output_runs_in_a_cage(browser: Browser, bench: LittleBench, growing: bool) -> None:
    run = _hostile_run(bench, growing)
    context = signed_in(browser, bench)
    page = context.new_page()
    answered: list[str] = []
    page.on("response", lambda answer: answered.append(answer.url))
    page.goto(f"/runs/{run.id}")
    expect(page.frame_locator("iframe").locator("#diary")).to_have_text("got []")
    _nothing_happened(page, bench, run, answered)
    context.close()


def test_the_frames_page_is_not_shown_by_itself(browser: Browser, bench: LittleBench) -> None:
    run = _hostile_run(bench, growing=False)
    context = signed_in(browser, bench)
    page = context.new_page()
    page.goto(f"/runs/{run.id}/notebook.html")
    assert page.url == f"{bench.public}/runs/{run.id}"
    assert bench.portal.sessions.mine(bench.person()) == []
    context.close()


def test_names_and_values_are_only_text(browser: Browser, bench: LittleBench) -> None:
    script = "<img src=x onerror=document.title='taken'><script>document.title='taken'<"
    run = bench.run(name=script)
    bench.made(run, "output/<b onclick=alert(1)>.csv", "1")
    error = {"name": script, "value": script, "traceback": [script]}
    bench.made(
        run, "result.json", json.dumps({"format": 1, "outcome": "failed", "reason": "cell_error", "error": error})
    )
    bench.made(run, "log.txt", script)
    bench.move(run, Phase.ENDED, Outcome.FAILED)
    context = signed_in(browser, bench)
    page = context.new_page()
    for address in ("/", "/runs", f"/runs/{run.id}"):
        page.goto(address)
        assert "taken" not in page.title().replace(script, "")
        assert page.locator("img[src=x], b[onclick]").count() == 0
    context.close()


def _hostile_run(bench: LittleBench, growing: bool) -> Run:
    run = bench.run("harmless()")
    html = ATTACK.replace("PORTAL", bench.public)
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}
    bench.move(run, Phase.RUNNING)
    if growing:
        bench.journal(run, {"event": "cell", "index": 0}, {"event": "output", "index": 0, "output": output})
        return run
    given = json.loads(bench.portal.run_folders.given_notebook(run.id))
    given["cells"][0]["outputs"] = [output]
    bench.made(run, "notebook.ipynb", json.dumps(given))
    bench.move(run, Phase.ENDED, Outcome.DONE)
    return run


def _nothing_happened(page: Page, bench: LittleBench, run: Run, answered: list[str]) -> None:
    assert page.url == f"{bench.public}/runs/{run.id}"
    assert len(page.context.pages) == 1
    assert bench.portal.sessions.mine(bench.person()) == []
    assert page.evaluate("document.querySelector('iframe').offsetHeight") <= 200_100
    assert [url for url in answered if "stolen" in url or "engines" in url] == []
