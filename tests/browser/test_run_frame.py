"""What a run displays is drawn in its frame, from this bench's own files, with everything else out of reach."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from drybench.phases import Outcome, Phase
from drybench.web.so_far import WIDGETS
from tests.browser.serving import bench as bench
from tests.browser.serving import signed_in
from tests.unit.web.little_bench import LittleBench

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

CONTROLS, BASE = "@jupyter-widgets/controls", "@jupyter-widgets/base"
PLOTLY = {"data": [{"type": "scatter", "x": [1, 2, 3], "y": [2, 6, 3]}], "layout": {"title": {"text": "Growth"}}}
SLIDER: dict[str, Any] = {
    "layout": {"model_name": "LayoutModel", "model_module": BASE, "model_module_version": "2.0.0", "state": {}},
    "style": {
        "model_name": "SliderStyleModel", "model_module": CONTROLS, "model_module_version": "2.0.0", "state": {},
    },
    "slider": {
        "model_name": "IntSliderModel", "model_module": CONTROLS, "model_module_version": "2.0.0",
        "state": {
            "description": "frames", "value": 37, "max": 99,
            "layout": "IPY_MODEL_layout", "style": "IPY_MODEL_style",
        },
    },
}  # fmt: skip


@pytest.fixture
def page(browser: Browser, bench: LittleBench) -> Iterator[Page]:
    """Whatever asks for something that is not this bench's fails its test."""
    context = signed_in(browser, bench)
    opened = context.new_page()
    asked: set[str] = set()
    opened.on("request", lambda request: asked.add(request.url))
    yield opened
    assert {url for url in asked if not url.startswith((bench.public, "data:", "blob:", "about:"))} == set()
    context.close()


def test_a_figure_of_plotly_is_drawn(page: Page, bench: LittleBench) -> None:
    frame = _ended(page, bench, {"application/vnd.plotly.v1+json": PLOTLY, "text/html": "not this", "text/plain": "F"})
    expect(frame.locator(".gtitle")).to_have_text("Growth")
    expect(frame.locator(".scatterlayer .point")).to_have_count(3)
    expect(frame.get_by_text("not this")).to_have_count(0)


def test_figures_draw_while_the_run_goes_on_and_share_one_library(page: Page, bench: LittleBench) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    run = bench.run("1", "2")
    bench.move(run, Phase.RUNNING)
    page.goto(f"/runs/{run.id}")
    frame = page.frame_locator("iframe")
    for cell in (0, 1):
        bench.journal(run, _cell(cell), _shown(cell, {"application/vnd.plotly.v1+json": PLOTLY}))
    bench.move(run, Phase.RUNNING)
    expect(frame.locator(".gtitle")).to_have_count(2)
    assert len([url for url in asked if "plotly" in url]) == 1


def test_a_page_that_asks_a_cdn_for_plotly_gets_ours(page: Page, bench: LittleBench) -> None:
    html = (
        '<div id="p"></div><script src="https://cdn.plot.ly/plotly-3.0.1.min.js" integrity="sha256-x"></script>'
        f'<script>Plotly.newPlot("p", {json.dumps(PLOTLY["data"])}, {{"title": {{"text": "By hand"}}}})</script>'
    )
    expect(_ended(page, bench, {"text/html": html}).locator(".gtitle")).to_have_text("By hand")


def test_a_library_that_came_along_is_shown_without_its_five_megabytes(page: Page, bench: LittleBench) -> None:
    library = "/**\n* plotly.js v9.9.9\n*/\n" + "x" * (5 << 20)
    html = f'<script>{library}</script><b id="p">drawn</b><script>p.append(typeof Plotly)</script>'
    frame = _ended(page, bench, {"text/html": html})
    expect(frame.locator("#p")).to_have_text("drawnobject")
    assert frame.locator("html").evaluate("node => node.outerHTML.length") < 1 << 20


def test_a_widget_shows_its_last_state(page: Page, bench: LittleBench) -> None:
    view = {"model_id": "slider", "version_major": 2, "version_minor": 0}
    data = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "IntSlider(value=0)"}
    frame = _ended(page, bench, data, {"widgets": {WIDGETS: {"version_major": 2, "state": SLIDER}}})
    expect(frame.locator(".widget-slider .widget-label")).to_have_text("frames")
    expect(frame.locator(".widget-slider .widget-readout")).to_have_text("37")


def test_a_widget_moves_on_while_the_run_tells_of_it(page: Page, bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    page.goto(f"/runs/{run.id}")
    frame = page.frame_locator("iframe")
    view = {"model_id": "slider", "version_major": 2, "version_minor": 0}
    data = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "IntSlider(value=0)"}
    bench.journal(run, _cell(0), _shown(0, data))
    bench.move(run, Phase.RUNNING)
    expect(frame.get_by_text("IntSlider(value=0)")).to_be_visible()
    bench.journal(run, {"event": "widgets", "state": SLIDER})
    bench.move(run, Phase.RUNNING)
    expect(frame.locator(".widget-readout")).to_have_text("37")
    bench.journal(run, {"event": "widgets", "state": {"slider": {**SLIDER["slider"], "state": {"value": 38}}}})
    bench.move(run, Phase.RUNNING)
    expect(frame.locator(".widget-readout")).to_have_text("38")


