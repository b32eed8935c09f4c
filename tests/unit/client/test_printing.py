from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drybench_client import printing


def a_run(**more: Any) -> Any:
    return {
        "id": "0" * 24 + "cafe0123",
        "name": "analysis",
        "phase": "waiting",
        "wanted": "run",
        "outcome": None,
        "detail": "",
        "sentence": "",
        "next_step": "",
        "ahead": 0,
        "cell": 0,
        "cells": 0,
        "environment": "python",
        "size": "default",
        "parameters": {},
        "url": "http://localhost:1/runs/x",
        "created_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat().replace("+00:00", "Z"),
        "started_at": None,
        "ended_at": None,
        **more,
    }


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "waiting"),
        ({"ahead": 2}, "waiting, 2 ahead"),
        ({"phase": "starting", "detail": "starting the kernel"}, "starting: starting the kernel"),
        ({"phase": "running", "cell": 3, "cells": 10}, "cell 3 of 10"),
        ({"phase": "running", "wanted": "stop", "cells": 10}, "stopping"),
        ({"phase": "ended", "outcome": "lost"}, "lost"),
    ],
)
def test_a_state_in_words(facts: dict[str, Any], words: str) -> None:
    assert printing.state(a_run(**facts)) == words


def test_a_table_of_runs(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_runs([a_run(name="a"), a_run(name="a longer name", phase="ended", outcome="done")])
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "NAME", "STATE", "AGE", "ENVIRONMENT"]
    assert first.split() == ["cafe0123", "a", "waiting", "5", "min", "python"]
    assert first.index("waiting") == second.index("done")


def test_an_empty_table_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_runs([])
    assert capsys.readouterr().out == "No runs yet: drybench run NOTEBOOK\n"


def test_what_others_wrote_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_run(a_run(name="\x1b[2J\r\nevil\u202e", parameters={"a\x1b": "\x07"}))
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "evil" in said


def test_progress_keeps_quiet_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    progress = printing.Progress()
    progress.say("analysis")
    progress.end()
    assert capsys.readouterr() == ("", "")


def a_parameter(**more: Any) -> Any:
    return {"name": "x", "type": "", "takes": "anything", "default": "1", "label": "", **more}


def an_answer(*parameters: Any, note: str = "") -> Any:
    return {"kernel": None, "parameters": list(parameters), "note": note}


def test_what_a_notebook_takes(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_inspected(
        an_answer(
            a_parameter(takes="a whole number from 0 to 10", label="how many"),
            a_parameter(name="names", default="[\n" + "  'left',\n" * 20 + "]", label="\x1b[2Jof them"),
            note="Only the first 2 of 3 parameters are listed.",
        )
    )
    kernel, titles, first, second, note = capsys.readouterr().out.splitlines()
    assert kernel == "Kernel: the environment chooses"
    assert re.split(r"\s{2,}", first) == ["x", "a whole number from 0 to 10", "1", "how many"]
    assert titles.index("LABEL") == first.index("how many") == second.index(" [2Jof them")
    assert "[ 'left', 'left'," in second
    assert "…" in second
    assert note == "Only the first 2 of 3 parameters are listed."


def test_a_notebook_that_takes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_inspected(an_answer(note="The notebook has no cell tagged `parameters`."))
    printing.show_inspected(an_answer())
    said = capsys.readouterr().out.splitlines()
    assert said[1::2] == ["The notebook has no cell tagged `parameters`.", "It takes no parameters."]


@pytest.mark.parametrize(("started", "age"), [(None, "3 min"), (2, "2 min")])
def test_a_session_started_again_is_as_old_as_its_last_start(
    started: int | None, age: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printing.show_sessions([a_run(asked_at=ago(3), started_at=ago(started) if started else None)])
    assert f"  {age}  " in capsys.readouterr().out


def ago(minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
