from __future__ import annotations

import pytest

from tests.contract.containers import ContainerContract


class TestDocker(ContainerContract):
    @pytest.fixture
    def url(self, docker_url: str) -> str:
        return docker_url

    @pytest.fixture
    def image(self, python_image: str) -> str:
        return python_image
