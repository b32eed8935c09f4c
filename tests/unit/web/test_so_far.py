"""What a page shows of outputs is small, however much there was, and says what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.web import so_far
from drybench.web.so_far import SoFar, as_script, events_of


def told(*events: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    taken = SoFar()
    taken.take(events)
    return list(taken.events())


def printed(text: str, index: int = 0) -> Mapping[str, Any]:
    return {"event": "output", "index": index, "output": {"output_type": "stream", "name": "stdout", "text": text}}


def shown(data: Mapping[str, Any], id: str | None = None, index: int = 0) -> Mapping[str, Any]:
    output: dict[str, Any] = {"output_type": "display_data", "metadata": {}, "data": data}
    return {"event": "output", "index": index, "output": output, "display_id": id}


def contents(events: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [event["output"] for event in events if event["event"] == "output"]


def test_neighbouring_text_is_one_output() -> None:
    (output,) = contents(told(printed("a\n"), printed("b\n")))
    assert output["text"] == "a\nb\n"


def test_a_bar_of_progress_keeps_its_last_state() -> None:
    bar = [printed(f"\r{n:3}%|####") for n in range(1000)]
    assert contents(told(*bar, printed("\ndone\n")))[0]["text"] == "999%|####\ndone\n"


def test_bars_above_each_other_keep_their_way_up() -> None:
    nested = "\router 1\n\rinner 1\x1b[A\router 2"
    assert contents(told(printed(nested)))[0]["text"] == nested


def test_long_text_keeps_its_end_and_counts_the_rest() -> None:
    lines = [f"line {number}\n" for number in range(100_000)]
    taken = SoFar()
    for start in range(0, len(lines), 1000):
        taken.take([printed("".join(lines[start : start + 1000]))])
    (event,) = [event for event in taken.events() if event["event"] == "output"]
    kept = event["output"]["text"].splitlines(keepends=True)
    assert len(event["output"]["text"]) <= 2 * so_far.LETTERS
    assert kept == lines[event["earlier"] :]


def test_one_endless_line_keeps_its_end() -> None:
    (event,) = told(printed("x" * 10**6))[1:]
    assert len(event["output"]["text"]) == so_far.LETTERS


def test_of_many_outputs_the_last_stay() -> None:
    events = told(*(shown({"text/plain": str(number)}) for number in range(so_far.OUTPUTS + 5)))
    assert {"event": "left_out", "index": 0, "outputs": 5} in events
    assert contents(events)[0]["data"] == {"text/plain": "5"}


def test_a_display_shows_what_it_was_told_last() -> None:
    update = {"event": "update", "display_id": "d", "output": {"data": {"text/plain": "two"}, "metadata": {}}}
    assert contents(told(shown({"text/plain": "one"}, "d"), update))[0]["data"] == {"text/plain": "two"}


def test_what_was_cleared_is_gone_and_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(so_far, "ALL", 100)
    monkeypatch.setattr(so_far, "EACH", 0)
    film = [event for n in range(50) for event in ({"event": "clear", "index": 0}, shown({"image/png": f"{n:090}"}))]
    (output,) = contents(told(*film))
    assert output["data"] == {"image/png": f"{49:090}"}


def test_what_is_too_much_is_said_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(so_far, "ALL", 1000)
    monkeypatch.setattr(so_far, "EACH", 0)
    fits, beyond = contents(told(shown({"image/png": "x" * 900}), shown({"image/png": "x" * 900})))
    assert fits["data"] == {"image/png": "x" * 900}
    assert "too much to be shown" in beyond["data"]["text/plain"]


def test_widgets_move_on() -> None:
    first = {"event": "widgets", "state": {"m": {"model_name": "IntSliderModel", "state": {"value": 1, "max": 9}}}}
    second = {"event": "widgets", "state": {"m": {"state": {"value": 2}}}}
    (event,) = told(first, second)
    assert event["state"]["m"] == {"model_name": "IntSliderModel", "state": {"value": 2, "max": 9}}


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda one: st.lists(one, max_size=3)))
def test_events_that_make_no_sense_are_passed_over(nonsense: Any) -> None:
    events = [{"event": kind, name: nonsense} for kind in ("cell", "output", "update", "clear", "widgets", "take", "x")
              for name in ("index", "output", "display_id", "state")]  # fmt: skip
    assert contents(told(*events, {"event": nonsense}, printed("good"))) == [printed("good")["output"]]


def test_a_whole_notebook_says_what_a_journal_would() -> None:
    cells: list[Any] = [
        {"cell_type": "markdown", "source": "x"},
        {"cell_type": "code", "execution_count": None, "outputs": []},
        {"cell_type": "code", "execution_count": 3, "outputs": [printed("hello")["output"]]},
    ]
    assert [event["event"] for event in events_of({"cells": cells, "metadata": {}})] == ["cell", "output", "cell_ended"]


def test_no_text_ends_the_script_that_it_stands_in() -> None:
    said = as_script([printed("</script><script>alert(1)//\ud800")], 7)
    assert "<" not in said
    assert json.loads(said)["next"] == 7


def test_what_a_hostile_journal_says_takes_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endless cells, text in two streams by turns, errors, widgets without end: each would fill the portal's memory."""
    monkeypatch.setattr(so_far, "ALL", 1 << 16)
    monkeypatch.setattr(so_far, "CELLS", 50)
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["x" * 5000]}
    events: list[Mapping[str, Any]] = []
    for index in range(200):
        one, other = printed("a" * 2000, index), printed("b" * 2000, index)
        other = {**other, "output": {**other["output"], "name": "stderr"}}
        events += [{"event": "cell", "index": index}, one, other, {"event": "output", "index": index, "output": error}]
        events += [{"event": "widgets", "state": {f"w{index}": {"state": {"value": "x" * 5000}}}}]
    found = told(*events)
    assert len(json.dumps(found)) < 4 << 16
    assert sum(event["event"] == "cell" for event in found) == 50
    assert sum(event.get("outputs", 0) for event in found if event["event"] == "left_out") > 100


def test_a_widget_that_changes_for_hours_goes_on_changing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(so_far, "ALL", 1 << 12)
    changes = [{"event": "widgets", "state": {"bar": {"state": {"value": n}}}} for n in range(2000)]
    assert told(*changes)[0]["state"]["bar"]["state"]["value"] == 1999


def test_what_nests_too_deeply_is_passed_over() -> None:
    deep: Any = 1
    for _ in range(3000):
        deep = [deep]
    assert told(shown({"application/json": deep}), printed("after"))[-1]["output"]["text"] == "after"
