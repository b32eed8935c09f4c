from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.quantities import bytes_in_words, in_bytes, in_seconds


@pytest.mark.parametrize(
    ("said", "counted"),
    [("1.5 GiB", 3 << 29), ("100 MB", 10**8), ("100mb", 10**8), (0, 0), ("17", 17), ("2 KiB", 2048), ("1 TB", 10**12)],
)
def test_bytes(said: object, counted: int) -> None:
    assert in_bytes(said) == counted


@pytest.mark.parametrize(
    ("said", "counted"),
    [("90 s", 90), ("1.5 h", 5400), ("30 min", 1800), (7, 7), ("2 days", 172800), ("2 hours", 7200), ("5m", 300)],
)
def test_seconds(said: object, counted: float) -> None:
    assert in_seconds(said) == counted


@pytest.mark.parametrize("said", ["", "GiB", "-1", "1 2 MB", "1 parsec", True, None, "1e3", "٣ h"])
def test_what_is_no_amount(said: object) -> None:
    with pytest.raises(ValueError, match="should be"):
        in_bytes(said)
    with pytest.raises(ValueError, match="should be"):
        in_seconds(said)


@given(st.integers(0, 1 << 50))
def test_words_are_read_back_as_they_were(amount: int) -> None:
    assert in_bytes(bytes_in_words(amount)) == amount
