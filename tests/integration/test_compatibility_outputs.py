"""Whatever a cell shows under nbclient, it shows here: one long notebook, executed by both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from drybench_runner import record
from tests.integration import peers
from tests.integration.comparing import carry_out_all, shown, widgets
from tests.integration.runner_bench import Attempt, attempt, code, markdown, notebook

SHOW = "from IPython.display import HTML, JSON, SVG, Image, Latex, Markdown, clear_output, display\n"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CELLS: dict[str, str | dict[str, Any]] = {
    "imports": SHOW + "import sys, time, warnings, base64, asyncio",
    "parameters": code("a = 1", "parameters"),
    "an earlier injected cell": code("a = 2", "injected-parameters"),
    "skipped": code("1 / 0", "skip-execution"),
    "expected": code("print('about to')\n1 / 0", "raises-exception"),
    "after it": "print(a)",
    "streams": "print('out', flush=True)\nprint('err', file=sys.stderr, flush=True)\nprint('out again')",
    "colours": "print('\\x1b[31mred\\x1b[0m \\x1b[1;38;5;208mbold orange\\x1b[0m plain')",
    "a bar": "for n in range(50):\n    print(f'\\r{n + 1}/50', end='', flush=True)",
    "a bar in colours": "for n in 1, 2:\n    print(f'\\r\\x1b[32m{n}\\x1b[0m', end='', file=sys.stderr, flush=True)",
    "a result": "{'a': [1, 2], 'ü': None}",
    "nothing": "None",
    "blank": "   \n",
    "a comment": "# only words",
    "text": markdown("# Überschrift"),
    "raw": {"cell_type": "raw", "metadata": {"raw_mimetype": "text/restructuredtext"}, "source": "raw words"},
    "html": "HTML('<b>bold</b><script>alert(1)</script>')",
    "markdown": "display(Markdown('*hi* $x^2$'), Latex('$y$'), JSON({'a': [1, {'b': None}]}))",
    "svg": "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"><text>\\u00fc</text></svg>')",
    "png": f"Image(base64.b64decode('{DOT}'))",
    "a bundle": "display({'text/plain': 'plain', 'application/x+json': {'k': [1]}}, raw=True, metadata={'m': 1})",
    "a figure": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()",
    "a table": "import pandas as pd\npd.DataFrame({'x': [1, 2], 'größe': ['a', None]})",
    "cleared": "print('gone', flush=True)\nclear_output()\nprint('stays')",
    "cleared late": "for n in range(20):\n    clear_output(wait=True)\n    print(n, flush=True)\n    display(n)",
    "cleared at the end": "print('stays')\nclear_output(wait=True)",
    "a display": "handle = display('first', display_id='one')\ndisplay('other', display_id='two')",
    "its update": "handle.update('second')\nprint('updated')",
    "shown again": "display(HTML('<i>third</i>'), display_id='one', update=False)",
    "updated everywhere": "display('fourth', display_id='one', update=True)",
    "an update of nothing": "display('x', display_id='nowhere', update=True)",
    "magics": "%precision 3\n%env DRYBENCH_X=1\n!echo $DRYBENCH_X",
    "captured": "%%capture kept\nprint('captured')",
    "what was captured": "kept.stdout",
    "bash": "%%bash\necho from bash\necho to err >&2",
    "bash that fails": code("%%bash\nexit 3", "raises-exception"),
    "a magic that is none": code("%nosuch", "raises-exception"),
    "html magic": "%%html\n<u>under</u>",
    "written": "%%writefile words.txt\nwörds",
    "read": "open('words.txt', encoding='utf-8').read()",
    "a system call": "words = !cat words.txt\nwords",
    "a warning": "warnings.warn('careful')",
    "awaited": "await asyncio.sleep(0.01)\n'awaited'",
    "unicode": "größe = '🧪 你好 \\u202e'\nprint(größe)\ngröße",
    "a question": "a?",
    "chained errors": code(
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e", "raises-exception"
    ),
    "input": code("input('?')", "raises-exception"),
    "a comm": "import comm\nc = comm.create_comm(target_name='nobody', data={'x': 1})\nc.send({'y': 2})\nc.close()",
    "a widget": "import ipywidgets as w\nslider = w.IntSlider(value=3, description='größe')\nslider",
    "its value": "slider.value = 7\nw.HBox([slider, w.Label('words')])",
    "an output widget": "out = w.Output()\nwith out:\n    print('inside')\n    display('shown inside')\nout",
    "more in it": "with out:\n    print('more')\nout.append_stdout('appended')",
    "cleared in it": "with out:\n    clear_output()\n    print('alone')",
    "interact": "w.interact(lambda x: print('x is', x), x=(0, 4));",
    "bytes in a widget": f"w.Image(value=base64.b64decode('{DOT}'))",
    "last": "print('last')",
}


class Both:
    def __init__(self, place: Path, python: Path) -> None:
        given = notebook(
            *CELLS.values(), kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"}
        )
        (place / "peer").mkdir()
        ((self.peer, self.error),) = peers.execute(place / "peer", python, [{"peer": "nbclient", "notebook": given}])
        self.run: Attempt = attempt(place / "ours", python, given)
        (self.result,) = carry_out_all([self.run])
        self.ours = self.run.notebook()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, python_environment: Path) -> Both:
    return Both(tmp_path_factory.mktemp("outputs"), python_environment)


pytestmark = [pytest.mark.xdist_group("compatibility_outputs"), pytest.mark.timeout(900)]


def test_it_ends_the_same(both: Both) -> None:
    assert both.error is None
    assert (both.result["outcome"], both.result["sentence"]) == ("done", None)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_the_same(both: Both, name: str) -> None:
    place = list(CELLS).index(name)
    ours, peer = (shown(each)[place] for each in (both.ours, both.peer))
    assert ours == peer


def test_widgets_have_the_same_state(both: Both) -> None:
    assert widgets(both.ours) == widgets(both.peer)


def test_the_language_is_told_the_same(both: Both) -> None:
    assert both.ours["metadata"]["language_info"] == both.peer["metadata"]["language_info"]


def test_the_journal_shows_the_same_as_the_notebook(both: Both) -> None:
    assert shown(both.run.rebuilt()) == shown(both.ours)


def test_the_notebook_is_sound(both: Both) -> None:
    import nbformat

    from drybench.runs.notebooks import read_notebook

    nbformat.validate(nbformat.from_dict(both.ours))
    assert read_notebook(record.write_notebook(both.ours), 1 << 30)["cells"]


def test_a_bar_is_one_line(both: Both) -> None:
    (bar,) = both.ours["cells"][list(CELLS).index("a bar")]["outputs"]
    assert "".join(bar["text"]) == "50/50"
    assert not re.search(r"[\r\b]", (both.run.made / "log.txt").read_text())
