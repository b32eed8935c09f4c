"""Where the bench may be made to connect to."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import NoSuchHost, PlaceNotAllowed
from drybench.notices.destinations import Destinations, is_public, web_address

ANYWHERE = Destinations()


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "127.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::80ff:fffe]",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "168.63.129.16",
        "192.0.0.192",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fe80::1%lo]",
        "[fec0::1]",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "[ff02::1]",
    ],
)
def test_no_way_leads_into_the_bench_or_its_network(host: str) -> None:
    with pytest.raises(PlaceNotAllowed) as refused:
        ANYWHERE.checked(host, 443)
    assert "may_reach" in refused.value.step


@pytest.mark.parametrize("host", ["", "no such host", "x..y", "a" * 300, "nowhere.invalid", "\u0000", "[v1.x]"])
def test_what_is_no_host_is_said_to_be_none(host: str) -> None:
    with pytest.raises(NoSuchHost) as refused:
        ANYWHERE.checked(host, 443)
    assert len(refused.value.sentence) < 250


def leads_to(*addresses: str, **more: object) -> Destinations:
    def resolve(host: str) -> Sequence[str]:
        return addresses

    return Destinations(resolve=resolve, **more)  # type: ignore[arg-type]


def test_a_public_host_is_reached_by_the_address_that_was_checked() -> None:
    assert leads_to("93.184.215.14", "2606:2800:21f::1").checked("hooks.example", 443) == "93.184.215.14"


def test_one_address_that_leads_inside_is_enough_to_refuse() -> None:
    with pytest.raises(PlaceNotAllowed):
        leads_to("93.184.215.14", "10.0.0.1").checked("rebinds.example", 443)


@pytest.mark.parametrize(("port", "allowed"), [(80, True), (443, True), (8443, True), (22, False), (25, False)])
def test_the_ports_of_other_services_are_not_reached(port: int, allowed: bool) -> None:
    there = leads_to("93.184.215.14")
    if allowed:
        assert there.checked("hooks.example", port)
    else:
        with pytest.raises(PlaceNotAllowed):
            there.checked("hooks.example", port)


def test_the_bench_by_its_own_public_name_or_address_is_not_reached() -> None:
    there = leads_to("93.184.215.14", own_host="bench.example")
    for host in ("bench.example", "ada.bench.example", "Bench.Example."):
        with pytest.raises(PlaceNotAllowed):
            there.checked(host, 443)
    assert there.checked("notbench.example", 443)


def test_the_machines_own_address_is_known_whatever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine's address is private that refuses it already; so here all addresses count as public."""
    monkeypatch.setattr("drybench.notices.destinations.is_public", lambda address: True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(PlaceNotAllowed):
            leads_to("127.0.0.1").checked("me.example", 443)
    assert leads_to("93.184.215.14").checked("other.example", 443)


@pytest.mark.parametrize("listed", ["chat.lab", "10.2.0.0/16", "10.2.3.4"])
def test_what_the_keeper_lists_is_reached_on_any_port(listed: str) -> None:
    assert leads_to("10.2.3.4", may_reach=(listed,)).checked("chat.lab", 25) == "10.2.3.4"
    with pytest.raises(PlaceNotAllowed):
        leads_to("10.3.3.4", may_reach=(listed,)).checked("other.lab", 443)


@given(st.ip_addresses(v=4))
def test_an_address_is_no_more_public_in_the_clothes_of_another(address: object) -> None:
    number = int(ip_address(str(address)))
    dressed = [f"::ffff:{address}", f"64:ff9b::{address}", str(ip_address(0x2002 << 112 | number << 80))]
    assert {is_public(ip_address(one)) for one in dressed} == {is_public(ip_address(str(address)))}


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://hooks.example/a",
        "file:///etc/passwd",
        "//hooks.example/a",
        "hooks.example/a",
        "https://",
        "https://ada:word@hooks.example/",
        "https://hooks.example@10.0.0.1/",
        "https://hooks.example\\@10.0.0.1/",
        "https://hooks.example/#part",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nX-Mine: 1",
        "https://hooks.example:99999/",
        "https://hööks.example/",
        "https://[::1/",
        "https://hooks.example/" + "a" * 3000,
    ],
)
def test_what_is_no_plain_address_of_the_web_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence around it is the channel's
        web_address(typed)
