"""Two people in containers of one bench, one with a name that is no name of an account: neither finds the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.two_people import People, Somebody, come_in, guarded_bench, open_chromium
from tests.integration.notebooks import text_of

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "docker"), pytest.mark.timeout(240, func_only=True)]

ADA = "ada+lab@lab.example"
WHO = """\
import getpass, json, os
from pathlib import Path
Path.home().joinpath("own.txt").write_text("the secret of " + getpass.getuser())
print(json.dumps([os.getuid(), str(Path.home()), Path.home().stat().st_uid, getpass.getuser()]))"""
LOOKS = """\
import os
from pathlib import Path
found = []
for top in ("/home", "/drybench", "/tmp", "/root", "/srv", "/mnt", {data!r}):
    for folder, folders, files in os.walk(top):
        for name in files:
            try:
                found += [os.path.join(folder, name)] if "secret of " + "ada" in Path(folder, name).read_text() else []
            except (OSError, UnicodeError):
                pass
print(found)
print([pid for pid in os.listdir("/proc") if pid.isdecimal() and os.stat(f"/proc/{{pid}}").st_uid == {uid}])
print(os.path.exists({home!r}))"""


@pytest.fixture(scope="module")
def people(shipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("people")
    with guarded_bench(folder, containers=True) as bench, sync_playwright() as playwright:
        chromium = open_chromium(playwright)
        with come_in(chromium, bench, ADA) as ada, come_in(chromium, bench, "bob") as bob:
            yield People(ada, bob, chromium)
        chromium.close()


@pytest.fixture(scope="module")
def ada(people: People) -> list[Any]:
    """Who she is inside: her number, her home, whose that is, and her name there."""
    return json.loads(_printed(people.ada, WHO))


def test_each_is_somebody_of_their_own(people: People, ada: list[Any]) -> None:
    bob = json.loads(_printed(people.bob, WHO))
    for uid, _, owner, _ in (ada, bob):
        assert uid == owner > 0
    assert (ada[0] != bob[0], ada[1] != bob[1]) == (True, True)
    assert (ada[3], bob[3]) == ("ada_lab_lab.example", "bob")


def test_one_finds_nothing_of_the_other(people: People, ada: list[Any]) -> None:
    people.ada.session(environment="base")
    uid, home, *_ = ada
    looks = LOOKS.format(data=str(people.ada.bench.data.path), uid=uid, home=home)
    assert _printed(people.bob, looks).splitlines() == ["[]", "[]", "False"]


def test_their_sessions_are_apart(people: People) -> None:
    sessions = {person: person.session(environment="base") for person in (people.ada, people.bob)}
    assert people.ada.host != people.bob.host
    for person, statuses in ((people.ada, {200}), (people.bob, {403, 404})):
        answer = person.browser.new_page().goto(sessions[people.ada]["url"])
        assert answer is not None
        assert answer.status in statuses


def _printed(person: Somebody, source: str) -> str:
    run = person.run(source, environment="base")
    assert run["outcome"] == "done", run
    return text_of(person.api.get(f"/runs/{run['id']}/notebook").raise_for_status().content)
