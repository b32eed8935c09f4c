"""Where the bench may be made to connect to: never into itself or the network around it.

An address that somebody typed is looked up, each of its addresses is checked, and the connection goes to the one
that was checked: a name that leads elsewhere a moment later leads nowhere. What the keeper lists is let through.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from drybench.errors import NoSuchHost, PlaceNotAllowed

Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Sequence[str]]

LONGEST = 2000  # characters of an address of the web
PORTS = frozenset({80, 443})  # and those that any program may listen on
CARRIES_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
NOT_PUBLIC = (  # and not everywhere known as such
    IPv4Network("168.63.129.16/32"),  # answers Azure's machines about themselves
    IPv4Network("192.0.0.0/24"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("fec0::/10"),
)


def resolved(host: str) -> Sequence[str]:
    """As the system does it, which also reads 0x7f.1 and 2130706433 as addresses."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(one[4][0]).partition("%")[0] for one in found]


@dataclass(frozen=True)
class Destinations:
    may_reach: tuple[str, ...] = ()  # hosts, addresses and networks, as the keeper lists them
    own_host: str = ""
    resolve: Resolve = resolved

    def checked(self, host: str, port: int) -> str:
        """An address of this host to connect to, or PlaceNotAllowed. It asks the name service."""
        host = host.rstrip(".").lower()
        addresses = self._addresses(host)
        if host not in self.may_reach and not all(self._is_allowed(host, port, address) for address in addresses):
            raise PlaceNotAllowed(host=host[:200])
        return str(addresses[0])

    def _addresses(self, host: str) -> list[Address]:
        try:
            found = [ip_address(found) for found in self.resolve(host.strip("[]"))]
        except (OSError, ValueError):  # UnicodeError, for a host that can be none, is a ValueError
            raise NoSuchHost(host=host[:200]) from None
        if not found:
            raise NoSuchHost(host=host[:200])
        return found

    def _is_allowed(self, host: str, port: int, address: Address) -> bool:
        if any(address in network for network in self._networks()):
            return True
        own = host == self.own_host or host.endswith(f".{self.own_host}") or _is_of_this_machine(address)
        return not own and is_public(address) and (port in PORTS or port >= 1024)

    def _networks(self) -> Iterator[IPv6Network | IPv4Network]:
        for one in self.may_reach:
            try:
                yield ip_network(one, strict=False)
            except ValueError:
                continue  # a host's name


def web_address(typed: str) -> SplitResult:
    """http or https with a host, and nothing hidden in it; ValueError says what is wrong."""
    parts = urlsplit(typed)
    if not typed.isprintable() or not typed.isascii() or " " in typed or "\\" in typed or len(typed) > LONGEST:
        raise ValueError("it has characters that no address has, or too many")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it should begin with https://")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("it should have neither a user's name nor a fragment (#)")
    _ = parts.port  # ValueError for what is none
    return parts


def is_public(address: Address) -> bool:
    """Of the internet at large; what carries an IPv4 address in itself is taken for that."""
    if isinstance(address, IPv6Address) and (within := _ipv4_within(address)) is not None:
        return is_public(within)
    odd = address.is_multicast or address.is_reserved or any(address in network for network in NOT_PUBLIC)
    return address.is_global and not odd


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in CARRIES_IPV4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])


def _is_of_this_machine(address: Address) -> bool:
    """Only an address of one's own can be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
