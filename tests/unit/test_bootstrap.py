"""What bin/bootstrap tells uv of the settings somebody made for pip."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

MIRROR = "https://mirror.example/simple"


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    file = Path(__file__).resolve().parents[2] / "bin" / "bootstrap"
    loader = SourceFileLoader("bootstrap", str(file))
    spec = importlib.util.spec_from_loader("bootstrap", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def pip_conf(home: Path, index: str) -> Path:
    file = home / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text(f"[global]\nindex-url = {index}\n")
    return file


def test_the_mirror_of_pip_is_told_to_uv(bootstrap: ModuleType, tmp_path: Path) -> None:
    pip_conf(tmp_path, MIRROR)
    assert bootstrap.index_settings({"HOME": str(tmp_path)})["UV_DEFAULT_INDEX"] == MIRROR


def test_the_variable_counts_more_than_the_file(bootstrap: ModuleType, tmp_path: Path) -> None:
    pip_conf(tmp_path, MIRROR)
    env = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://other.example/simple"}
    assert bootstrap.index_settings(env)["UV_DEFAULT_INDEX"] == "https://other.example/simple"


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE"])
def test_what_uv_was_told_stands(bootstrap: ModuleType, tmp_path: Path, name: str) -> None:
    pip_conf(tmp_path, MIRROR)
    assert "UV_DEFAULT_INDEX" not in bootstrap.index_settings({"HOME": str(tmp_path), name: "told"})


def test_a_settings_file_of_uv_stands_too(bootstrap: ModuleType, tmp_path: Path) -> None:
    pip_conf(tmp_path, MIRROR)
    (tmp_path / ".config" / "uv").mkdir()
    (tmp_path / ".config" / "uv" / "uv.toml").touch()
    assert "UV_DEFAULT_INDEX" not in bootstrap.index_settings({"HOME": str(tmp_path)})


def test_a_certificate_is_told_unless_there_is_one(bootstrap: ModuleType, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PIP_CERT": "/etc/ours.pem"}
    assert bootstrap.index_settings(env)["SSL_CERT_FILE"] == "/etc/ours.pem"
    assert "SSL_CERT_FILE" not in bootstrap.index_settings({**env, "SSL_CERT_FILE": "/etc/theirs.pem"})
