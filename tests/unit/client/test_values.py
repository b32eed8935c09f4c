from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from papermill.cli import _resolve_type

from drybench_client.errors import Refused
from drybench_client.values import gpus, parameters, seconds, value

NOT_SENT = {"nan", "inf", "infinity"}  # JSON has none of these


def sendable(text: str) -> bool:
    return text.strip().lower().lstrip("+-") not in NOT_SENT


@pytest.mark.parametrize(
    "text", ["True", "False", "None", "1", "-7", "1_000", "2.5", "1e3", " 5 ", "", "abc", "True ", "0x10", "1,2"]
)
def test_as_papermill_reads_it(text: str) -> None:
    assert repr(value(text)) == repr(_resolve_type(text))


@given(some.text().filter(lambda text: text not in {"true", "false"} and sendable(text)))
def test_any_text_as_papermill_reads_it(text: str) -> None:
    assert repr(value(text)) == repr(_resolve_type(text))


@pytest.mark.parametrize(("text", "read"), [("true", True), ("false", False), ("9" * 400, int("9" * 400))])
def test_beside_papermill(text: str, read: Any) -> None:
    assert value(text) is read or value(text) == read


@pytest.mark.parametrize("text", ["nan", "-inf", "1e999"])
def test_numbers_that_json_does_not_have(text: str) -> None:
    with pytest.raises(Refused, match="cannot be sent"):
        value(text)


def test_raw_values_stay_text() -> None:
    assert parameters(["a=1", "b=x=y", "c="], ["d=1", "a=2"]) == {"a": "2", "b": "x=y", "c": "", "d": "1"}


@pytest.mark.parametrize("text", ["a", "=1", ""])
def test_what_names_no_parameter(text: str) -> None:
    with pytest.raises(Refused, match="names no parameter"):
        parameters([text])


@pytest.mark.parametrize(("text", "read"), [("90", 90), ("1.5s", 1.5), ("30min", 1800), ("2 h", 7200), ("1d", 86400)])
def test_times(text: str, read: float) -> None:
    assert seconds(text) == read


@pytest.mark.parametrize("text", ["", "-1", "soon", "5 y", "1h30m"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Refused, match="is no time"):
        seconds(text)


@pytest.mark.parametrize(
    ("typed", "count"),
    [("8GiB", 8 << 30), ("24 GB", 24 * 10**9), ("24", 24 * 10**9), ("512mib", 512 << 20), ("any", 0), ("0", 0), (7, 7)],
)
def test_the_memory_of_a_gpu(typed: int | str, count: int) -> None:
    assert gpus([typed]) == [{"vram": count}]


@pytest.mark.parametrize("typed", ["", "much", "-1", "8 cores", "8 GiBs"])
def test_what_is_no_memory_of_a_gpu(typed: str) -> None:
    with pytest.raises(Refused, match="no amount of memory"):
        gpus([typed])
