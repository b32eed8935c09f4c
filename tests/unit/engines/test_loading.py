from __future__ import annotations

import pytest

from drybench.engines import loading
from drybench.engines.fake import FakeEngine
from drybench.engines.local import LocalEngine
from drybench.errors import EngineMissing


def test_our_own_engines_come_through_the_same_door() -> None:
    assert loading.load("local") is LocalEngine
    assert loading.load("fake") is FakeEngine
    assert set(loading.names()) >= {"fake", "local"}


def test_a_missing_engine_says_which_there_are_and_what_to_install() -> None:
    with pytest.raises(EngineMissing) as missing:
        loading.load("abacus")
    assert "abacus" in missing.value.sentence
    assert "local" in missing.value.sentence
    assert "drybench[abacus]" in missing.value.step
