"""When nothing may start: what is said, and that nothing is said too early."""

from __future__ import annotations

from pathlib import Path

import pytest

from drybench.engines import docker_firewall
from drybench.engines.docker_firewall import IPV4, IPV6, by_program, guard
from drybench.engines.docker_rules import Lines, Network, Reach
from drybench.errors import NotGuarded

NETWORK = Network("drybench-bench", "db-bench", "10.5.0.1", "10.5.0.0/16")


class Firewall:
    """Takes rules; those that take something out first only where something is in."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.there: set[str] = set()
        self.taken: list[str] = []

    async def restore(self, program: str, lines: Lines) -> str:
        again = any(line.startswith("-D") for line in lines)
        if program == self.broken or (again and program not in self.there):
            return f"{program}: line 3 failed\nTry --help"
        self.there.add(program)
        self.taken.append(f"{program} {'again' if again else 'first'}")
        return ""


async def test_at_first_there_is_nothing_to_take_out() -> None:
    firewall = Firewall()
    await guard(NETWORK, Reach(), firewall.restore)
    await guard(NETWORK, Reach(), firewall.restore)
    taken = [line for line in firewall.taken if line.startswith(IPV4)]
    assert taken == [f"{IPV4} first", f"{IPV4} again"]


@pytest.mark.parametrize("broken", [IPV4, IPV6])
async def test_what_cannot_be_set_is_said_in_one_line(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_firewall, "_has_ipv6", lambda: True)
    with pytest.raises(NotGuarded, match=rf"\({broken}: line 3 failed\)"):
        await guard(NETWORK, Reach(), Firewall(broken).restore)


async def test_where_neighbours_pass_no_firewall_nothing_is_guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bridged").write_text("0\n")
    monkeypatch.setattr(docker_firewall, "NEIGHBOURS", tmp_path / "bridged")
    with pytest.raises(NotGuarded, match="passes no firewall"):
        await guard(NETWORK, Reach(), Firewall().restore)


async def test_a_machine_without_iptables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(docker_firewall, "PLACES", str(tmp_path))
    assert await by_program(IPV4, ()) == "iptables-restore is not installed"
