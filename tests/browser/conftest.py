"""What several journeys share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench import Bench
from tests.browser.two_people import guarded_bench


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench with TLS, own host names and several people. Leave it as you found it."""
    with guarded_bench(tmp_path_factory.mktemp("guarded")) as bench:
        yield bench
