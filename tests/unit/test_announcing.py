from __future__ import annotations

import getpass
from dataclasses import replace

import pytest

from drybench.addresses import Addresses
from drybench.catalogue import Offer
from drybench.errors import NoContainersHere
from drybench.model import Environment
from drybench.up import announcing

HERE = Addresses("http://localhost:8123", "127.0.0.1", 8123, 1, 2, 3, "id")


def test_the_tunnel_for_somebody_who_came_by_ssh() -> None:
    me = getpass.getuser()
    assert announcing.tunnel(HERE, {}) is None
    came = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.1 22"}
    assert announcing.tunnel(HERE, came) == f"From your own computer: ssh -L 8123:127.0.0.1:8123 {me}@10.0.0.1"
    by_another_door = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.1 2222"}
    assert "-p 2222 " in (announcing.tunnel(HERE, by_another_door) or "")


@pytest.mark.parametrize(
    ("listen", "public", "warned"),
    [
        ("127.0.0.1", "http://localhost:8123", False),
        ("0.0.0.0", "http://lab:8123", True),
        ("0.0.0.0", "https://lab:8123", False),
    ],
)
def test_what_it_means_to_listen_on_the_network(listen: str, public: str, warned: bool) -> None:
    said = announcing.exposed(replace(HERE, listen=listen, public=public))
    assert bool(said) == warned


def test_what_only_containers_have_is_named_with_the_reason_why_there_are_none() -> None:
    lab = Environment(name="base", title="Base", summary="", engine="docker", apps=(), image="drybench/base:1")
    why = NoContainersHere(title="Base", why="the settings say so")
    said = list(announcing.environments([Offer(lab, why, "build")]))
    assert said[1:] == ["Only in containers: base. There are none: the settings say so."]


def test_how_a_part_ended() -> None:
    assert announcing.ended("hub", announcing.how(-9), 0.1) == "The hub ended by SIGKILL; starting it again."
    assert (
        announcing.ended("hub", announcing.how(3), 8.0) == "The hub ended with exit code 3; starting it again in 8 s."
    )
