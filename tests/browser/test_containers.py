"""A scientist's hour in containers: sessions and runs, in images built as the product builds them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from drybench_client import Bench as Client
from drybench_client.answers import Run, Session
from tests.bench import Bench, new_bench
from tests.browser.looking import Picture, axe
from tests.docker import docker, inspected
from tests.integration.notebooks import text_of
from tests.integration.runner_bench import code, notebook
from tests.waiting import A_START, wait_for
from tests.wheels import wheel

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "docker"), pytest.mark.timeout(240, func_only=True)]

SETTINGS = """
[sizes.default]
memory = "1 GiB"
[environments]
folders = ["{environments}"]
"""
WHO = "import os; print(os.getuid(), os.path.expanduser('~'), os.getcwd())"
PLAIN = """
title = "Plain"
summary = "Debian's own kernel, and nothing of ours"
image = "{image}"
"""
TRACKING = """\
FROM ${DRYBENCH_PARENT}
USER root
COPY tracking-0.3-py3-none-any.whl /tmp/
RUN for n in $(seq 80); do echo "weights $n of 80"; sleep 0.05; done
RUN pip install --no-index --no-cache-dir /tmp/tracking-0.3-py3-none-any.whl
USER person
"""


@dataclass(frozen=True)
class Person:
    """Whose tasks are in containers: as who, and where on the host their home lies."""

    uid: int
    home: Path


@pytest.fixture(scope="module")
def bench(shipped: None, kernel_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    environments = tmp_path_factory.mktemp("environments")
    (environments / "plain").mkdir()
    (environments / "plain" / "environment.toml").write_text(PLAIN.format(image=f"{kernel_image}:latest"))
    with new_bench(SETTINGS.format(environments=environments), containers=True) as bench:
        yield bench


@pytest.fixture(scope="module")
def person(bench: Bench) -> Person:
    with bench.owner() as hand:
        run = _ended(hand, _submit(bench, WHO, environment="base"))
        assert run["outcome"] == "done", run
        uid, home, _ = text_of(hand.notebook(run)).split()
    there = Path(home) if home == str(bench.home) else bench.data.homes / Path(home).name
    return Person(int(uid), there)


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand
        for session in list(hand.sessions()):
            if session["phase"] != "ended":
                hand.stop_session(session)
        wait_for(lambda: all(session["phase"] == "ended" for session in hand.sessions()))


def test_from_the_card_to_a_cell_and_a_terminal(page: Page, person: Person, hand: Client, take: Picture) -> None:
    take(page, "home-in-containers")
    axe(page)
    _card(page, "Base").get_by_role("button", name="JupyterLab").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("base")
    take(page, "start-in-a-container")
    page.wait_for_url(re.compile(r"/user/[^/]+/base/lab"), timeout=1000 * A_START)
    image = _container(hand)["Image"]
    page.goto(f"{page.url.partition('?')[0]}?reset")  # another test may have left a notebook open
    page.locator('.jp-LauncherCard[title="Python 3 (ipykernel)"]').first.click()
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first).to_be_visible()
    there = person.home
    uid, home, folder = _cell(page, WHO, re.compile(r"^\d+ /")).split()
    assert (int(uid), home) == (person.uid, folder)
    _cell(page, "open('made.txt', 'w').write('by a cell')", re.compile(r"^9$"))
    assert ((there / "made.txt").read_text(), (there / "made.txt").stat().st_uid) == ("by a cell", person.uid)
    wheel(there / "wheels", "tinything", "1.0")
    _cell(page, "%pip install --no-index --find-links ~/wheels tinything", re.compile("Successfully installed"))
    _cell(page, "import tinything; tinything.__version__", re.compile(r"^'1\.0'$"))
    take(page, "jupyterlab-in-a-container")
    _terminal(page, "(conda --version; type git nano vim) > ~/said 2>&1; echo whole >> ~/said", there / "said")
    said = (there / "said").read_text()
    assert "conda" in said
    assert all(f"{tool} is /" in said for tool in ("git", "nano", "vim")), said
    assert inspected(image)["Id"] == image
    page.goto("about:blank")


def test_stopped_and_started_again_beside_another(page: Page, bench: Bench, person: Person, hand: Client) -> None:
    first, second = _running(hand, "first"), _running(hand, "second")
    (person.home / "kept.txt").write_text("still here")
    hand.stop_session(first["id"])
    wait_for(lambda: hand.get_session(first["id"])["phase"] == "ended")
    assert hand.get_session(second["id"])["phase"] == "running"
    again = _running(hand, "first")
    assert (again["id"], again["task"] != first["task"]) == (first["id"], True)
    page.goto(f"{again['url']}lab/tree/kept.txt")
    expect(page.locator(".cm-content", has_text="still here")).to_be_visible()
    page.goto(bench.url)
    expect(page.locator(".card .state", has_text="running")).to_have_count(2)
    axe(page)


def test_a_run_with_parameters_requirements_and_results(
    page: Page, bench: Bench, person: Person, hand: Client, take: Picture
) -> None:
    wheel(person.home / "wheels", "smallthing", "2.0")
    for folder in (person.home / ".config", person.home / ".config/uv"):
        folder.mkdir(exist_ok=True)
        os.chown(folder, person.uid, -1)
    (person.home / ".config/uv/uv.toml").write_text('no-index = true\nfind-links = ["../../wheels"]\n')
    run = _submit(
        bench,
        code("step = 2", "parameters"),
        f"import smallthing\n{WHO}\nprint(step, smallthing.__version__)",
        "import pandas as pd\npd.DataFrame({'a': [1, 2]}).to_csv('table.csv')",
        "import matplotlib.pyplot as plt\nplt.plot([1, step])\nplt.savefig('line.png')\nplt.show()",
        parameters={"step": 4},
        requirements="smallthing\n",
        environment="base",
    )
    page.goto(f"{bench.url}/runs/{run}")
    expect(page.locator(".title-line .state")).to_have_text("done")
    uid, _, folder, *said = text_of(hand.notebook(run)).split()
    assert (int(uid), folder, said) == (person.uid, f"/drybench/runs/{run}/1/made/output", ["4", "2.0"])
    page.locator("summary", has_text="table.csv").click()
    expect(page.get_by_role("columnheader", name="a", exact=True)).to_be_visible()
    expect(page.get_by_text("line.png").first).to_be_visible()
    take(page, "run-in-a-container")
    axe(page)


def test_what_was_handed_in_cannot_be_changed_from_inside(bench: Bench, hand: Client) -> None:
    tries = """\
