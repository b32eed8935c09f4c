"""What a bench's containers may reach, as rules of the firewall. Pure.

They stand where packets come in (table mangle, PREROUTING), before anything is routed or translated: there
one chain sees what goes to this machine as well as what goes through it, and nothing that Docker, Podman
or somebody else's firewall lets through comes first. What they forbid gets no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

METADATA = "169.254.0.0/16"  # of clouds, and all that is not routed; fd00:ec2::254 goes with the rest of IPv6
LOOKS_UP_NAMES = ("udp", "tcp")
Lines = tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """The bridge that a bench's containers are on. `gateway` is this machine's address there."""

    name: str
    bridge: str
    gateway: str
    subnet: str


@dataclass(frozen=True)
class Reach:
    """What is for the bench and its keeper to say."""

    door: int = 0  # the port of the gateway that serves the two APIs; 0: none
    may_not_reach: Sequence[str] = ()
    nameservers: Sequence[str] = ()  # their names are looked up wherever these are


def chain(network: Network) -> str:
    return f"DRYBENCH-{network.bridge}"


def rules(network: Network, reach: Reach) -> Lines:
    """The chain's rules, in their order: the first that fits counts, and what none forbids goes on."""
    return tuple(f"-A {chain(network)} {rule}" for rule in _rules(network, reach))


def set_again(network: Network, reach: Reach) -> Lines:
    """What `iptables-restore --noflush` takes at once or not at all, so that there is no moment without rules."""
    return _restore(f":{chain(network)} - [0:0]", *rules(network, reach), f"-D {_hook(network)}", _insert(network))


def set_first(network: Network, reach: Reach) -> Lines:
    """Where nothing leads to the chain yet, so that there is nothing to take out first."""
    return _restore(f":{chain(network)} - [0:0]", *rules(network, reach), _insert(network))


def take_away(network: Network) -> Lines:
    return _restore(f"-D {_hook(network)}", f"-F {chain(network)}", f"-X {chain(network)}")


def ipv6_again(network: Network) -> Lines:
    """The network has none; should a container find a way to speak it, nobody listens."""
    return _restore(f"-D {_nothing(network)}", f"-I {_nothing(network)}")


def ipv6_first(network: Network) -> Lines:
    return _restore(f"-I {_nothing(network)}")


def ipv6_take_away(network: Network) -> Lines:
    return _restore(f"-D {_nothing(network)}")


def nameservers(resolv_conf: str) -> tuple[str, ...]:
    """Those that a container asks by itself; what listens on loopback Docker asks for it."""
    words = [line.split() for line in resolv_conf.splitlines()]
    named = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    return tuple(one for one in named if _is_asked_directly(one))


def _rules(network: Network, reach: Reach) -> Iterator[str]:
    yield "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"  # answers to who asked them
    if reach.door:
        yield f"-d {network.gateway}/32 -p tcp -m tcp --dport {reach.door} -j RETURN"
    for server in reach.nameservers:
        for protocol in LOOKS_UP_NAMES:
            yield f"-d {server}/32 -p {protocol} -m {protocol} --dport 53 -j RETURN"
    yield "-m addrtype --dst-type LOCAL -j DROP"
    yield "-m addrtype --dst-type BROADCAST -j DROP"
    yield "-m addrtype --dst-type MULTICAST -j DROP"
    for forbidden in (METADATA, network.subnet, *reach.may_not_reach):
        yield f"-d {IPv4Network(forbidden)} -j DROP"


def _is_asked_directly(server: str) -> bool:
    try:
        return not IPv4Address(server).is_loopback
    except ValueError:  # by IPv6 nothing is asked
        return False


def _hook(network: Network) -> str:
    return f"PREROUTING -i {network.bridge} -j {chain(network)}"


def _nothing(network: Network) -> str:
    return f"PREROUTING -i {network.bridge} -j DROP"


def _insert(network: Network) -> str:
    return f"-I {_hook(network)}"


def _restore(*lines: str) -> Lines:
    return ("*mangle", *lines, "COMMIT")
