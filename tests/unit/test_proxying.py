"""traefik's files, read back as TOML. What they do is tried with a real one in tests/integration/test_proxy.py."""

from __future__ import annotations

import tomllib
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
