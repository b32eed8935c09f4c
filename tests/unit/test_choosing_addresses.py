from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drybench import settings
from drybench.addresses import Addresses, choose, with_tasks_door
from drybench.data_folder import DataFolder
from drybench.errors import CannotListen, PortInUse


def chosen(data: DataFolder, **bench: Any) -> Addresses:
    return choose(settings.load(data, given={"bench": bench}), data)


@contextmanager
def held(port: int, host: str = "127.0.0.1") -> Iterator[None]:
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
        yield


def inner(addresses: Addresses) -> tuple[int, int, int]:
    return addresses.hub_port, addresses.portal_port, addresses.proxy_api_port


def test_what_was_chosen_once_is_kept(data: DataFolder) -> None:
    first = chosen(data)
    assert first.port >= 8000
    assert first.public == f"http://localhost:{first.port}"
    assert len({first.port, *inner(first)}) == 4
    assert chosen(data) == first == Addresses.load(data.bench)


def test_a_port_that_is_held_is_passed_over_at_the_first_start(data: DataFolder, tmp_path_factory: Any) -> None:
    port = chosen(data).port
    other = DataFolder(tmp_path_factory.mktemp("other"))
    other.make()
    with held(port):
        assert chosen(other).port != port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_public_port_that_somebody_else_holds_is_an_error(data: DataFolder, host: str) -> None:
    port = chosen(data).port
    with held(port, host), pytest.raises(PortInUse, match=rf"Port {port} .*`port` under \[bench\]"):
        chosen(data)
    assert chosen(data).port == port


def test_an_inner_port_that_somebody_else_holds_is_replaced(data: DataFolder) -> None:
    first = chosen(data)
    with held(first.hub_port):
        second = chosen(data)
    assert second.hub_port != first.hub_port
    assert inner(second)[1:] == inner(first)[1:]
    assert second.bench_id == first.bench_id


def test_inner_ports_lie_where_the_kernel_gives_none_away(data: DataFolder) -> None:
    """While the bench is down, so that nobody has them by chance when it comes up again."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    door = with_tasks_door(chosen(data), "127.0.0.9", "127.0.0.0/24", data).tasks_port
    assert not [port for port in (*inner(chosen(data)), door) if first <= port <= last]


def test_a_port_of_the_settings_counts_and_is_kept(data: DataFolder) -> None:
    first = chosen(data)
    moved = chosen(data, port=first.hub_port)
    assert moved.port == first.hub_port not in inner(moved)
    assert chosen(data).port == moved.port


def test_an_address_this_machine_does_not_have(data: DataFolder) -> None:
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1"):
        chosen(data, listen="192.0.2.1", port=8123)


@pytest.mark.parametrize(
    ("bench", "public"),
    [
        ({"address": "https://bench.example"}, "https://bench.example"),
        ({"listen": "0.0.0.0"}, f"http://{socket.gethostname()}:PORT"),
        ({"listen": "127.0.0.2"}, "http://127.0.0.2:PORT"),
    ],
)
def test_what_people_type(data: DataFolder, bench: dict[str, str], public: str) -> None:
    found = chosen(data, **bench)
    assert found.public == public.replace("PORT", str(found.port))


def test_the_door_of_tasks_keeps_its_port_and_is_only_there_when_it_was_opened(data: DataFolder) -> None:
    first = with_tasks_door(chosen(data), "127.0.0.9", "127.0.0.0/24", data)
    assert first.tasks_door == f"http://127.0.0.9:{first.tasks_port}"
    assert Addresses.load(data.bench) == first
    again = chosen(data)
    assert (again.tasks_door, again.tasks_subnet) == ("", "127.0.0.0/24")
    assert with_tasks_door(again, "127.0.0.9", "127.0.0.0/24", data) == first


def test_a_door_whose_port_somebody_else_holds_is_elsewhere(data: DataFolder) -> None:
    first = with_tasks_door(chosen(data), "127.0.0.9", "127.0.0.0/24", data)
    with held(first.tasks_port, "127.0.0.9"):
        assert with_tasks_door(chosen(data), "127.0.0.9", "127.0.0.0/24", data).tasks_port != first.tasks_port
