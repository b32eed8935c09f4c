from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drybench.model import Size
from drybench.phases import Reason
from drybench.runs.causes import NEXT_STEPS, WORDS, cause, plain

SIZES = [Size(name, name, 1, memory << 30) for name, memory in (("huge", 64), ("small", 1), ("large", 8))]


def a_record(**more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "outcome": "failed",
        "reason": "cell_error",
        "cell": 4,
        "cell_number": 3,
        "error": {
            "name": "ZeroDivisionError",
            "value": "division by zero",
            "traceback": ["\x1b[0;31m-----\x1b[0m", "\x1b[0;32m----> 1\x1b[0m \x1b[0;36m1\x1b[0m/0"],
        },
        **more,
    }


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("record", [None, a_record()])
def test_every_reason_has_a_sentence_and_a_next_step(reason: Reason, record: dict[str, Any] | None) -> None:
    found = cause(reason, record, timeout=60, memory=3 << 29, exit_code=137)
    assert reason in WORDS
    assert found.sentence.endswith(".")
    assert found.next_step.endswith(".")
    assert "{" not in found.sentence + found.next_step


@pytest.mark.parametrize("name", NEXT_STEPS)
def test_every_common_error_has_a_next_step(name: str) -> None:
    step = cause(Reason.CELL_ERROR, a_record(error={"name": name}), sizes=SIZES, memory=1 << 30).next_step
    assert step.endswith(".")
    assert "{" not in step


def test_a_cell_error_names_the_cell_and_the_error() -> None:
    found = cause(Reason.CELL_ERROR, a_record())
    assert found.sentence == "Cell 3 stopped with ZeroDivisionError: division by zero."
    assert found.cell == 4
    assert found.traceback == "-----\n----> 1 1/0"


def test_no_reason_is_said_too() -> None:
    assert cause(None).sentence == "It did not end well, and nobody knows why."


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.TIMED_OUT, "It took longer than its time (90 s) and was stopped in cell 3."),
        (Reason.OUT_OF_MEMORY, "It used more memory than its size allows (1.5 GiB)."),
        (Reason.EXITED, "Its program ended by itself (exit code 3)."),
        (Reason.KERNEL_DIED, "Its kernel died in cell 3."),
    ],
)
def test_facts_make_the_sentence_say_more(reason: Reason, words: str) -> None:
    assert cause(reason, a_record(), timeout=90, memory=3 << 29, exit_code=3).sentence == words


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("FileNotFoundError", "--cwd"),
        ("ModuleNotFoundError", "Add what is missing to the requirements"),
        ("KeyError", "Mend"),
    ],
)
def test_the_next_step_knows_common_errors(name: str, step: str) -> None:
    assert step in cause(Reason.CELL_ERROR, a_record(error={"name": name, "value": "x"})).next_step


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ({"file": "cell 3", "line": 2, "name": "", "code": "1/0"}, "by zero (line 2)."),
        ({"file": "cell 1", "line": 4, "name": "train", "code": "1/0"}, "by zero (cell 1, line 4, in train)."),
        ({"file": "/home/ada/p/tools.py", "line": 12, "name": "read"}, "by zero (tools.py, line 12, in read)."),
        ({"file": "x", "line": "no"}, "by zero."),
        ("no frame", "by zero."),
    ],
)
def test_the_last_own_line_is_said(frame: object, place: str) -> None:
    assert cause(Reason.CELL_ERROR, a_record(last_frame=frame)).sentence.endswith(f"division {place}")


@pytest.mark.parametrize(
    ("module", "package"),
    [("cv2", "opencv-python-headless"), ("sklearn", "scikit-learn"), ("PIL", "pillow"), ("tifffile", "tifffile")],
)
def test_a_missing_module_names_its_package(module: str, package: str) -> None:
    error = {"name": "ModuleNotFoundError", "value": f"No module named '{module}'"}
    found = cause(Reason.CELL_ERROR, a_record(error=error, missing_module=module))
    assert found.package == package
    assert f"Add `{package}` to the requirements" in found.next_step


