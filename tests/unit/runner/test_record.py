"""What is written down is read back; nonsense is passed over or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench_runner import record

AT = "2026-11-21T09:00:00.000000Z"
LATER = "2026-11-21T09:00:02.500000Z"


def notebook(*kinds: str) -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for kind in kinds or ("code", "markdown", "code"):
        cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": "1"}
        cells.append(cell | ({"outputs": [{"old": 1}], "execution_count": 7} if kind == "code" else {}))
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def display(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


def test_a_whole_run_has_papermills_metadata() -> None:
    events = [
        record.began(AT, 2),
        record.cell(AT, 0, 1, 2),
        record.output(0, stream("a")),
        record.output(0, stream("b")),
        record.output(0, stream("c", "stderr")),
        record.cell_ended(LATER, 0, 1, "ok"),
        record.cell(AT, 2, 2, 2),
        record.cell_ended(LATER, 2, 2, "ok"),
        record.ended(LATER, "done"),
    ]
    executed = record.rebuild(notebook(), events)
    assert executed["cells"][0]["outputs"] == [stream("ab"), stream("c", "stderr")]
    assert executed["cells"][0]["execution_count"] == 1
    assert executed["cells"][0]["metadata"]["papermill"] == {
        "exception": False,
        "start_time": "2026-11-21T09:00:00.000000+00:00",
        "end_time": "2026-11-21T09:00:02.500000+00:00",
        "duration": 2.5,
        "status": "completed",
    }
    assert executed["cells"][1]["metadata"]["papermill"]["status"] == "completed"
    assert executed["metadata"]["papermill"]["duration"] == 2.5
    assert executed["metadata"]["papermill"]["exception"] is None


def test_a_failed_cell_leaves_the_later_ones_pending() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["E: no"]}
    events = [
        record.began(AT, 2),
        record.cell(AT, 0, 1, 2),
        record.output(0, error),
        record.cell_ended(LATER, 0, 1, "error"),
        record.ended(LATER, "failed"),
    ]
    executed = record.rebuild(notebook(), events)
    statuses = [cell["metadata"]["papermill"]["status"] for cell in executed["cells"]]
    assert statuses == ["failed", "pending", "pending"]
    assert executed["cells"][2]["outputs"] == []
    assert executed["metadata"]["papermill"]["exception"] is True


def test_the_given_notebook_is_left_as_it_is() -> None:
    given_notebook = notebook()
    before = json.dumps(given_notebook)
    shown = record.output(0, display("x"), "d")
    record.rebuild(given_notebook, [record.began(AT, 1), shown, record.update("d", {"text/plain": "y"}, {})])
    assert json.dumps(given_notebook) == before
    assert shown["output"] == display("x")


def test_a_display_is_updated_wherever_it_is_shown_and_clear_clears() -> None:
    events = [
        record.output(0, display("one"), "d"),
        record.output(2, display("two"), "d"),
        record.update("d", {"text/plain": "three"}, {"m": 1}),
        record.output(2, stream("gone")),
        record.clear(2),
        record.output(2, stream("left")),
    ]
    executed = record.rebuild(notebook(), events)
    assert executed["cells"][0]["outputs"][0]["data"] == {"text/plain": "three"}
    assert executed["cells"][2]["outputs"] == [stream("left")]


@pytest.mark.parametrize(
    "event",
    [
        {"event": "output", "index": -1, "output": stream("x")},
        {"event": "output", "index": 99, "output": stream("x")},
        {"event": "output", "index": 1, "output": stream("x")},
        {"event": "output", "index": "0", "output": stream("x")},
        {"event": "cell"},
        {"event": "cell_ended", "index": 0, "at": "never", "execution_count": 1, "status": "ok"},
        {"event": "clear", "index": None},
        {"event": "update", "display_id": [], "output": 5},
        {"event": "from a later Drybench", "index": 0},
    ],
)
def test_an_event_without_sense_is_passed_over(event: dict[str, Any]) -> None:
    executed = record.rebuild(notebook(), [event, record.output(0, stream("right"))])
    assert executed["cells"][0]["outputs"] == [stream("right")]


def events_of(draw_text: st.SearchStrategy[str]) -> st.SearchStrategy[list[record.Event]]:
    index = st.sampled_from([0, 2])
    name = st.sampled_from(["stdout", "stderr"])
    display_id = st.sampled_from(["a", "b"])
    return st.lists(
        st.one_of(
            st.builds(lambda i, t, n: record.output(i, stream(t, n)), index, draw_text, name),
            st.builds(lambda i, t, d: record.output(i, display(t), d), index, draw_text, st.none() | display_id),
            st.builds(lambda d, t: record.update(d, {"text/plain": t}, {}), display_id, draw_text),
            st.builds(record.clear, index),
        ),
        max_size=30,
    )


@given(events_of(st.text(max_size=5)))
def test_the_merged_journal_says_the_same(events: list[record.Event]) -> None:
    assert record.rebuild(notebook(), record.merged(events)) == record.rebuild(notebook(), events)


@given(events_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)))
def test_events_are_read_back_as_they_were_written(events: list[record.Event]) -> None:
    data = b"".join(line for event in events for line in record.lines(event))
    assert record.read_events(data) == (events, len(data))


def test_long_text_goes_on_in_the_next_line() -> None:
    event = record.output(0, stream("ä" * (3 << 20)))
    parts = record.lines(event)
    assert len(parts) > 1
    assert all(len(part) <= record.LINE_LIMIT for part in parts)
    executed = record.rebuild(notebook(), record.read_events(b"".join(parts))[0])
    assert executed["cells"][0]["outputs"] == [event["output"]]


def test_a_large_picture_is_cut_and_says_so() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "A" * (5 << 20)}, "metadata": {}}
    (line,) = record.lines(record.output(0, picture))
    assert len(line) < 2000
    ((event,), _) = record.read_events(line)
    assert "image/png of 5.0 MiB" in event["output"]["data"]["text/plain"]
    assert event["output"]["metadata"]["drybench"]["cut"] > 5 << 20


def test_a_large_error_and_a_large_update_are_cut() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "v" * (2 << 20), "traceback": ["t" * (2 << 20)]}
    for event in (record.output(0, error), record.update("d", {"text/html": "h" * (2 << 20)}, {})):
        (line,) = record.lines(event)
        assert len(line) < 100_000
        assert len(record.read_events(line)[0]) == 1


def test_a_surrogate_alone_does_not_stop_the_journal() -> None:
    (line,) = record.lines(record.output(0, stream("\ud800")))
    assert record.read_events(line)[0][0]["output"]["text"] == "?"


def test_broken_lines_are_passed_over_and_half_a_line_is_left() -> None:
    good = record.lines(record.clear(0))[0]
    nonsense = [b"", b"{", b"[]", b"7", b'{"event":5}', b"\xff\xfe", b'{"event":"output","index":0,"output":{}}']
    nonsense += [b"[" * 100_000, b'{"format":2,"event":"clear"}', b'{"event":"' + b"x" * record.LINE_LIMIT + b'"}']
    data = b"\n".join(nonsense) + b"\n" + good
    assert record.read_events(data + good[:5]) == ([record.clear(0)], len(data))


def test_a_result_is_read_back() -> None:
    error = record.CellError("ValueError", "no", ["a", "b"])
    result = record.Result("failed", AT, LATER, "cell_error", "Cell 2 raised.", 3, 2, error, 4, 1, {"name": "python3"})
    read = record.read_result(record.write_result(result))
    assert read["outcome"] == "failed"
    assert read["error"] == {"name": "ValueError", "value": "no", "traceback": ["a\nb"]}
    assert (read["cell"], read["cell_number"], read["cells"], read["executed"]) == (3, 2, 4, 1)
    assert read["kernel"] == {"name": "python3"}
    assert read["format"] == record.FORMAT


def test_the_largest_error_still_fits_a_result() -> None:
    error = record.CellError("\x00" * 9_000_000, "\x00" * 9_000_000, ["\x00" * 9_000_000])
    data = record.write_result(record.Result("failed", AT, LATER, error=error))
    assert len(data) <= record.RESULT_LIMIT
    assert record.read_result(data)["error"] is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"outcome":"lost"}',
        b'{"outcome":["done"]}',
        b'{"format":9,"outcome":"done"}',
        b'{"outcome":"done","cell":"x"}',
        b'{"outcome":"done","cells":-1}',
        b'{"outcome":"done","sentence":7}',
        b'{"outcome":"done","error":7}',
        b'{"outcome":"done","error":{"traceback":7}}',
        b"[" * 200_000,
        b" " * (record.RESULT_LIMIT + 1),
        b"\xff",
    ],
)
def test_a_result_of_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        record.read_result(data)


def test_run_json_of_a_later_drybench_is_still_read() -> None:
    run = record.read_run(b'{"format":1,"id":"r","name":"n","timeout":3,"colour":"blue"}')
    assert (run.id, run.timeout, run.alone) == ("r", 3, False)
    with pytest.raises(ValueError, match="not whole"):
        record.read_run(b'{"format":1,"name":"n"}')


def test_a_hand_that_nests_deeper_than_python_goes_is_cut() -> None:
    """Or its run could never end: whoever reads the result would fail each time."""
    told = '{"a":' * 900 + "1" + "}" * 900
    data = b'{"format":1,"outcome":"done","hand":' + told.encode() + b"}"
    assert record.read_result(data)["outcome"] == "done"
