"""traefik's files, read back as TOML. What they do is tried with a real one in tests/integration/test_proxy.py."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.proxying import rules_file, static_file, write_proxy_files
from drybench.settings import Settings

ONE = Addresses("http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, "bench")
MANY = Addresses("https://bench.test", "::", 443, 8001, 8002, 8003, "bench", own_host_names=True)
TLS = Settings(tls={"certificate": '/etc/a "b"/cert.pem', "key": "/etc/key.pem"})


def test_it_listens_where_the_settings_say(tmp_path: Path) -> None:
    said = tomllib.loads(static_file(DataFolder(tmp_path), ONE, Settings()))
    assert said["entryPoints"]["public"]["address"] == "127.0.0.1:8000"
    assert "tls" not in said["entryPoints"]["public"]["http"]
    assert said["entryPoints"]["api"]["address"] == "127.0.0.1:8003"
    assert said["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}
    assert "accessLog" not in said


def test_tls(tmp_path: Path) -> None:
    said = tomllib.loads(static_file(DataFolder(tmp_path), MANY, TLS))
    assert said["entryPoints"]["public"]["address"] == "[::]:443"
    assert "tls" in said["entryPoints"]["public"]["http"]
    shown = tomllib.loads(rules_file(MANY, TLS, "password"))["tls"]["stores"]["default"]["defaultCertificate"]
    assert shown == {"certFile": '/etc/a "b"/cert.pem', "keyFile": "/etc/key.pem"}


def test_without_tasks_in_a_network_of_their_own_there_is_no_door() -> None:
    said = static_file(DataFolder(Path("/data")), ONE, Settings()) + rules_file(ONE, Settings(), "password")
    assert "tasks" not in said


@pytest.mark.parametrize("addresses", [ONE, MANY])
def test_a_door_for_tasks_serves_the_two_apis(addresses: Addresses, tmp_path: Path) -> None:
    there = replace(addresses, tasks_door="http://10.5.0.1:4321", tasks_subnet="10.5.0.0/16", tasks_port=4321)
    entry = tomllib.loads(static_file(DataFolder(tmp_path), there, Settings()))["entryPoints"]["tasks"]
    assert entry["address"] == "10.5.0.1:4321"
    rules = tomllib.loads(rules_file(there, Settings(), "password"))["http"]
    served = {
        router["rule"]: router["service"] for router in rules["routers"].values() if "tasks" in router["entryPoints"]
    }
    assert served == {
        "Path(`/hub/api`) || PathPrefix(`/hub/api/`)": "tasks-hub",
        "Path(`/api/v1`) || PathPrefix(`/api/v1/`)": "tasks-portal",
    }
    urls = {name: service["loadBalancer"]["servers"] for name, service in rules["services"].items() if name != "portal"}
    assert urls == {"tasks-hub": [{"url": "http://127.0.0.1:8001"}], "tasks-portal": [{"url": "http://127.0.0.1:8002"}]}


def test_whoever_comes_from_the_tasks_network_is_refused_at_the_public_entry() -> None:
    there = replace(MANY, tasks_door="http://10.5.0.1:4321", tasks_subnet="10.5.0.0/16", tasks_port=4321)
    refused = tomllib.loads(rules_file(there, TLS, "password"))["http"]["routers"]["no-tasks"]
    assert (refused["rule"], refused["entryPoints"]) == ("ClientIP(`10.5.0.0/16`)", ["public"])
    assert refused["priority"] > 10_000


@pytest.mark.parametrize("addresses", [ONE, MANY])
def test_the_password_is_not_in_the_rules(addresses: Addresses) -> None:
    rules = rules_file(addresses, Settings(), "password")
    assert "password" not in rules
    assert tomllib.loads(rules)["http"]["routers"]["portal"]["service"] == "portal"


def test_files_are_their_owners_only(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.make()
    write_proxy_files(data, ONE, Settings(), "password")
    for file in (data.proxy / "traefik.toml", data.proxy / "rules" / "drybench.toml"):
        assert file.stat().st_mode & 0o077 == 0
