"""What a container reaches and what not, asked from inside one. What must fail is first shown to work without rules."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from aiodocker import Docker

from drybench.addresses import Addresses
from drybench.engines import docker_firewall, docker_network, docker_rules
from drybench.engines.docker_connection import connect
from drybench.engines.docker_firewall import ByContainer, Restore, by_program
from drybench.engines.docker_network import GuardedNetwork
from drybench.engines.docker_rules import Lines, Network, Reach
from drybench.errors import NotGuarded
from drybench.settings_sections import DockerEngine
from tests import docker as real
from tests.free_ports import free_port
from tests.integration import outside
from tests.integration.containers import Task, container
from tests.integration.outside import ALSO_THERE, ANSWER, ASK_FOR_NAMES, HERE, METADATA, PORT, THERE, code, running
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.needs("docker", "iptables"),
    pytest.mark.usefixtures("other_machine"),
    pytest.mark.timeout(900),  # one at a time has another machine
]
Answer = TypeVar("Answer")
ASK_A_NAME = f"""
import socket
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(2)
asking.sendto(b"who", ("{HERE}", 53))
print(asking.recv(512).decode())
"""


class Bench:
    """Its network, guarded on demand."""

    def __init__(self, url: str, id: str, network: Network) -> None:
        self.url = url
        self.id = id
        self.network = network

    def ask(self, question: Callable[[Docker], Awaitable[Answer]]) -> Answer:
        return asked(self.url, question)

    def guard(self, reach: Reach, restore: Restore = by_program) -> None:
        asyncio.run(docker_firewall.guard(self.network, reach, restore))

    def unguard(self) -> None:
        asyncio.run(docker_firewall.unguard(self.network, by_program))

    def guarded(self, **said: Any) -> GuardedNetwork:
        here = Addresses("http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, self.id)
        return GuardedNetwork(self.url, here, DockerEngine(**said))

    def rules(self) -> list[str]:
        return [line for line in chains("iptables-save") if self.network.bridge in line]


def asked(url: str, question: Callable[[Docker], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        docker = connect(url)
        try:
            return await question(docker)
        finally:
            await docker.close()

    return asyncio.run(ask())


def chains(program: str) -> list[str]:
    return subprocess.run([program, "-t", "mangle"], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def other_machine() -> Iterator[None]:
    with outside.outside():
        yield


@pytest.fixture(scope="module")
def bench(docker_url: str) -> Iterator[Bench]:
    id = secrets.token_hex(8)
    network = asked(docker_url, lambda docker: docker_network.ensure(docker, id))
    try:
        yield Bench(docker_url, id, network)
    finally:
        asked(docker_url, lambda docker: docker_network.remove(docker, id))


@pytest.fixture(scope="module")
def task(bench: Bench, python_image: str) -> Iterator[Task]:
    with container(python_image, "--network", bench.network.name) as name:
        yield Task(name, bench.network)


@pytest.fixture(scope="module")
def neighbour(bench: Bench, python_image: str) -> Iterator[Task]:
    serves = ("python3", "-c", ANSWER, "0.0.0.0", str(PORT))
    with container(python_image, "--network", bench.network.name, command=serves) as name:
        yield Task(name, bench.network)


@pytest.fixture(scope="module")
def listener() -> Iterator[int]:
    """A port of this machine that is open on all its addresses."""
    port = free_port()
    with running(ANSWER, "0.0.0.0", str(port)):
        wait_for(lambda: code("127.0.0.1", port) == "200")
        yield port


@pytest.fixture
def other_network(docker_url: str) -> Iterator[str]:
    """Somebody else's, who has nothing to do with the bench."""
    name = f"drybench-test-{secrets.token_hex(4)}"
    real.docker("network", "create", name)
    yield name
    real.docker("network", "rm", name)


@pytest.fixture
def unguarded(bench: Bench) -> None:
    bench.unguard()


def own_addresses(bench: Bench) -> list[str]:
    """All that this machine is called on some network, its end of the bridge among them. Bridges of others come and
    go meanwhile."""
    shown = json.loads(subprocess.run(["ip", "-j", "-4", "address"], capture_output=True, check=True).stdout)
    addresses = [one["local"] for link in shown for one in link["addr_info"] if link["ifname"] != "lo"]
    assert {HERE, bench.network.gateway} < set(addresses)
    return addresses


def reached(bench: Bench, task: Task, port: int) -> list[str]:
    """By which of them the task reaches it; one that went meanwhile leads to who knows whom."""
    answered = [address for address in own_addresses(bench) if task.reaches(address, port)]
    return [address for address in answered if address in own_addresses(bench)]


def test_it_reaches_other_machines(bench: Bench, task: Task) -> None:
    bench.guard(Reach())
    assert task.code(THERE, PORT) == task.code(ALSO_THERE, PORT) == "200"


def test_it_does_not_reach_what_the_keeper_lists(bench: Bench, task: Task) -> None:
    bench.guard(Reach(may_not_reach=[f"{ALSO_THERE}/32"]))
    assert task.code(THERE, PORT) == "200"
    assert not task.reaches(ALSO_THERE, PORT)


def test_it_does_not_reach_its_neighbours(bench: Bench, task: Task, neighbour: Task) -> None:
    bench.guard(Reach())
    wait_for(lambda: code(neighbour.address, PORT) == "200")  # as the portal and the proxy do
    assert not task.reaches(neighbour.address, PORT)


@pytest.mark.usefixtures("unguarded")
def test_it_does_not_reach_the_clouds_metadata(bench: Bench, task: Task) -> None:
    assert task.code(METADATA, 80) == "200"
    bench.guard(Reach())
    assert not task.reaches(METADATA, 80)


