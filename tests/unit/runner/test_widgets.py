"""Widgets are told of while they change, within bounds, and stand in what is made of a journal."""

from __future__ import annotations

from typing import Any

from drybench_runner import record
from drybench_runner.book import WIDGETS

MODEL = {"model_name": "IntProgressModel", "model_module": "@jupyter-widgets/controls", "model_module_version": "2.0.0"}


def told(value: int, **more: Any) -> record.Event:
    return record.widgets({"bar": {**MODEL, "state": {"value": value, **more}}})


def test_what_is_told_in_one_moment_is_one_event_with_the_last_state() -> None:
    (event,) = record.merged([told(1, max=9), told(2), told(3)])
    assert event["state"]["bar"]["state"] == {"value": 3, "max": 9}


def test_a_notebook_made_of_a_journal_has_their_last_state() -> None:
    given: dict[str, Any] = {"cells": [], "metadata": {"widgets": {WIDGETS: {"state": {}}}}}
    made = record.rebuild(given, [told(1, max=9), told(7)])
    assert made["metadata"]["widgets"][WIDGETS]["state"]["bar"] == {**MODEL, "state": {"value": 7, "max": 9}}
    assert given["metadata"]["widgets"] == {WIDGETS: {"state": {}}}


def test_many_at_once_stay_within_a_line_each() -> None:
    state = {str(number): {**MODEL, "state": {"text": "x" * 60_000}} for number in range(40)}
    lines = record.lines(record.widgets(state))
    assert len(lines) == 40
    assert {id for event in record.read_events(b"".join(lines))[0] for id in event["state"]} == set(state)
