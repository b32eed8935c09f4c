from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drybench.phases import Reason
from drybench.runs.causes import WORDS, cause, plain


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
    ("name", "step"), [("FileNotFoundError", "--cwd"), ("ModuleNotFoundError", "%pip install"), ("KeyError", "Mend")]
)
def test_the_next_step_knows_common_errors(name: str, step: str) -> None:
    assert step in cause(Reason.CELL_ERROR, a_record(error={"name": name, "value": "x"})).next_step


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
                ("reason", "sentence", "cell", "cell_number", "error", "kernel", "outcome", "format"), nonsense
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
