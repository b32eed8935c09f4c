"""What lies in "To my computer" is offered when it rests, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from drybench_session.desktop import offers as module
from drybench_session.desktop.offers import Offer, Offers
from drybench_session.errors import FileGone
from tests.waiting import eventually

LATER = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "To my computer"
    made.mkdir()
    return made


@pytest.fixture
def offers(tmp_path: Path) -> Offers:
    """A minute after the tests wrote."""
    return Offers(tmp_path, clock=lambda: time.time() + LATER)


def look(offers: Offers) -> dict[str, Offer]:
    """As often as it takes to see that something rests."""
    offers.look()
    return {offer.name: offer for offer in offers.look()}


def test_a_file_that_rests_is_offered_with_its_size(folder: Path, offers: Offers) -> None:
    (folder / "drift.csv").write_text("t,x\n")
    assert offers.look() == []  # only now seen
    assert [(offer.name, offer.size) for offer in offers.look()] == [("drift.csv", 4)]


def test_no_folder_no_offers(offers: Offers) -> None:
    assert look(offers) == {}


def test_one_just_written_waits(folder: Path, tmp_path: Path) -> None:
    (folder / "drift.csv").write_text("t,x\n")
    assert look(Offers(tmp_path)) == {}


def test_one_that_grows_waits(folder: Path, offers: Offers) -> None:
    file = folder / "drift.csv"
    for text in ("t", "t,", "t,x"):
        file.write_text(text)
        assert offers.look() == []
    assert [offer.size for offer in offers.look()] == [3]


def test_one_that_is_open_to_write_waits_however_long(folder: Path, offers: Offers) -> None:
    with (folder / "drift.csv").open("w") as writing:
        writing.write("t,x\n")
        writing.flush()
        assert look(offers) == {}
    assert list(look(offers)) == ["drift.csv"]


@pytest.mark.parametrize("name", [".hidden", "drift.csv.part", "drift.csv~", "x.TMP", ".goutputstream-1"])
def test_what_programs_write_on_the_way_is_not_offered(folder: Path, offers: Offers, name: str) -> None:
    (folder / name).write_text("half")
    assert look(offers) == {}


def test_links_folders_and_pipes_are_not_offered(folder: Path, offers: Offers, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (folder / "link").symlink_to(secret)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    assert look(offers) == {}


def test_the_folder_itself_is_no_link(tmp_path: Path, offers: Offers) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_text("mine")
    (tmp_path / "To my computer").symlink_to(tmp_path / "elsewhere")
    assert look(offers) == {}


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb.csv", "a_b.csv"), ("gpj\u202egnp.exe", "gpj_gnp.exe"), (b"\xff.csv", "_.csv"), ("-rf", "_rf")],
)
def test_a_hostile_name_is_shown_safely_and_can_be_had(
    folder: Path, offers: Offers, name: str | bytes, shown: str
) -> None:
    (folder / os.fsdecode(name)).write_text("t,x\n")
    offer = look(offers)[shown]
    found, file = offers.open(offer.id)
    with file:
        assert (found, file.read()) == (offer, b"t,x\n")


def test_what_changed_since_is_another_offer(folder: Path, offers: Offers) -> None:
    (folder / "drift.csv").write_text("t,x\n")
    before = look(offers)["drift.csv"]
    (folder / "drift.csv").write_text("t,x\n0,1\n")
    assert look(offers)["drift.csv"].id != before.id
    with pytest.raises(FileGone):
        offers.open(before.id)


def test_a_link_put_in_its_place_is_not_followed(folder: Path, offers: Offers, tmp_path: Path) -> None:
    (folder / "drift.csv").write_text("t,x\n")
    offer = look(offers)["drift.csv"]
    (folder / "drift.csv").rename(tmp_path / "moved")
    (folder / "drift.csv").symlink_to(tmp_path / "moved")
    with pytest.raises(FileGone):
        offers.open(offer.id)


def test_only_so_many(folder: Path, offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(5):
        (folder / f"{number}.csv").write_text("t")
    assert len(look(offers)) == 3


async def test_each_is_told_once(folder: Path, offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    told: list[dict[str, object]] = []

    async def say(event: dict[str, object]) -> None:
        told.append(event)

    watching = asyncio.create_task(offers.watch(say))
    (folder / "drift.csv").write_text("t,x\n")
    await eventually(lambda: told)
    (folder / "more.csv").write_text("t")
    await eventually(lambda: len(told) > 1)
    watching.cancel()
    assert [(event["event"], event["name"], event["size"]) for event in told] == [
        ("file", "drift.csv", 4),
        ("file", "more.csv", 1),
    ]
