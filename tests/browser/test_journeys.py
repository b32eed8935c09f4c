"""A scientist's first hour, in a real browser on a real bench. The docs show its pictures.

`make pictures` takes them anew into docs/images/.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from tests.bench import Bench
from tests.browser.looking import WIDE, Picture, axe
from tests.waiting import A_START, PATIENCE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

DRAWS = """\
import matplotlib.pyplot as plt
plt.figure(figsize=(6, 2.4))
plt.plot(frames.std(axis=(1, 2)), marker="o")
plt.title(channel)
plt.savefig("spread.png")
plt.show()"""
KEEPS = """\
import pandas as pd
pd.DataFrame({"frame": range(len(frames)), "spread": frames.std(axis=(1, 2)).round(3)}).to_csv("spread.csv")
Path("notes.txt").write_text("one row for each frame")"""


def test_from_the_link_to_a_cell_in_jupyterlab(page: Page, bench: Bench, take: Picture) -> None:
    page.get_by_role("button", name="JupyterLab").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    take(page, "start")
    page.wait_for_url(re.compile(r"/user/[^/]+/python/lab"), timeout=1000 * A_START)
    lab = page.url
    page.goto(f"{lab.partition('?')[0]}?reset")  # another test may have left a notebook open
    page.locator('.jp-LauncherCard[title="Python 3 (ipykernel)"]').first.click()
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first).to_be_visible()
    _run_a_cell(page, "6 * 7", "42")
    take(page, "jupyterlab")
    page.goto(bench.url)
    expect(_state(page, "running")).to_be_visible()
    axe(page)
    page.locator("summary", has_text="Stop").first.click()
    page.get_by_role("button", name="Stop the session").click()
    expect(_state(page, "stopped")).to_be_visible()
    _go_where_it_was(page, lab)
    expect(page.get_by_role("heading", level=1)).to_contain_text("python")
    axe(page)
    page.get_by_role("button", name=re.compile("Start")).first.click()
    page.wait_for_url(re.compile(r"/user/[^/]+/python/lab"), timeout=1000 * A_START)
    page.goto("about:blank")
    _stop(bench)


def test_a_notebook_is_handed_in_watched_and_done(page: Page, bench: Bench, tmp_path: Path, take: Picture) -> None:
    go_on = tmp_path / "go-on"
    notebook = _notebook(
        tmp_path / "wing-disc.ipynb",
        "#md # Nuclei in the wing disc\nEach frame is segmented; the areas are $A_i = \\sum_j m_{ij}$.",
        "step = 2\nchannel = 'nuclei'",
        "import numpy as np\nframes = np.random.default_rng(1).normal(size=(8, 64, 64))[::step]\nprint(frames.shape)",
        DRAWS,
        f"from pathlib import Path\nwhile not Path({str(go_on)!r}).exists():\n    pass\nprint('the end')",
        KEEPS,
        parameters=1,
    )
    page.goto(f"{bench.url}/runs/new")
    page.locator("input[type=file]").set_input_files(notebook)
    step = page.get_by_role("textbox", name=re.compile("^step")).first
    expect(step).to_be_visible()
    step.fill("4")
    take(page, "new-run")
    axe(page)
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{32,}"))
    frame = page.frame_locator("iframe").first
    expect(frame.get_by_text("(2, 64, 64)")).to_be_visible()
    expect(frame.locator("img").first).to_be_visible()
    take(page, "run-live")
    axe(page)
    go_on.touch()
    expect(_state(page, "done")).to_be_visible()
    expect(page.frame_locator("iframe").first.get_by_text("the end", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the notebook").click()
    executed = json.loads(download.value.path().read_text())
    assert executed["metadata"]["papermill"]["parameters"] == {"step": 4}
    page.locator("summary", has_text="spread.csv").click()
    expect(page.get_by_role("columnheader", name="spread")).to_be_visible()
    take(page, "run-results")
    axe(page)
    page.get_by_role("button", name="Open in JupyterLab").click()
    page.wait_for_url(
        re.compile(r"/user/[^/]+/python/lab/tree/.*wing-disc.*/made/notebook.ipynb"), timeout=1000 * A_START
    )
    expect(page.get_by_text("the end", exact=True).first).to_be_visible()
    page.goto("about:blank")
    _stop(bench)


def test_a_failing_one_says_why(page: Page, bench: Bench, tmp_path: Path, take: Picture) -> None:
    notebook = _notebook(tmp_path / "areas.ipynb", "frames = list(range(3))", "frames[4]")
    page.goto(f"{bench.url}/runs/new")
    page.locator("input[type=file]").set_input_files(notebook)
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("Cell 2 stopped with IndexError: list index out of range (line 1).").first).to_be_visible()
    take(page, "run-failed")
    axe(page)


def test_home_and_runs_with_something_on_them(page: Page, browser: Browser, bench: Bench, take: Picture) -> None:
    """After the others or alone: the pictures want a session and some runs."""
    with bench.owner() as owner:
        owner.start_session()
        wait_for(lambda: any(session["phase"] == "running" for session in owner.sessions()), A_START)
    page.goto(bench.url)
    expect(_state(page, "running")).to_be_visible()
    take(page, "home")
    page.goto(f"{bench.url}/runs")
    take(page, "runs")
    axe(page)
    for name, look in {
        "home-dark": {"viewport": WIDE, "color_scheme": "dark"},
        "home-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    }.items():
        other = browser.new_context(**look, storage_state=page.context.storage_state())  # type: ignore[arg-type]
        other.set_default_timeout(1000 * PATIENCE)
        opened = other.new_page()
        opened.goto(bench.url)
        expect(_state(opened, "running")).to_be_visible()
        take(opened, name)
        axe(opened)
        other.close()
    _stop(bench)


def _go_where_it_was(page: Page, address: str) -> None:
    """For a moment after a stop the proxy still has the way to it."""
    for _ in range(20):
        page.goto(address)
        with suppress(TimeoutError):
            return page.get_by_role("heading", level=1).wait_for(timeout=2_000)
    raise AssertionError("the stopped session's page never came")


def _stop(bench: Bench) -> None:
    with bench.owner() as owner:
        owner.stop_session("python")
        wait_for(lambda: all(session["phase"] == "ended" for session in owner.sessions()))


def _run_a_cell(page: Page, text: str, output: str) -> None:
    """JupyterLab drops what comes before its kernel is connected, and shows no sign of that: so once more."""
    shown = page.locator(".jp-OutputArea-output", has_text=output).first
    for _ in range(20):
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        page.keyboard.press("Control+Enter")
        with suppress(TimeoutError):
            return shown.wait_for(timeout=3_000)
    raise AssertionError("the cell gave no output")


def _state(page: Page, word: str) -> Locator:
    return page.locator(".state", has_text=word).first


def _notebook(path: Path, *cells: str, parameters: int | None = None) -> Path:
    """`#md ` begins a text; `parameters` is the tagged cell's place."""
    made = [_cell(number, source, number == parameters) for number, source in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}))
    return path


def _cell(number: int, source: str, parameters: bool) -> dict[str, object]:
    text = source.startswith("#md ")
    cell: dict[str, object] = {
        "id": f"cell-{number}",
        "cell_type": "markdown" if text else "code",
        "metadata": {"tags": ["parameters"]} if parameters else {},
        "source": source.removeprefix("#md "),
    }
    return cell if text else {**cell, "outputs": [], "execution_count": None}
