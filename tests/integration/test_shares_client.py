"""Shared desktops by the Python client and by the command line, against the real API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench.model import Session
from drybench.sharing.teaching import Teaching
from drybench_client import Bench, errors
from drybench_client.cli import call
from tests.browser.serving import served
from tests.integration.shared_screens import running
from tests.unit.web.little_bench import ADA, BOB, LittleBench


@pytest.fixture
def here(tmp_path: Path) -> Iterator[LittleBench]:
    with served(tmp_path, own_host_names=True) as made:
        made.person("bob")
        yield made


@pytest.fixture
def session(here: LittleBench) -> Session:
    return running(here, 1)


def test_it_is_shared_found_and_ended(here: LittleBench, session: Session) -> None:
    with Bench(here.public, ADA) as adas, Bench(here.public, BOB) as bobs:
        share = adas.share("lab", person="bob", control=True, length="today")
        assert (share["session"], share["with_name"], share["control"]) == (session.id, "bob", True)
        assert [one["url"] for one in bobs.shares("others")] == [share["url"]]
        assert list(bobs.shares()) == []
        with pytest.raises(errors.NotFound):
            bobs.unshare(share["id"])
        adas.unshare(share["id"][-8:])
        assert list(adas.shares()) == []
        with pytest.raises(errors.NotFound, match="You share nothing as"):
            adas.unshare("x")
        adas.share(session.id, person="bob")
        adas.unshare_session("lab")
        assert list(bobs.shares("others")) == []
        with pytest.raises(errors.Refused, match="Nobody named"):
            adas.share("lab", person="bobb")


def test_a_teacher_sees_what_is_shown_to_them(
    here: LittleBench, session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.portal.shares.teaching = Teaching({"lab": ["bob"]})
    monkeypatch.setenv("DRYBENCH_TOKEN", ADA)
    assert call(["share", "lab", "--with-teachers", "lab", "--bench", here.public]) == 0
    with Bench(here.public, BOB) as bobs:
        assert [one["with_kind"] for one in bobs.wall("lab")] == ["teachers"]
        with pytest.raises(errors.NotFound):
            list(bobs.wall("an/other"))
    monkeypatch.setenv("DRYBENCH_TOKEN", BOB)
    assert call(["shares", "--wall", "lab", "--bench", here.public]) == 0
    assert f"{here.public}/shared/" in capsys.readouterr().out


def test_the_command_line_says_it_all(
    here: LittleBench, session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYBENCH_TOKEN", ADA)
    bench = ("--bench", here.public)
    assert call(["shares", *bench]) == 0
    assert "You share nothing" in capsys.readouterr().out
    assert call(["share", "lab", "--with", "bob", "--control", "--for", "2h", *bench]) == 0
    said = capsys.readouterr().out
    assert "bob may work in lab until" in said
    assert f"{here.public}/shared/" in said
    assert call(["shares", *bench]) == 0
    assert "control" in capsys.readouterr().out
    monkeypatch.setenv("DRYBENCH_TOKEN", BOB)
    assert call(["shares", "--others", *bench]) == 0
    assert "desktop" in capsys.readouterr().out
    monkeypatch.setenv("DRYBENCH_TOKEN", ADA)
    assert call(["shares", "--json", *bench]) == 0
    [share] = json.loads(capsys.readouterr().out)["items"]
    assert call(["unshare", share["id"][-8:], *bench]) == 0
    assert call(["share", "lab", "--with-group", "lab", *bench]) == 0
    assert call(["unshare", "lab", *bench]) == 0
    assert call(["share", "lab", "--with", "nobody", *bench]) == 2
    assert "Nobody named “nobody” can sign in here." in capsys.readouterr().err