@pytest.mark.usefixtures("unguarded")
def test_it_reaches_no_port_of_this_machine_by_any_of_its_addresses(bench: Bench, task: Task, listener: int) -> None:
    wait_for(lambda: all(task.code(address, listener) == "200" for address in own_addresses(bench)))
    bench.guard(Reach(door=listener + 1))
    assert not task.reaches("127.0.0.1", listener)
    assert reached(bench, task, listener) == []


@pytest.mark.usefixtures("unguarded")
def test_it_does_not_reach_what_other_containers_publish(
    bench: Bench, task: Task, python_image: str, other_network: str
) -> None:
    serves = ("python3", "-c", ANSWER, "0.0.0.0", str(PORT))
    options = ("--network", other_network, "--publish", f"0.0.0.0::{PORT}")
    with container(python_image, *options, command=serves) as published:
        port = int(real.docker("port", published, str(PORT)).splitlines()[0].rpartition(":")[2])
        wait_for(lambda: code(HERE, port) == "200")
        bench.guard(Reach())
        assert reached(bench, task, port) == []


def test_it_reaches_the_door_only(bench: Bench, task: Task, listener: int) -> None:
    bench.guard(Reach(door=listener))
    assert reached(bench, task, listener) == [bench.network.gateway]


def test_names_are_looked_up_also_on_this_machine_itself(bench: Bench, task: Task) -> None:
    with running(ASK_FOR_NAMES, HERE):
        wait_for(lambda: not _is_free(53))
        bench.guard(Reach())
        assert task.python(ASK_A_NAME) == ""
        bench.guard(Reach(nameservers=[HERE]))
        wait_for(lambda: task.python(ASK_A_NAME) == "a name")


def test_it_speaks_no_ipv6(bench: Bench, task: Task) -> None:
    bench.guard(Reach())
    assert real.docker("exec", task.name, "cat", "/proc/net/if_inet6").split()[5::6] in ([], ["lo"])
    assert f"-A PREROUTING -i {bench.network.bridge} -j DROP" in chains("ip6tables-save")


@pytest.mark.usefixtures("unguarded")
def test_rules_that_somebody_took_away_come_back(bench: Bench, task: Task) -> None:
    asyncio.run(bench.guarded().ready())
    there = bench.rules()
    for harm in (["-F", docker_rules.chain(bench.network)], ["-D", *hook(bench.network)]):
        subprocess.run(["iptables", "--wait", "-t", "mangle", *harm], check=True)
        assert task.code(METADATA, 80) == "200"
        asyncio.run(bench.guarded().ready())
        assert bench.rules() == there
        assert not task.reaches(METADATA, 80)


def test_set_again_and_again_they_are_there_once(bench: Bench) -> None:
    bench.guard(Reach(door=1))
    bench.guard(Reach(door=1))
    once = bench.rules()
    bench.guard(Reach(door=1))
    assert bench.rules() == once
    assert len([line for line in once if "PREROUTING" in line]) == 1


@pytest.mark.usefixtures("unguarded")
def test_without_root_docker_sets_the_same_rules(bench: Bench) -> None:
    """Also where an earlier container for it was left behind."""
    bench.guard(Reach(door=1))
    by_root = bench.rules()
    bench.unguard()
    left_behind = f"drybench-test-firewall-{secrets.token_hex(4)}"
    real.docker("create", "--name", left_behind, real.BASE, "true")
    for _ in range(2):
        bench.ask(lambda docker: docker_firewall.guard(bench.network, Reach(door=1), ByContainer(docker, left_behind)))
        assert bench.rules() == by_root
    assert real.docker("ps", "-aq", "--filter", f"name={left_behind}") == ""


async def cannot(program: str, lines: Lines) -> str:
    return f"{program}: no\nsuch thing"


async def test_where_rules_cannot_be_set_nothing_starts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_firewall, "restore", lambda *_: cannot)
    with pytest.raises(NotGuarded, match=r"\(iptables-restore: no\)"):
        await bench.guarded().ready()
    assert await bench.guarded(without_firewall=True).ready() == bench.network


async def test_a_network_is_made_once_found_again_and_removed_with_its_rules(docker_url: str) -> None:
    docker, id = connect(docker_url), secrets.token_hex(8)
    try:
        made = await asyncio.gather(*(docker_network.ensure(docker, id) for _ in range(3)))
        assert made[0] == made[1] == made[2] == await docker_network.ensure(docker, id)
        await docker_firewall.guard(made[0], Reach(), by_program)
        await docker_network.remove(docker, id)
        assert await docker_network.find(docker, id) is None
        for program in ("iptables-save", "ip6tables-save"):
            assert not [line for line in chains(program) if made[0].bridge in line]
        again = await docker_network.ensure(docker, id, before="10.232.0.0/24")
        assert (again.subnet, again.gateway) == ("10.232.0.0/24", "10.232.0.1")
    finally:
        await docker_network.remove(docker, id)
        await docker.close()


async def test_addresses_that_are_taken_are_not_taken_again(bench: Bench) -> None:
    docker, id = connect(bench.url), secrets.token_hex(8)
    try:
        found = await docker_network.ensure(docker, id, before=bench.network.subnet)
        assert found.subnet != bench.network.subnet
    finally:
        await docker_network.remove(docker, id)
        await docker.close()


def hook(network: Network) -> list[str]:
    return ["PREROUTING", "-i", network.bridge, "-j", docker_rules.chain(network)]


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HERE, port))
        except OSError:
            return False
    return True