def test_a_widget_of_an_unknown_library_is_said_in_words(page: Page, bench: LittleBench) -> None:
    view = {"model_id": "elsewhere", "version_major": 2, "version_minor": 0}
    data = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "Map(center=[0, 0])"}
    expect(_ended(page, bench, data).get_by_text("Map(center=[0, 0])")).to_be_visible()


def test_a_script_stays_in_its_frame(page: Page, bench: LittleBench) -> None:
    html = (
        '<b id="said"></b><script>try { parent.document.title = "taken" } catch (e) { said.textContent = e.name }'
        "</script>"
    )
    frame = _ended(page, bench, {"text/html": html})
    expect(frame.locator("#said")).to_have_text("SecurityError")
    expect(page).to_have_title(re.compile("^done"))


def test_a_table_of_pandas_is_a_table(page: Page, bench: LittleBench) -> None:
    html = '<table class="dataframe"><thead><tr><th>area</th></tr></thead><tbody><tr><td>42.0</td></tr></tbody></table>'
    expect(_ended(page, bench, {"text/html": html}).get_by_role("cell", name="42.0")).to_be_visible()


def test_markdown_that_a_cell_displays_has_its_math(page: Page, bench: LittleBench) -> None:
    frame = _ended(page, bench, {"text/markdown": "The **area** is $A = \\pi r^2$.", "text/plain": "no"})
    expect(frame.locator("strong")).to_have_text("area")
    expect(frame.locator(".MathJax, .MathJax_SVG, .MathJax_CHTML").first).to_be_attached()


def test_bars_of_progress_stay_one_line_each(page: Page, bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    page.goto(f"/runs/{run.id}")
    nested = "".join(f"\router {n}0%\n\rinner {n}5%\x1b[A" for n in range(1, 10))
    bench.journal(run, _cell(0), *(_printed(0, f"\r{n}%|###") for n in range(100)), _printed(0, "\n" + nested))
    bench.move(run, Phase.RUNNING)
    pre = page.frame_locator("iframe").locator(".jp-OutputArea-output pre")
    expect(pre).to_have_text("99%|###\nouter 90%\ninner 95%")


def test_a_million_lines_do_not_hurt_the_page(page: Page, bench: LittleBench) -> None:
    run = bench.run("1", "2")
    bench.move(run, Phase.RUNNING)
    page.goto(f"/runs/{run.id}")
    frame = page.frame_locator("iframe")
    bench.journal(run, _cell(0))
    for start in range(0, 1_000_000, 20_000):
        bench.journal(run, _printed(0, "".join(f"line {n}\n" for n in range(start, start + 20_000))))
    bench.move(run, Phase.RUNNING)
    expect(frame.get_by_text("line 999999")).to_be_attached()
    note = frame.get_by_text("earlier lines are not shown here")
    expect(note).to_contain_text("999,0")
    assert frame.locator("html").evaluate("node => node.outerHTML.length") < 400_000
    page.reload()
    expect(frame.get_by_text("line 999999")).to_be_attached()
    expect(note).to_contain_text("999,0")
    bench.move(run, Phase.ENDED, Outcome.DONE)
    page.reload()
    expect(frame.get_by_text("line 999999")).to_be_attached()
    expect(note).to_contain_text("999,0")


def _ended(
    page: Page, bench: LittleBench, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
) -> FrameLocator:
    """A run that displayed this, and how its page shows it."""
    run = bench.run("shown")
    notebook = json.loads(bench.portal.run_folders.given_notebook(run.id))
    output: dict[str, Any] = {"output_type": "display_data", "metadata": {}, "data": data}
    notebook["cells"][0] |= {"execution_count": 1, "outputs": [output]}
    notebook["metadata"] |= metadata or {}
    bench.made(run, "notebook.ipynb", json.dumps(notebook))
    bench.move(run, Phase.ENDED, Outcome.DONE)
    page.goto(f"/runs/{run.id}")
    return page.frame_locator("iframe")


def _cell(index: int) -> Mapping[str, Any]:
    return {"event": "cell", "index": index, "n": index + 1, "of": 2}


def _shown(index: int, data: Mapping[str, Any]) -> Mapping[str, Any]:
    output: dict[str, Any] = {"output_type": "display_data", "metadata": {}, "data": data}
    return {"event": "output", "index": index, "output": output}


def _printed(index: int, text: str) -> Mapping[str, Any]:
    return {"event": "output", "index": index, "output": {"output_type": "stream", "name": "stdout", "text": text}}
