"""Errors: one way in, and a sentence that is filled from the facts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drybench import errors
from drybench.errors import DrybenchError, NoSuchSize, SettingsWrong


def kinds(of: type[DrybenchError]) -> Iterator[type[DrybenchError]]:
    for kind in of.__subclasses__():
        if kind.__module__.startswith("drybench."):
            yield kind
            yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds(DrybenchError)), ids=lambda kind: kind.__name__)
def test_every_error_is_offered_in_one_place_and_says_what_to_do(kind: type[DrybenchError]) -> None:
    assert getattr(errors, kind.__name__) is kind
    assert kind.__doc__
    assert kind.next_step


def test_an_error_says_the_same_to_person_and_program() -> None:
    error = NoSuchSize(name="huge", there="small, large")
    assert str(error) == "There is no size “huge” here. Choose one of: small, large."
    assert error.as_json() == {
        "code": "no_such_size",
        "sentence": "There is no size “huge” here.",
        "next_step": "Choose one of: small, large.",
    }


def test_what_somebody_else_wrote_fills_nothing_in() -> None:
    assert SettingsWrong(place="line 1", problem="{place}").sentence == "line 1: {place}"
