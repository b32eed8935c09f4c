"""However a notebook ends under papermill, so it ends here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration import peers
from tests.integration.comparing import carry_out_all, shown, statuses
from tests.integration.runner_bench import attempt, notebook

END_WELL = {
    "sys.exit()": "import sys\nsys.exit()",
    "sys.exit(0)": "import sys\nsys.exit(0)",
    "a shell command that fails": "!false",
}
END_BADLY = {
    "an error": "1 / 0",
    "no Python": "1 +",
    "sys.exit(3)": "import sys\nsys.exit(3)",
    "sys.exit with words": "import sys\nsys.exit('enough')",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "an interrupt": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)",
    "no such magic": "%nosuch",
    "no such cell magic": "%%nosuch\n1",
    "a wrong line magic": "%run nowhere.py",
    "bash": "%%bash\necho out\necho err >&2\nexit 3",
    "input": "input('name?')",
    "getpass": "import getpass\ngetpass.getpass()",
    "a dead kernel": "import os, time\nprint('last words', flush=True)\ntime.sleep(0.5)\nos._exit(1)",
    "an object that cannot show itself": "class Bad:\n    def __repr__(self): raise ValueError('no')\nBad()",
    "a group of errors": "raise ExceptionGroup('several', [ValueError('a'), KeyError('b')])",
    "an error without a name for it": "raise type('Ärger 😀', (Exception,), {})('ünwell')",
}
LEAVE = {"exit()": "exit()", "quit()": "quit()", "exit(0)": "exit(0)"}
ENDS = {**END_WELL, **END_BADLY}
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


class Ends:
    """Each way to end, executed by both."""

    def __init__(self, place: Path, python: Path) -> None:
        given = {
            name: notebook("print('before')", source, "print('after')", kernelspec=PYTHON)
            for name, source in ENDS.items()
        }
        given |= {name: notebook("print('before')", source, kernelspec=PYTHON) for name, source in LEAVE.items()}
        jobs = [{"peer": "papermill", "notebook": each} for each in given.values()]
        (place / "peer").mkdir()
        self.peers = dict(zip(given, peers.execute(place / "peer", python, jobs), strict=True))
        self.runs = {name: attempt(place / str(n), python, each) for n, (name, each) in enumerate(given.items())}
        self.results = dict(zip(given, carry_out_all(list(self.runs.values())), strict=True))


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory, python_environment: Path) -> Ends:
    return Ends(tmp_path_factory.mktemp("ends"), python_environment)


pytestmark = [pytest.mark.xdist_group("compatibility_endings"), pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", ENDS)
def test_it_ends_the_same_and_shows_the_same(ends: Ends, name: str) -> None:
    peer, error = ends.peers[name]
    ours = ends.runs[name].notebook()
    assert (ends.results[name]["outcome"] == "done") == (error is None)
    assert (error is None) == (name in END_WELL)
    if name == "a dead kernel":  # its cell has no count here
        peer["cells"][-2]["execution_count"] = None
    assert shown(ours) == shown(peer)


@pytest.mark.parametrize("name", LEAVE)
def test_a_notebook_may_end_by_leaving(ends: Ends, name: str) -> None:
    _, error = ends.peers[name]
    assert error is None
    assert ends.results[name]["outcome"] == "done"


@pytest.mark.parametrize("name", END_BADLY)
def test_papermill_s_own_words_say_the_same(ends: Ends, name: str) -> None:
    peer, _ = ends.peers[name]
    ours = ends.runs[name].notebook()
    if name != "a dead kernel":  # of which papermill says that it was completed
        assert statuses(ours) == statuses(peer)
        assert ours["metadata"]["papermill"]["exception"] is peer["metadata"]["papermill"]["exception"] is True


def test_the_error_is_papermill_s(ends: Ends) -> None:
    for name in END_BADLY:
        _, error = ends.peers[name]
        result: dict[str, Any] = ends.results[name]
        if result["error"] is not None and error != "CellExecutionError":
            assert result["error"]["name"] == error
    assert ends.results["a dead kernel"]["reason"] == "kernel_died"


def test_an_error_without_a_name_is_named_by_its_traceback(ends: Ends) -> None:
    assert ends.results["an object that cannot show itself"]["sentence"] == "Cell 2 raised ValueError: no"


def test_what_was_asked_of_nobody_is_said_in_a_sentence(ends: Ends) -> None:
    for name in ("input", "getpass"):
        assert ends.results[name]["sentence"] == "Cell 2 asks for input, and in a run nobody is there to answer."


def test_a_magic_that_there_is_not_is_named(ends: Ends) -> None:
    assert "nosuch" in ends.results["no such magic"]["sentence"]
    assert "exit status 3" in ends.results["bash"]["sentence"]