@pytest.mark.parametrize("module", ["--index-url=http://x", "a b", "x" * 200, "", None, 7, "ä\nb"])
def test_what_is_no_module_is_no_package(module: object) -> None:
    found = cause(Reason.CELL_ERROR, a_record(error={"name": "ModuleNotFoundError"}, missing_module=module))
    assert found.package == ""
    assert "Add what is missing" in found.next_step


def test_out_of_memory_says_how_much_and_which_size_has_more() -> None:
    found = cause(Reason.OUT_OF_MEMORY, memory=1 << 30, used=1000 << 20, sizes=SIZES)
    assert found.sentence == "It used more memory than its size allows (1 GiB); the most that was seen is 1000 MiB."
    assert found.next_step.startswith("Run it again in a larger size (try large, which has 8 GiB)")
    assert "try" not in cause(Reason.OUT_OF_MEMORY, memory=64 << 30, sizes=SIZES).next_step
    asked = a_record(reason="out_of_memory", sentence="Cell 3 asked for more memory than there is: 7 TiB.")
    assert cause(Reason.OUT_OF_MEMORY, asked, memory=1 << 30).sentence.endswith("7 TiB. Its size has 1 GiB.")


def test_who_cancelled_it_and_which_machine_went_away() -> None:
    record = a_record(reason="cancelled", sentence="It was cancelled.", error=None)
    assert cause(Reason.CANCELLED, record, by="ada").sentence == "It was stopped because ada asked for it."
    assert cause(Reason.CANCELLED, record).sentence == "It was cancelled."
    assert "machine node7 went away" in cause(Reason.MACHINE_GONE, machine="node7").sentence


def test_input_is_refused_with_a_next_step() -> None:
    sentence = "Cell 3 asks for input, and in a run nobody is there to answer."
    record = a_record(sentence=sentence, error={"name": "StdinNotImplementedError", "value": "x"})
    found = cause(Reason.CELL_ERROR, record)
    assert found.sentence == sentence
    assert "tagged `parameters`" in found.next_step


def test_the_record_s_own_sentence_counts_where_it_speaks_of_the_same_reason() -> None:
    record = a_record(reason="input_missing", sentence="There is no file data.csv in this run's folder.")
    assert cause(Reason.INPUT_MISSING, record).sentence == "There is no file data.csv in this run's folder."
    assert "data.csv" not in cause(Reason.OUT_OF_MEMORY, record).sentence


class TestHostileRecords:
    def test_what_an_error_says_is_bounded_and_stripped(self) -> None:
        error = {"name": "E" * 10_000, "value": "\x1b]0;title\x07a\x00\nb\u202e{memory}" + "x" * 10**6}
        found = cause(Reason.CELL_ERROR, a_record(error=error), memory=1 << 30)
        assert len(found.sentence) < 1000
        assert "a b{memory}xxx" in found.sentence
        assert found.sentence.isprintable()

    def test_a_traceback_keeps_its_end(self) -> None:
        error = {"name": "E", "value": "", "traceback": [f"line {n} " + "x" * 1000 for n in range(10_000)]}
        found = cause(Reason.CELL_ERROR, a_record(error=error))
        assert len(found.traceback) < 33_000
        assert "line 9999" in found.traceback

    nonsense = some.recursive(
        some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
        lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
        max_leaves=5,
    )

    @given(
        reason=some.sampled_from([None, *Reason]),
        record=some.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("reason", "sentence", "cell", "cell_number", "error", "kernel", "last_frame", "missing_module"),
                nonsense,
            ),
        ),
    )
    def test_no_record_breaks_it(self, reason: Reason | None, record: dict[str, Any]) -> None:
        found = cause(reason, record)
        assert found.sentence
        assert found.sentence.encode()
        assert found.traceback.encode() or not found.traceback


def test_plain_text() -> None:
    assert plain("\x1b[1;31mred\x1b[0m\x1b(B and\ttab") == "red and\ttab"
    assert plain(7) == ""
    assert plain("x" * 600) == "x" * 500 + " …"
