"""New run in a real browser: drop, choose, type, be told at the field, and press once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from drybench.model import Run
from tests.browser.looking import WIDE, Picture, axe
from tests.browser.serving import bench as bench
from tests.browser.serving import page as page
from tests.browser.serving import signed_in
from tests.unit.web.little_bench import LittleBench, notebook

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

CELL = """\
image_path = '/data/plate7/frame.tif'  # the frame to segment
step: int = 2  # take each n-th frame; 1..50
sigma: float = 1.5  # blur in pixels; 0.5..5
channel = 'nuclei'  # one of nuclei, membrane
fast = True  # skip the slow check
names = ['a', 'b']
"""
WING = notebook("print(step)", parameters=CELL)
PLAIN = notebook("1")
A_RUN = re.compile(r"/runs/[0-9a-f]{32}$")
LOOKS: dict[str, dict[str, Any]] = {
    "new-run-form": {"viewport": WIDE, "color_scheme": "light"},
    "new-run-form-dark": {"viewport": WIDE, "color_scheme": "dark"},
    "new-run-form-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


@pytest.fixture
def home(tmp_path: Path, bench: LittleBench) -> Path:
    """The little bench's home is the test's own folder."""
    (tmp_path / "plate 7" / "raw").mkdir(parents=True)
    (tmp_path / "plate 7" / "wing.ipynb").write_bytes(WING)
    (tmp_path / "plate 7" / "areas.ipynb").write_bytes(PLAIN)
    (tmp_path / "plate 7" / "frame.tif").write_bytes(b"x" * 3_000_000)
    (tmp_path / "outside").symlink_to("/etc")
    return tmp_path


@pytest.mark.parametrize("look", LOOKS)
def test_the_form_looks_well_and_axe_finds_nothing(
    browser: Browser, bench: LittleBench, home: Path, look: str, take: Picture, tmp_path: Path
) -> None:
    """The docs show those in light."""
    taken = take if look == "new-run-form" else _into(tmp_path)
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    page.goto("/runs/new")
    _looks_well(page)
    _choose(page, ("wing.ipynb", WING))
    field(page, "step").fill("4")
    field(page, "sigma").fill("9")
    expect(page.get_by_text("is a number from 0.5 to 5, not 9")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    taken(page, look)
    page.get_by_text("More: name").click()
    page.get_by_text("Packages that").click()
    page.get_by_role("radio", name="Again and again").check()
    _looks_well(page)
    page.get_by_role("button", name="From my files…").click()
    page.get_by_role("button", name="plate 7/").click()
    page.get_by_label("wing.ipynb").check()
    page.get_by_label("areas.ipynb").check()
    _looks_well(page)
    taken(page, look.replace("form", "picker"))
    page.get_by_role("button", name="Take 2 notebooks").click()
    expect(page.get_by_text("Parameters of 3 notebooks")).to_be_visible()
    _looks_well(page)
    context.close()


def test_a_notebook_dropped_on_home_becomes_a_run(page: Page, bench: LittleBench) -> None:
    page.goto("/")
    _drop(page, ("wing.ipynb", WING))
    step = field(page, "step")
    expect(step).to_have_attribute("placeholder", "2")
    expect(step).to_have_value("")
    step.fill("many")
    expect(page.get_by_text("is a whole number from 1 to 50")).to_be_visible()
    expect(step).to_have_attribute("aria-invalid", "true")
    step.fill("5")
    expect(step).not_to_have_attribute("aria-invalid", "true")
    field(page, "channel").select_option("membrane")
    field(page, "fast").select_option("no")
    field(page, "names").fill("'x', 'y'")
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(A_RUN, wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("wing")
    assert last(bench).parameters == {"step": 5, "channel": "membrane", "fast": False, "names": ["x", "y"]}


def test_what_is_typed_is_not_lost_when_another_is_chosen_or_it_is_refused(page: Page, bench: LittleBench) -> None:
    page.goto("/runs/new")
    _choose(page, ("a.ipynb", WING))
    field(page, "step").fill("many")
    page.get_by_text("More: name").click()
    page.get_by_label("Tags").fill("plate 7")
    page.get_by_label("Time limit").fill("soon")
    _choose(page, ("b.ipynb", PLAIN))
    expect(page.get_by_text("Parameters of 2 notebooks")).to_be_visible()
    expect(page.get_by_label("Tags")).to_be_visible()
    page.get_by_role("button", name="Run all 2").click()
    expect(page.get_by_text("“soon” is no time.")).to_be_visible()
    expect(page.get_by_label("Time limit")).to_be_focused()
    page.get_by_label("Time limit").fill("1h 30m")
    page.get_by_role("button", name="Run all 2").click()
    expect(page.get_by_text("1 asked for. The others are below, as they were.")).to_be_visible()
    expect(field(page, "step")).to_be_focused()
    expect(field(page, "step")).to_have_value("many")
    field(page, "step").fill("3")
    page.get_by_role("button", name="Run it").dblclick()
    page.wait_for_url(A_RUN, wait_until="commit")
    made = bench.portal.runs.mine(bench.person()).rows
    assert [(run.name, run.parameters, run.tags) for run in made] == [
        ("a", {"step": 3}, ("plate 7",)),
        ("b", {}, ("plate 7",)),
    ]


def test_files_of_ones_own_are_chosen_by_keyboard(page: Page, bench: LittleBench, home: Path) -> None:
    page.goto("/runs/new")
    page.get_by_role("button", name="From my files…").press("Enter")
    dialog = page.get_by_role("dialog", name="Choose notebooks")
    expect(dialog.get_by_text("outside (leads elsewhere)")).to_be_visible()
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("plate")
    expect(dialog.get_by_role("row")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("wing.ipynb")).to_be_visible()
    dialog.get_by_label("wing.ipynb").press(" ")
    dialog.get_by_role("button", name="Take it").press("Enter")
    expect(dialog).to_have_count(0)
    browse = page.get_by_role("button", name="Browse…")
    browse.click()
    dialog = page.get_by_role("dialog", name="Choose a file or a folder")
    expect(dialog.get_by_role("row", name="frame.tif")).to_contain_text("2.9 MiB")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    browse.click()
    dialog.get_by_role("button", name="frame.tif").click()
    expect(field(page, "image_path")).to_have_value(str(home / "plate 7" / "frame.tif"))
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(A_RUN, wait_until="commit")
    assert last(bench).parameters == {"image_path": str(home / "plate 7" / "frame.tif")}
    assert bench.portal.run_folders.run_json(last(bench).id)["folder"] == str(home / "plate 7")


def test_requirements_go_where_they_belong_and_are_checked(page: Page, bench: LittleBench) -> None:
    page.goto("/runs/new")
    _drop(page, ("requirements.txt", b"numpy\n--index-url http://x\n"), ("wing.ipynb", WING))
    expect(page.get_by_label("One a line")).to_have_value("numpy\n--index-url http://x")
    expect(page.get_by_text("line 2 (--index-url")).to_be_visible()
    expect(field(page, "step")).to_be_visible()
    page.get_by_label("One a line").fill("numpy\ntifffile")
    expect(page.get_by_text("2 packages")).to_be_visible()
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(A_RUN, wait_until="commit")
    given = bench.portal.run_folders.given_file(last(bench).id, "requirements.txt", 1000)
    assert given == b"numpy\ntifffile"


def test_a_large_notebook_shows_its_way_and_can_be_stopped(page: Page, bench: LittleBench) -> None:
    held: list[Route] = []
    page.route("**/runs/new/notebooks", lambda route: held.append(route))
    page.goto("/runs/new")
    page.set_input_files("#notebook", {"name": "a.ipynb", "mimeType": "", "buffer": WING})
    expect(page.get_by_role("progressbar", name="Sending the notebook")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    _choose(page, ("b.ipynb", WING))
    expect(page.get_by_text("of b.ipynb")).to_be_visible()


def test_too_large_is_said_before_anything_is_sent(page: Page) -> None:
    page.goto("/runs/new")
    page.evaluate("document.getElementById('new-run').dataset.limit = 10")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.set_input_files("#notebook", {"name": "a.ipynb", "mimeType": "", "buffer": WING})
    assert "this bench takes up to" in page.evaluate("document.getElementById('notebook').validationMessage")
    assert not asked


def test_what_is_no_notebook_is_said_at_once(page: Page) -> None:
    page.goto("/runs/new")
    _choose(page, ("x.ipynb", b"%PDF"))
    expect(page.get_by_role("alert").filter(has_text="is not a notebook")).to_be_visible()


def test_many_runs_are_counted_and_become_a_sweep(page: Page, bench: LittleBench) -> None:
    page.goto("/runs/new")
    _choose(page, ("wing.ipynb", WING))
    page.get_by_text("Run it many times").click()
    page.locator("#many-runs").get_by_label("step", exact=True).fill("1, 2, 3")
    expect(page.get_by_text("3 runs:")).to_be_visible()
    page.locator("#many-runs").get_by_label("channel", exact=True).fill("nuclei, membrane")
    expect(page.get_by_text("6 runs:")).to_be_visible()
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url("**/sweeps/*", wait_until="commit")
    assert bench.portal.sweeps.mine(bench.person()).rows[0].planned == 6


def test_it_works_without_script(browser: Browser, bench: LittleBench, home: Path) -> None:
    context = _without_script(browser, bench)
    page = context.new_page()
    page.goto("/runs/new")
    page.set_input_files("#notebook", {"name": "wing.ipynb", "mimeType": "", "buffer": WING})
    page.get_by_role("button", name="Show its parameters").click()
    field(page, "step").fill("many")
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("is a whole number from 1 to 50")).to_be_visible()
    field(page, "step").fill("7")
    page.get_by_label("Or its path on this machine").fill("~/plate 7/areas.ipynb")
    page.get_by_role("button", name="Show its parameters").click()
    expect(page.get_by_text("Parameters of 2 notebooks")).to_be_visible()
    page.get_by_role("button", name="Take out areas.ipynb").click()
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("wing")
    assert last(bench).parameters == {"step": 7}
    context.close()


def test_a_run_again_with_changes(page: Page, bench: LittleBench) -> None:
    first = bench.run("1", name="wing", tags=("a",), cwd=bench.data.path)
    page.goto(f"/runs/new?again={first.id}&add=tifffile")
    expect(page.get_by_label("Tags")).to_have_value("a")
    expect(page.get_by_label("One a line")).to_have_value("tifffile")
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(A_RUN, wait_until="commit")
    assert (last(bench).again_of, last(bench).tags) == (first.id, ("a",))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may open everything")
def test_a_folder_that_may_not_be_opened_is_said(page: Page, home: Path) -> None:
    (home / "plate 7").chmod(0)
    page.goto("/runs/new")
    page.get_by_role("button", name="From my files…").click()
    page.get_by_role("button", name="plate 7/").click()
    expect(page.get_by_text("There is no folder")).to_be_visible()
    (home / "plate 7").chmod(0o700)


def field(page: Page, name: str) -> Locator:
    """Of the notebook itself; a sweep has one of the same name."""
    return page.locator("#parameters .field", has=page.locator("label code", has_text=name)).locator(
        "input, select, textarea"
    )


def last(bench: LittleBench) -> Run:
    return bench.portal.runs.mine(bench.person()).rows[0]


def _into(folder: Path) -> Callable[[Page, str], None]:
    def taken(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    return taken


def _without_script(browser: Browser, bench: LittleBench) -> BrowserContext:
    return signed_in(browser, bench, java_script_enabled=False)


def _choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Until the bench has answered."""
    sent = [{"name": name, "mimeType": "", "buffer": content} for name, content in files]
    with page.expect_response("**/runs/new/notebooks"):
        page.set_input_files("#notebook", sent)  # type: ignore[arg-type]
    expect(page.locator(".on-its-way")).to_be_hidden()


def _drop(page: Page, *files: tuple[str, bytes]) -> None:
    handle = page.evaluate_handle(
        "(files) => { const all = new DataTransfer(); "
        "files.forEach(([name, text]) => all.items.add(new File([text], name))); return all }",
        [[name, content.decode()] for name, content in files],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": handle})


def _looks_well(page: Page) -> None:
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
