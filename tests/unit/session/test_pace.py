"""How many pictures a narrow line gets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drybench_session.desktop.pace import EASED_AFTER, FASTEST, IN_FLIGHT, SLOWEST, Pace

DEEDS = st.lists(st.one_of(st.tuples(st.just("picture"), st.booleans()), st.tuples(st.just("seen"), st.integers())))


def after(deeds: list[tuple[str, object]]) -> tuple[Pace, list[bool]]:
    """And which of the pictures that went out were whole."""
    pace, went = Pace(), list[bool]()
    for now, (deed, said) in enumerate(deeds):
        if deed == "picture":
            pace, goes = pace.offered(bool(said), float(now))
            went += [bool(said)] if goes else []
        else:
            pace = pace.shown(int(str(said)), float(now))
    return pace, went


@given(DEEDS)
def test_whatever_is_said_no_more_is_on_its_way_than_there_is_room_for(deeds: list[tuple[str, object]]) -> None:
    pace, _ = after(deeds)
    assert 0 <= pace.sent - pace.seen <= IN_FLIGHT
    assert SLOWEST <= pace.rate <= FASTEST


@given(DEEDS)
def test_what_follows_a_gap_is_whole(deeds: list[tuple[str, object]]) -> None:
    pace, gap = Pace(), False
    for now, (deed, said) in enumerate(deeds):
        if deed == "seen":
            pace = pace.shown(int(str(said)), float(now))
            continue
        pace, goes = pace.offered(bool(said), float(now))
        assert not (goes and gap) or said
        gap = not goes


def test_a_jam_slows_it_down_once_and_ease_brings_it_back() -> None:
    pace, _ = after([("picture", True)] * (IN_FLIGHT + 3))
    assert pace.rate == FASTEST * 2 / 3
    pace = pace.shown(IN_FLIGHT, 10.0)
    assert pace.jammed
    pace, goes = pace.offered(True, 10.0)
    assert goes
    for second in range(20):
        pace = pace.shown(pace.sent, 10.0 + second * EASED_AFTER * 1.1)
    assert pace.rate == FASTEST
