"""The certificates that containers are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from drybench.certificates import bundle


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "usual.pem").write_text("the machine's")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "usual.pem"))
    (tmp_path / "extra.pem").write_text("the institute's\n")
    return tmp_path / "extra.pem"


def test_both_are_in_one_file_that_everybody_can_read(extra: Path, tmp_path: Path) -> None:
    file = bundle(extra, tmp_path / "certificates.pem")
    assert file
    assert file.read_text() == "the machine's\nthe institute's\n"
    assert file.stat().st_mode & 0o777 == 0o644


def test_it_is_made_anew_only_when_they_have_changed(extra: Path, tmp_path: Path) -> None:
    file = tmp_path / "certificates.pem"
    bundle(extra, file)
    first = file.stat().st_ino
    bundle(extra, file)
    assert file.stat().st_ino == first
    extra.write_text("a newer one\n")
    bundle(extra, file)
    assert file.read_text().endswith("a newer one\n")


def test_without_them_nothing_is_made(tmp_path: Path) -> None:
    file = tmp_path / "certificates.pem"
    assert bundle(None, file) is None
    with capture_logs() as logs:
        assert bundle(Path("/nowhere.pem"), file) is None
    assert (len(logs), file.exists()) == (1, False)
