"""Outputs without bounds: notebook and journal stay small, what is left out is said and lies whole beside them."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.runner_bench import Attempt, attempt, notebook
from tests.waiting import PATIENCE, wait_for

MIB = 1 << 20
CELLS = {
    "300 MB": "line = 'x' * 99 + '\\n'\nfor _ in range(300): print(line * 10_000, end='')\nprint('the end')",
    "many prints": "for n in range(20_000): print(n, flush=True)",
    "an image": "from IPython.display import display\n"
    "display({'image/png': 'iVBORw0KGgo' + 'A' * (66 << 20), 'text/plain': '<Figure>'}, raw=True)",
    "a page": "display({'text/html': '<p>words</p>' * (3 << 20)}, raw=True)",
    "a bar": "import sys\nfor n in range(5001): print(f'\\r{n / 50:5.1f}% of it', end='', file=sys.stderr, flush=True)",
    "values": "display({'application/vnd.drybench.values+json': {'auc': 0.9, 'n': 1, 'bad': float('nan')}}, raw=True)\n"
    "display({'application/vnd.drybench.values+json': {'n': [2, {'k': None}], 'huge': 'x' * 70_000}}, raw=True)\n"
    "display({'application/scrapbook.scrap.json+json': {'name': 'scrap', 'data': [1], 'version': 1}}, raw=True)",
    "pictures": "%matplotlib inline\nimport matplotlib.pyplot as plt\nfor n in range(2): plt.plot([n, 1]); plt.show()",
}


class Long:
    def __init__(self, place: Path, python: Path) -> None:
        self.run: Attempt = attempt(place, python, notebook(*CELLS.values()))
        process = self.run.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.memory = usage.ru_maxrss << 10
        self.result = self.run.result()

    def shown(self, name: str) -> list[dict[str, Any]]:
        return self.run.outputs(list(CELLS).index(name))

    def whole(self, name: str) -> Path:
        return self.run.made / "whole" / name


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, python_environment: Path) -> Long:
    return Long(tmp_path_factory.mktemp("long"), python_environment)


pytestmark = [pytest.mark.xdist_group("long_outputs"), pytest.mark.timeout(900)]


def test_it_is_done_and_small(long: Long) -> None:
    assert (long.result["outcome"], long.result["executed"]) == ("done", len(CELLS))
    assert (long.run.made / "notebook.ipynb").stat().st_size < 6 * MIB
    assert (long.run.made / "progress.jsonl").stat().st_size < 8 * MIB
    assert (long.run.made / "log.txt").stat().st_size < 6 * MIB
    assert long.memory < 3 << 29  # the default size; the kernel may send all of it as one message


def test_300_mb_are_whole_beside_it(long: Long) -> None:
    assert long.whole("1-stdout.txt").stat().st_size == 300 * 1_000_000 + len("the end\n")
    assert "whole/1-stdout.txt" in long.run.text(0, "stderr")
    assert "MiB of stdout are left out here" in long.run.text(0, "stderr")
    assert long.run.text(0).endswith("x\nthe end\n")


def test_many_prints_are_one_output(long: Long) -> None:
    (output,) = long.shown("many prints")
    assert "".join(output["text"]) == "".join(f"{n}\n" for n in range(20_000))


def test_what_is_too_large_to_show_is_a_file(long: Long) -> None:
    (image,), (page,) = long.shown("an image"), long.shown("a page")
    assert image["metadata"]["drybench"]["whole"] == "3-1.png"
    assert long.whole("3-1.png").stat().st_size > 49 * MIB
    assert "It is in whole/4-2.html." in str(page["data"]["text/plain"])
    assert long.whole("4-2.html").stat().st_size == 36 * MIB


def test_a_bar_is_a_line(long: Long) -> None:
    (output,) = long.shown("a bar")
    assert "".join(output["text"]) == "100.0% of it"
    told = [event for event in long.run.events() if event["event"] == "output" and event["index"] == 4]
    assert sum(len(event["output"]["text"]) for event in told) < 20_000


def test_values_and_the_last_picture_are_returned(long: Long) -> None:
    assert long.result["values"] == {"auc": 0.9, "n": [2, {"k": None}], "bad": "nan", "scrap": [1]}
    assert long.result["values_left_out"] == ["huge"]
    assert long.result["picture"] == "picture.png"
    assert (long.run.made / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert "There is no room for the value huge" in (long.run.made / "log.txt").read_text()


def test_the_journal_shows_the_same(long: Long) -> None:
    for ours, told in zip(long.run.notebook()["cells"], long.run.rebuilt()["cells"], strict=True):
        assert ours["outputs"] == told["outputs"]


def test_a_print_is_in_the_journal_soon(tmp_path: Path, python_environment: Path) -> None:
    """Once: the machine may be busy with something else meanwhile."""
    soon = (statistics.median(_delays(tmp_path / str(number), python_environment)) < 0.5 for number in range(20))
    assert any(soon)


def _delays(place: Path, python: Path) -> list[float]:
    said = "import time\nfor _ in range(8): print(repr(time.time()), flush=True); time.sleep(0.4)"
    run = attempt(place, python, notebook(said))
    process = run.start()
    journal, delays, size = run.made / "progress.jsonl", list[float](), 0

    def times() -> list[float]:
        texts = [event["output"]["text"] for event in run.events() if event["event"] == "output"]
        return [float(text) for text in "".join(texts).split()]

    def has_more() -> bool:
        nonlocal size
        before, size = size, journal.stat().st_size if journal.exists() else 0
        return size > before

    while len(delays) < 8:
        wait_for(has_more)
        delays += [time.time() - at for at in times()[len(delays) :]]
    assert process.wait(PATIENCE) == 0
    return delays
