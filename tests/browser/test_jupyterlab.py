"""Run in the Background, from inside JupyterLab in a session of a real bench. The docs show its pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from tests.bench import Bench
from tests.browser.looking import Picture, axe, unbroken
from tests.jupyterlab import OPENS, jupyterlab
from tests.python_environment import python_environment
from tests.waiting import A_START, PATIENCE, wait_for

__all__ = ["python_environment"]
pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

PARAMETERS = """\
from typing import Literal
step = 2  # every how many frames
channel: Literal["nuclei", "membrane"] = "nuclei"
areas = [10, 400]  # pixels, smallest and largest
mean = True  # average over the frames"""


@pytest.fixture(scope="module")
def lab(bench: Bench) -> Iterator[str]:
    """The address of a session that runs."""
    with bench.owner() as owner:
        session = owner.start_session()
        try:
            wait_for(lambda: _phase(owner, session["id"]) == "running", A_START)
            yield f"{session['url']}lab" if session["url"].endswith("/") else f"{session['url']}/lab"
        finally:
            owner.stop_session(session["id"])
            wait_for(lambda: _phase(owner, session["id"]) == "ended")


@pytest.fixture
def themes(bench: Bench) -> Iterator[None]:
    """Whichever one chooses, another test finds the one that comes first."""
    yield
    chosen = bench.home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    chosen.unlink(missing_ok=True)


def test_from_the_notebooks_toolbar_to_its_result(page: Page, lab: str, bench: Bench, take: Picture) -> None:
    folder = _folder(bench, "wing-disc")
    go_on = folder / "go-on"
    (folder / "beside.txt").write_text("what lies beside")
    waits = f"from pathlib import Path\nwhile not (Path.home() / '{folder.name}/go-on').exists():\n    pass"
    _notebook(folder / "wing-disc.ipynb", PARAMETERS, waits, "print(step, channel, areas, open('beside.txt').read())")
    _open(page, lab, folder, "wing-disc.ipynb")
    _add_to_the_first_cell(page, "\nnew = 'typed now'")
    form = _ask_by_the_toolbar(page, "wing-disc")
    expect(_field(form, "new")).to_have_value("typed now")  # it was saved first
    expect(_field(form, "step")).to_be_focused()
    _field(form, "step").fill("4")
    _field(form, "channel").select_option("membrane")
    _field(form, "Name").fill("wing disc, large areas")
    _field(form, "Time limit").fill("2")
    take(page, "jupyterlab-run")
    _field(form, "areas").fill("large")
    form.get_by_role("button", name="Run it").click()
    expect(form.get_by_role("alert")).to_contain_text("areas is a list")
    axe(page, ".drybench-form")
    _field(form, "areas").fill("[20, 99999999999999999999]")
    expect(_field(form, "step")).to_have_value("4")  # what was typed stays
    form.get_by_role("button", name="Run it").click()
    expect(form).to_be_hidden()
    entry = _runs(page).get_by_role("listitem").filter(has_text="wing disc, large areas")
    expect(entry.get_by_role("progressbar")).to_be_visible()
    axe(page, ".drybench-runs")
    take(page, "jupyterlab-runs")
    go_on.touch()
    expect(entry.locator(".drybench-state")).to_have_text("done")
    with page.expect_popup() as opened:
        entry.get_by_role("link", name="wing disc, large areas").click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("wing disc")  # and nobody signed in again
    assert opened.value.url.startswith(f"{bench.url}/runs/")
    _must_have_said(bench, "4 membrane [20, 99999999999999999999] what lies beside")


def test_from_the_file_browser_and_why_it_failed(page: Page, lab: str, bench: Bench) -> None:
    folder = _folder(bench, "areas")
    _notebook(folder / "areas.ipynb", "frames = list(range(3))", "frames[4]")
    _open(page, lab, folder)
    page.locator(".jp-DirListing-item", has_text="areas.ipynb").click(button="right")
    page.get_by_role("menuitem", name="Run in the Background").click()
    form = _form(page, "areas")
    form.get_by_role("button", name="Run it").click()
    entry = _runs(page).get_by_role("listitem").filter(has_text="areas").first
    expect(entry).to_contain_text("Cell 2 stopped with IndexError: list index out of range")
    expect(entry.locator(".drybench-state")).to_have_text("failed")


@pytest.mark.usefixtures("themes")
def test_from_the_launcher_and_in_the_dark(page: Page, lab: str, bench: Bench) -> None:
    folder = _folder(bench, "summary")
    (folder / "areas.csv").write_text("1,2,3")
    _notebook(folder / "summary.ipynb", "table_path = 'none.csv'", "print('the table:', open(table_path).read())")
    _open(page, lab, folder)
    page.locator(".jp-LauncherCard", has_text="Run in the Background").click()
    _choose(page, "summary.ipynb")
    form = _form(page, "summary")
    form.get_by_role("button", name="Choose a file for table_path").click()
    _choose(page, "areas.csv")
    expect(_field(form, "table_path")).to_have_value(str(folder / "areas.csv"))
    page.get_by_role("menuitem", name="Settings").click()
    page.locator(".lm-Menu").get_by_text("Theme", exact=True).click()
    page.locator(".lm-Menu").get_by_text("JupyterLab Dark", exact=True).click()
    expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    page.locator('.lm-TabBar-tab[data-id="drybench-runs"]').click()
    axe(page, ".drybench-form")
    axe(page, ".drybench-runs")
    form.get_by_role("button", name="Run it").focus()
    page.keyboard.press("Enter")
    done = _runs(page).get_by_role("listitem").filter(has_text="summary").first.locator(".drybench-done")
    expect(done).to_be_visible()
    _must_have_said(bench, "the table: 1,2,3")


