from __future__ import annotations

from pathlib import Path

import pytest

from drybench.engines import host_zone

LINKED = "/usr/share/zoneinfo/Europe/Berlin"


@pytest.mark.parametrize(
    ("variable", "localtime", "timezone", "wanted"),
    [
        ("Asia/Tokyo", LINKED, "Etc/UTC\n", "Asia/Tokyo"),
        (":Asia/Tokyo", LINKED, "", "Asia/Tokyo"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", LINKED, "", "CET-1CEST,M3.5.0,M10.5.0/3"),
        (":/usr/share/zoneinfo/Asia/Tokyo", LINKED, "", "Asia/Tokyo"),
        (":/etc/localtime", LINKED, "", "Europe/Berlin"),
        ("", LINKED, "Etc/UTC\n", "Europe/Berlin"),
        ("", "/usr/share/zoneinfo/posix/America/Argentina/Ushuaia", "", "America/Argentina/Ushuaia"),
        ("", "/usr/share/zoneinfo/Etc/GMT+5", "", "Etc/GMT+5"),
        ("", "/var/db/timezone/zoneinfo/UTC", "", "UTC"),
        ("", "/etc/localtime", "Europe/Berlin\n", "Europe/Berlin"),
        ("", "/etc/localtime", "", None),
        ("", "/etc/localtime", "../../etc/passwd\n", None),
        ("", "/etc/localtime", "Europe/Berlin\nLD_PRELOAD=x\n", None),
    ],
)
def test_a_machine_says_its_zone_in_one_of_three_ways(
    variable: str, localtime: str, timezone: str, wanted: str | None
) -> None:
    assert host_zone.name(variable, localtime, timezone) == wanted


def test_it_is_read_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert host_zone.here(tmp_path) is None
    (tmp_path / "timezone").write_text("Europe/Berlin\n")
    assert host_zone.here(tmp_path) == "Europe/Berlin"
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Tokyo")  # also where that file is not there
    assert host_zone.here(tmp_path) == "Asia/Tokyo"
    monkeypatch.setenv("TZ", "UTC")
    assert host_zone.here(tmp_path) == "UTC"
