"""Of what a page says about a desktop's quality only numbers in their bounds are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drybench_session.desktop import trace
from drybench_session.desktop.trace import Trace
from drybench_session.errors import AskWrong

AT = datetime(2026, 11, 21, 22, 50, tzinfo=UTC)
GOOD = {
    "seconds": 60, "round_trip_p50": 14.25, "round_trip_p95": 31, "frames": 24.96, "bytes": 1_250_000,
    "reconnects": 1, "width": 1280, "height": 800, "quality": "auto", "end": False,
}  # fmt: skip


def kept(sent: object) -> dict[str, object]:
    return json.loads(trace.line(json.dumps(sent).encode(), "desktop", AT))


def test_a_good_line_is_kept() -> None:
    assert kept(GOOD) == {
        "format": 1, "at": "2026-11-21T22:50:00Z", "app": "desktop", **GOOD, "round_trip_p50": 14.2, "frames": 25.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "value", ["<script>", None, True, -1, 10**400, 1e300, [1], {"a": 1}, float("nan"), float("inf"), "14"]
)
def test_what_is_no_number_in_its_bounds_is_left_out(value: object) -> None:
    assert kept({**GOOD, "round_trip_p50": value}) == {k: v for k, v in kept(GOOD).items() if k != "round_trip_p50"}


def test_nothing_else_is_kept() -> None:
    told = kept({"quality": "<b>", "end": "yes", "name": "ada", "app": "lab", "format": 9, "at": "never"})
    assert told == {"format": 1, "at": "2026-11-21T22:50:00Z", "app": "desktop", "end": False}


@pytest.mark.parametrize(
    "sent",
    [b"", b"[]", b"1", b"{", b"\xff", b"[" * 4000, b'{"seconds": ' + b"9" * 9000],
)
def test_what_cannot_be_read_is_refused(sent: bytes) -> None:
    with pytest.raises(AskWrong):
        trace.line(sent, "desktop", AT)


def test_the_file_is_ours_alone_and_its_older_half_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "LARGEST", 4000)
    book = Trace(tmp_path, clock=lambda: AT)
    for number in range(100):
        book.add("desktop", json.dumps({"reconnects": number}).encode())
        assert (tmp_path / "desktop.jsonl").stat().st_size <= 4200
    lines = [json.loads(line) for line in (tmp_path / "desktop.jsonl").read_text().splitlines()]
    numbers = [line["reconnects"] for line in lines]
    assert numbers == list(range(numbers[0], 100))
    assert len(numbers) > 15
    assert (tmp_path / "desktop.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "desktop.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Trace(tmp_path).add("desktop", b"{}")
    assert (tmp_path / "elsewhere").read_text() == "mine"