def test_by_the_keyboard_alone_and_it_looks_only_while_somebody_can(page: Page, lab: str, bench: Bench) -> None:
    folder = _folder(bench, "keys")
    _notebook(folder / "keys.ipynb", PARAMETERS)
    _open(page, lab, folder, "keys.ipynb")
    _by_the_palette(page, "Run in the Background…")
    form = _form(page, "keys")
    expect(_field(form, "step")).to_be_focused()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    entry = _runs(page).get_by_role("listitem").filter(has_text="keys").first
    expect(entry.locator(".drybench-done")).to_be_visible()
    page.locator('.lm-TabBar-tab[data-id="filebrowser"]').click()
    expect(_runs(page)).to_be_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/drybench/" in request.url else None)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # else it would look at once
    assert asked == []
    _by_the_palette(page, "Show Runs in the Background")
    expect(entry).to_be_visible()
    wait_for(lambda: page.evaluate("1") and asked)
    assert all("no_track_activity" in url for url in asked)  # looking is no sign that somebody works


def test_outside_a_session_it_says_so_to_who_looks(browser: Browser, python_environment: Path, tmp_path: Path) -> None:
    with jupyterlab(python_environment, tmp_path, {}) as outside:
        (outside.home / "notes").mkdir()
        _notebook(outside.home / "notes" / "one.ipynb", "1 + 1")
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        with unbroken(page):
            _open(page, f"{outside.url}lab", outside.home / "notes", "one.ipynb", OPENS)
            expect(page.locator('.lm-TabBar-tab[data-id="drybench-runs"]')).to_have_count(0)
            expect(page.get_by_role("button", name="Run in the Background")).to_have_count(0)
            found = page.locator(".lm-CommandPalette-itemLabel", has_text="Background")
            _type_in_palette(page, "Run in the Background", found)
            sentence = "Run in the Background: only in a session of a Drybench, and this JupyterLab is in none"
            expect(found).to_have_text(sentence)
        page.close()


def _folder(bench: Bench, name: str) -> Path:
    made = bench.home / name
    made.mkdir()
    return made


def _open(page: Page, lab: str, folder: Path, notebook: str = "", token: str = "") -> None:
    page.goto(f"{lab}/tree/{folder.name}/{notebook}?reset{token and f'&token={token}'}")
    shown = page.locator(".jp-Notebook .jp-Cell" if notebook else ".jp-LauncherCard").first
    expect(shown).to_be_visible()
    if notebook:  # it takes the keyboard later than it is seen, from whatever has it then
        expect(page.locator(".jp-Notebook:focus-within")).to_be_visible()


def _add_to_the_first_cell(page: Page, text: str) -> None:
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(text)
    expect(page.locator(".jp-Notebook .cm-content").first).to_contain_text(text.strip())


def _ask_by_the_toolbar(page: Page, stem: str) -> Locator:
    page.locator('.jp-NotebookPanel [data-jp-item-name="run-in-background"]').first.click()
    return _form(page, stem)


def _by_the_palette(page: Page, command: str) -> None:
    active = page.locator(".lm-CommandPalette-item.lm-mod-active .lm-CommandPalette-itemLabel")
    _type_in_palette(page, command, active.filter(has_text=command))
    expect(active).to_have_text(command)
    page.keyboard.press("Enter")


def _type_in_palette(page: Page, words: str, found: Locator) -> None:
    """JupyterLab takes no keys before it has read its settings, and shows no sign of that: so once more.

    A key that it takes late closes the palette again, so it is given long.
    """
    search = page.locator(".lm-CommandPalette-input")
    for _ in range(6):
        if not search.is_visible():
            page.keyboard.press("Control+Shift+C")
        with suppress(TimeoutError):
            search.fill(words, timeout=15_000)
            found.first.wait_for(timeout=15_000)
            return
    raise AssertionError("the command palette never opened")


def _choose(page: Page, name: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.locator(".jp-DirListing-item", has_text=name).click()
    dialog.get_by_role("button", name="Select").click()


def _form(page: Page, stem: str) -> Locator:
    form = page.locator(f'.drybench-form[id$="{stem}.ipynb"]')
    expect(form.get_by_role("button", name="Run it")).to_be_visible()
    return form


def _field(form: Locator, label: str) -> Locator:
    return form.get_by_label(label, exact=True)


def _runs(page: Page) -> Locator:
    return page.locator(".drybench-runs")


def _must_have_said(bench: Bench, words: str) -> None:
    with bench.owner() as owner:
        run = next(owner.runs(most=1))
        cells = json.loads(owner.notebook(run))["cells"]
        assert words in re.sub(r"\s+", " ", str([cell.get("outputs") for cell in cells]))


def _phase(owner: object, id: str) -> str:
    return next(one["phase"] for one in owner.sessions() if one["id"] == id)  # type: ignore[attr-defined]


def _notebook(path: Path, *sources: str) -> None:
    """The first cell is the parameters'."""
    cells = [
        {
            "id": f"cell-{number}",
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]} if number == 0 else {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))
