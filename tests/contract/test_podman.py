"""Podman by Docker's words."""

from __future__ import annotations

import pytest

from tests.contract.containers import ContainerContract


class TestPodman(ContainerContract):
    @pytest.fixture
    def url(self, podman_url: str) -> str:
        return podman_url

    @pytest.fixture
    def image(self, python_image_in_podman: str) -> str:
        return python_image_in_podman
