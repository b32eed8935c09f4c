"""What the Hub is told, for each kind of bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.errors import SettingsWrong
from drybench.hub.config import host_of, hub_traits
from drybench.hub.signing_in import OnePerson, Ticketed, ticketed
from drybench.settings import Settings

HERE = Addresses("http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, "bench")
THERE = Addresses("https://bench.test", "0.0.0.0", 443, 8001, 8002, 8003, "bench", own_host_names=True)


def traits(addresses: Addresses = HERE, **sections: Any) -> dict[str, dict[str, Any]]:
    return hub_traits(DataFolder(Path("/data")), addresses, Settings(**sections), "token", "password")


def test_what_the_keeper_says_of_an_authenticator_is_passed_on() -> None:
    told = traits(hub={"authenticator": "dummy", "traits": {"DummyAuthenticator": {"password": "x"}}})
    assert told["DummyAuthenticator"] == {"password": "x"}


def test_what_must_hold_cannot_be_set_otherwise() -> None:
    told = traits(hub={"traits": {"JupyterHub": {"cleanup_servers": True, "cookie_max_age_days": 2}}})
    assert told["JupyterHub"]["cleanup_servers"] is False
    assert told["JupyterHub"]["cookie_max_age_days"] == 2


def test_a_bench_is_for_one_unless_people_are_kept_apart_or_it_is_said() -> None:
    assert traits()["Ticketed"]["bench_is_for_one"]
    assert not traits(bench={"people_share_one_host_name": True})["Ticketed"]["bench_is_for_one"]
    assert not traits(THERE)["Ticketed"]["bench_is_for_one"]


def test_hosts() -> None:
    assert host_of("ada", "bench.test", "user") == "ada.bench.test"
    assert host_of("portal", "bench.test", "service") == "bench.test"


def test_cookies_are_bound_to_their_host_where_hosts_are_many() -> None:
    assert traits(THERE)["JupyterHub"]["cookie_host_prefix_enabled"]
    assert "cookie_host_prefix_enabled" not in traits()["JupyterHub"]


@pytest.mark.parametrize("name", ["one-person", "dummy", "pam", "jupyterhub.auth.PAMAuthenticator"])
def test_the_ticket_goes_around_every_authenticator(name: str) -> None:
    made = ticketed(name)
    assert issubclass(made, Ticketed)
    assert made.by_ticket_only is issubclass(made, OnePerson)


@pytest.mark.parametrize("name", ["no-such", "no.such.Class", "pathlib.Path"])
def test_what_is_no_authenticator_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsWrong, match=name):
        ticketed(name)
