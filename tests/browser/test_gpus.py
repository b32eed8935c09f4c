"""Rows of GPUs in the forms, and the doctor's page, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench import gpus
from drybench.findings import Finding
from drybench.model import Gpu
from tests.browser.looking import WIDE, Picture, axe
from tests.browser.serving import served, signed_in
from tests.unit.web.little_bench import LittleBench, TakesAnything, notebook

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

GIB = 1 << 30
THERE = (Gpu("GPU-0", 8 * GIB), Gpu("GPU-1", 24 * GIB))
WING = notebook("print(step)", parameters="step: int = 2  # take each n-th frame; 1..50")
LOOKS: dict[str, dict[str, Any]] = {
    "gpus": {"viewport": WIDE, "color_scheme": "light"},
    "gpus-dark": {"viewport": WIDE, "color_scheme": "dark"},
    "gpus-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
FINDINGS = (
    Finding("Python", "ok", "Python 3.11.2 on Linux 6.1.0.", "python3 --version"),
    Finding("Disk", "ok", "412 GiB free where /srv/drybench lies.", "df -h /srv/drybench"),
    Finding("Docker", "ok", "It answers (version 27.3.1).", "docker version"),
    Finding("GPU driver", "wrong", "The settings name GPU-5d6f, which the driver does not show.", "nvidia-smi -L",
            "Mend `gpus` of the engine in drybench.toml; `nvidia-smi -L` shows all numbers and UUIDs."),
    Finding("GPU container toolkit", "missing", "There is neither its program nor a CDI file.",
            "command -v nvidia-container-runtime-hook", "Install nvidia-container-toolkit."),
    Finding("GPU in a container", "not looked at", "The driver and the toolkit come first.", "docker run --gpus=all …"),
)  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleBench]:
    """It has two GPUs, and something to see for the doctor."""
    monkeypatch.setattr(TakesAnything, "check", lambda _, task: gpus.check(task, THERE))
    with served(tmp_path) as made:
        made.app.state.portal = replace(made.portal, gpus=THERE, examine=lambda _: FINDINGS)
        yield made


@pytest.fixture
def page(browser: Browser, bench: LittleBench) -> Iterator[Page]:
    context = signed_in(browser, bench)
    yield context.new_page()
    context.close()


def only_into(folder: Path) -> Callable[[Page, str], object]:
    return lambda page, name: page.screenshot(path=folder / f"{name}.png")


def choose(page: Page) -> None:
    page.goto("/runs/new")
    chosen = {"name": "wing.ipynb", "mimeType": "application/json", "buffer": WING}
    page.locator("#notebook").set_input_files([chosen])  # type: ignore[list-item]
    expect(page.locator("#parameters input").first).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_the_rows_look_well(browser: Browser, bench: LittleBench, look: str, take: Picture, tmp_path: Path) -> None:
    """The docs show those in light."""
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    choose(page)
    page.get_by_role("button", name="Add a GPU").click()
    page.get_by_role("textbox", name="Memory of a GPU").fill("24 GB")
    page.get_by_role("button", name="Add a GPU").click()
    expect(page.get_by_role("textbox", name="Memory of a GPU").nth(1)).to_have_value("any")
    page.locator("#where").scroll_into_view_if_needed()
    (take if look == "gpus" else only_into(tmp_path))(page, look)
    axe(page)
    context.close()


def test_add_type_take_out_and_ask(page: Page, bench: LittleBench) -> None:
    choose(page)
    rows, add = page.get_by_role("textbox", name="Memory of a GPU"), page.get_by_role("button", name="Add a GPU")
    expect(rows).to_have_count(0)  # those to spare are for browsers without script
    for typed in ("much", "24 GB", "any"):
        add.click()
        page.keyboard.type(typed)  # the new row has the focus
    expect(page.get_by_text("“much” is no amount of memory")).to_be_visible()
    page.get_by_role("button", name="Take out").nth(1).click()  # the first one takes the notebook out
    expect(rows).to_have_count(2)
    expect(page.get_by_text("“much” is no amount of memory")).to_be_hidden()
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f]{32}$"), wait_until="commit")
    assert bench.portal.runs.mine(bench.person()).rows[0].task.spec.vram == (24 * 10**9, 0)
    expect(page.get_by_text("one GPU with 24 GB and one GPU")).to_be_visible()


def test_what_is_refused_is_said_at_the_rows_and_they_stay(page: Page, tmp_path: Path) -> None:
    choose(page)
    for typed in ("24 GiB", "24 GiB"):
        page.get_by_role("button", name="Add a GPU").click()
        page.keyboard.type(typed)
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("It asks for 2 GPUs with 24 GiB; this bench has one with 24 GiB")).to_be_visible()
    expect(page.get_by_role("textbox", name="Memory of a GPU")).to_have_count(2)
    page.get_by_role("button", name="Add a GPU").click()
    expect(page.get_by_role("textbox", name="Memory of a GPU")).to_have_count(3)
    page.get_by_role("button", name="Take out").nth(3).click()
    expect(page.get_by_role("textbox", name="Memory of a GPU")).to_have_count(2)
    expect(page.get_by_text("It asks for 2 GPUs with 24 GiB; this bench has one with 24 GiB")).to_be_visible()
    only_into(tmp_path)(page, "gpus-refused")
    axe(page)


def test_without_script_there_are_rows_to_spare(browser: Browser, bench: LittleBench) -> None:
    context = signed_in(browser, bench, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_text("Name, size and GPUs").click()
    rows = page.get_by_role("textbox", name="Memory of a GPU")
    expect(rows).to_have_count(3)
    expect(page.get_by_role("button", name="Add a GPU")).to_be_hidden()
    rows.nth(1).fill("16 GiB")
    page.get_by_role("button", name="JupyterLab").click()
    page.wait_for_url("**/start/*", wait_until="commit")
    assert bench.portal.sessions.mine(bench.person())[0].task.spec.vram == (16 * GIB,)
    context.close()


def test_a_session_from_home(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.goto("/")
    page.get_by_text("Name, size and GPUs").click()
    page.get_by_role("button", name="Add a GPU").click()
    only_into(tmp_path)(page, "gpus-home")
    axe(page)


@pytest.mark.parametrize("look", LOOKS)
def test_the_doctors_page_looks_well(
    browser: Browser, bench: LittleBench, look: str, take: Picture, tmp_path: Path
) -> None:
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    page.goto("/doctor")
    expect(page.get_by_text("Something that this bench needs is missing or wrong.")).to_be_visible()
    (take if look == "gpus" else only_into(tmp_path))(page, look.replace("gpus", "doctor"))
    axe(page)
    context.close()
