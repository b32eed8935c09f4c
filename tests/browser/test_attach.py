"""A run fails at night with its kernel kept; in the morning a hand mends it in JupyterLab and it goes on."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.bench import Bench
from tests.browser.looking import Picture, axe
from tests.integration.runner_bench import notebook
from tests.waiting import A_START, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

CELLS = ("frames = list(range(240))\nprint(len(frames), 'frames')", "areas = [f * scale for f in frames]", "max(areas)")


def submit(api: httpx.Client, hold: float = 600) -> str:
    request = {"name": "areas of the night", "hold": hold}
    files = {
        "notebook": ("areas.ipynb", json.dumps(notebook(*CELLS)).encode()),
        "request": (None, json.dumps(request)),
    }
    answer = api.post("/runs", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def is_held(api: httpx.Client, run: str) -> bool:
    return api.get(f"/runs/{run}").json()["held_until"] is not None


def test_mended_in_jupyterlab_it_goes_on_and_is_done(page: Page, bench: Bench, take: Picture) -> None:
    with bench.api(bench.token()) as api:
        run = submit(api)
        wait_for(lambda: is_held(api, run), A_START)
        page.goto(f"{bench.url}/runs/{run}")
        expect(page.get_by_role("heading", name="It failed, and its kernel is kept")).to_be_visible()
        expect(page.locator("growing-notebook iframe").content_frame.get_by_text("NameError").first).to_be_visible()
        axe(page)
        take(page, "run-held")
        page.get_by_role("button", name="Attach").click()
        page.wait_for_url(re.compile(r"/user/[^/]+/kernel-[^/]+/lab"), timeout=1000 * A_START)
        cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell .cm-content")  # others may be restored
        expect(cells.nth(1)).to_contain_text("scale")
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()  # it says idle of none, too
        cells.nth(1).click()
        page.keyboard.press("Control+Home")
        page.keyboard.insert_text("scale = 2; print(len(frames), 'are still here')\n")
        page.keyboard.press("Shift+Enter")
        expect(page.get_by_text("240 are still here")).to_be_visible()
        busy = page.locator(".jp-InputArea-prompt", has_text="[*]")  # its number comes as a change after the output
        expect(busy).to_have_count(0)
        page.keyboard.press("Control+s")
        expect(page.locator(".jp-mod-dirty")).to_have_count(0)
        page.goto(f"{bench.url}/runs/{run}")
        page.get_by_role("button", name="Go on from the failed cell").click()
        expect(page.locator(".title-line .state")).to_have_text("done")
        made = api.get(f"/runs/{run}/notebook").json()
        session = next(one for one in api.get("/sessions").json()["items"] if one["name"].startswith("kernel-"))
        api.post(f"/sessions/{session['id']}/stop")
        wait_for(lambda: api.get(f"/sessions/{session['id']}").json()["phase"] == "ended")
        problem = api.post(f"/runs/{run}/go-on").json()
    assert "scale = 2" in "".join(made["cells"][1]["source"])
    assert made["cells"][2]["outputs"][0]["data"]["text/plain"] in ("478", ["478"])
    assert problem["code"] == "not_held"
    expect(page.get_by_text("A hand was in it")).to_be_visible()


def test_let_go_it_ends_as_it_failed_and_what_is_not_kept_cannot_be_attached_to(bench: Bench) -> None:
    with bench.api(bench.token()) as api:
        run = submit(api)
        wait_for(lambda: is_held(api, run), A_START)
        assert api.post(f"/runs/{run}/let-go").status_code == 202
        wait_for(lambda: api.get(f"/runs/{run}").json()["phase"] == "ended")
        assert api.get(f"/runs/{run}").json()["reason"] == "cell_error"
        assert [api.post(f"/runs/{run}/{word}").status_code for word in ("attach", "go-on", "let-go")] == [409] * 3
        assert api.post("/runs", files={"notebook": ("n.ipynb", b"{}"), "request": (None, '{"hold": 1e9}')}).json()[
            "code"
        ] in ("run_ask_wrong", "not_a_notebook")
