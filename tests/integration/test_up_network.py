"""A bench on a network: with a certificate, with host names, and what it says without."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.bench import new_bench


@pytest.mark.needs("openssl")
def test_with_a_certificate_and_own_host_names(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=bench.test"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    lines = (
        '[bench]\naddress = "https://bench.test:PORT"\nown_host_names = true\n'
        f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
    )
    with new_bench(lines) as bench:
        assert bench.url.startswith("https://bench.test:")
        assert bench.link.startswith(f"{bench.url}/hub/ticket#")
        assert bench.answers()
        with bench.signed_in() as browser:
            assert browser.get("/api/v1/me").status_code == 200
        assert bench.run("status").returncode == 0


def test_on_every_interface_without_one() -> None:
    with new_bench('[bench]\nlisten = "0.0.0.0"\n') as bench:
        assert "Everybody on the network can reach 0.0.0.0" in bench.said
        assert bench.answers()