from pathlib import Path
given = Path("/drybench/runs") / Path.cwd().parts[3] / "given"
for file in (given / "run.json", given / "new", given.parent / "new", given.parent / "1" / "new"):
    try:
        file.write_text("mine")
        print("written", file)
    except OSError as problem:
        print(problem.strerror)"""
    run = _ended(hand, _submit(bench, tries, environment="base"))
    assert run["outcome"] == "done", run
    said = text_of(hand.notebook(run)).splitlines()
    assert len(said) == 4
    assert set(said) <= {"Read-only file system", "Permission denied"}


def test_cancelled_it_keeps_what_it_had(page: Page, bench: Bench, hand: Client) -> None:
    run = _submit(bench, "print('began', flush=True)\nimport time\nwhile True: time.sleep(0.1)", environment="base")
    page.goto(f"{bench.url}/runs/{run}")
    expect(page.frame_locator("iframe").first.get_by_text("began", exact=True)).to_be_visible()
    page.locator("summary", has_text="Cancel").first.click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".title-line .state")).to_have_text("stopped")
    assert text_of(hand.notebook(run)) == "began\n"


def test_one_that_fails_is_mended_by_hand_in_another_container(page: Page, bench: Bench, hand: Client) -> None:
    cells = ("frames = list(range(240))\nprint(len(frames))", "areas = [f * scale for f in frames]", "max(areas)")
    run = _submit(bench, *cells, environment="base", hold=600)
    wait_for(lambda: hand.get(run).get("held_until"), A_START)
    page.goto(f"{bench.url}/runs/{run}")
    page.get_by_role("button", name="Attach").click()
    page.wait_for_url(re.compile(r"/user/[^/]+/kernel-[^/]+/lab"), timeout=1000 * A_START)
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell .cm-content")
    expect(shown.nth(1)).to_contain_text("scale")
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    shown.nth(1).click()
    page.keyboard.press("Control+Home")
    page.keyboard.insert_text("scale = 2; print(len(frames), 'are still here')\n")
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_text("240 are still here")).to_be_visible()
    expect(page.locator(".jp-InputArea-prompt", has_text="[*]")).to_have_count(0)
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    page.goto(f"{bench.url}/runs/{run}")
    page.get_by_role("button", name="Go on from the failed cell").click()
    expect(page.locator(".title-line .state")).to_have_text("done")
    made = json.loads(hand.notebook(run))
    assert "478" in made["cells"][2]["outputs"][0]["data"]["text/plain"]


def test_what_it_left_is_opened_in_a_session(page: Page, bench: Bench, hand: Client) -> None:
    run = _ended(hand, _submit(bench, "print('the end')", environment="base", name="wing disc"))
    page.goto(f"{bench.url}/runs/{run['id']}")
    page.get_by_role("button", name="Open in JupyterLab").click()
    page.wait_for_url(
        re.compile(r"/user/[^/]+/base/lab/tree/.*wing(%20| )disc.*/made/notebook.ipynb"), timeout=1000 * A_START
    )
    expect(page.get_by_text("the end", exact=True).first).to_be_visible()
    page.goto("about:blank")


def test_somebody_elses_image_runs_a_notebook_by_the_carried_runner(bench: Bench, hand: Client) -> None:
    run = _ended(hand, _submit(bench, "import sys\nprint(sys.prefix)", "open('made.txt', 'w')", environment="plain"))
    assert run["outcome"] == "done", run
    assert text_of(hand.notebook(run)) == "/usr\n"


def test_an_environment_of_ones_own_is_built_on_the_page(
    page: Page, bench: Bench, hand: Client, take: Picture, tmp_path: Path
) -> None:
    program = wheel(tmp_path, "tracking", "0.3")
    (tmp_path / "Dockerfile").write_text(TRACKING)
    page.goto(f"{bench.url}/environments/new")
    page.get_by_label("Name", exact=True).fill("tracking")
    page.get_by_label("In one line").fill("Follows cells from frame to frame")
    page.get_by_label("Files", exact=True).set_input_files([tmp_path / "Dockerfile", program])
    page.get_by_role("button", name="Bring it").click()
    page.wait_for_url("**/builds/*")
    expect(page.get_by_role("log")).to_contain_text("weights 12 of")
    take(page, "build")
    expect(page.get_by_role("status")).to_have_text("done")
    axe(page)
    page.goto(f"{bench.url}/environments")
    expect(_card(page, "tracking").get_by_text("ready")).to_be_visible()
    take(page, "environments")
    run = _ended(hand, _submit(bench, "import tracking\nprint(tracking.__version__)", environment="tracking"))
    assert text_of(hand.notebook(run)) == "0.3\n"
    image = page.request.get(f"{bench.url}/api/v1/environments/tracking").json()["image"]
    docker("rmi", "--force", image)


def _card(page: Page, title: str) -> Locator:
    return page.locator("li.card").filter(has=page.get_by_role("heading", name=title, exact=True))


def _cell(page: Page, text: str, output: re.Pattern[str]) -> str:
    """What it shows. JupyterLab drops what comes before its kernel is connected, and shows no sign of that."""
    shown = page.locator(".jp-OutputArea-output pre").filter(has_text=output)
    for _ in range(20):
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)
        page.keyboard.press("Control+Enter")
        with suppress(TimeoutError):
            shown.last.wait_for(timeout=6_000)
            return shown.last.inner_text().strip()
    raise AssertionError(f"the cell gave nothing like {output.pattern}: {page.locator('.jp-OutputArea').inner_text()}")


def _terminal(page: Page, line: str, written: Path) -> None:
    """Its letters are drawn, not written, so what it did is looked for in the home."""
    page.keyboard.press("Control+Shift+l")
    page.locator('.jp-LauncherCard[title="Start a new terminal session"]').last.click()
    terminal = page.locator(".jp-Terminal .xterm-helper-textarea").last
    for _ in range(20):
        terminal.focus()
        page.keyboard.type(f"{line}\n")
        with suppress(AssertionError):
            wait_for(lambda: written.exists() and "whole" in written.read_text(), 5)
            return
    raise AssertionError("the terminal did nothing")


def _running(hand: Client, name: str) -> Session:
    session = hand.start_session(name=name, environment="base")
    wait_for(lambda: hand.get_session(session["id"])["phase"] == "running", A_START)
    return hand.get_session(session["id"])


def _container(hand: Client, name: str = "base") -> dict[str, Any]:
    session = next(one for one in hand.sessions() if one["name"] == name)
    return inspected(f"drybench-{session['task']}")


def _submit(bench: Bench, *cells: str | dict[str, Any], requirements: str = "", **asked: Any) -> str:
    files: dict[str, Any] = {
        "notebook": ("analysis.ipynb", json.dumps(notebook(*cells)).encode()),
        "request": (None, json.dumps({"requirements": requirements, **asked})),
    }
    with bench.api(bench.token()) as api:
        answer = api.post("/runs", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def _ended(hand: Client, run: str) -> Run:
    return hand.wait(run, timeout=A_START)
