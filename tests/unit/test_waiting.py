from __future__ import annotations

import pytest

from tests.waiting import eventually, wait_for


def test_gives_the_first_truthy_answer() -> None:
    answers = iter([0, "", "here"])
    assert wait_for(lambda: next(answers)) == "here"


async def test_waits_while_the_loop_goes_on() -> None:
    answers = iter([None, 3])
    assert await eventually(lambda: next(answers)) == 3


def test_says_what_did_not_come_true() -> None:
    def never() -> bool:
        return False

    with pytest.raises(AssertionError, match=r"never did not come true within 0 s"):
        wait_for(never, seconds=0)
