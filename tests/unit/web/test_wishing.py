"""The keeper hears of what people ask for by their own channels, each once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drybench.errors import NotTaken, PlaceNotAllowed
from drybench.images.wishes import Wishes
from drybench.model import Person
from drybench.notices.messages import Channel, Message
from drybench.notices.sending import Letter
from drybench.notices.wishing import Wishing
from tests.unit.web.little_bench import LittleBench, little_bench


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Post:
    def __init__(self) -> None:
        self.sent: list[Letter] = []
        self.trouble: Exception | None = None

    async def send(self, letter: Letter) -> None:
        if self.trouble:
            raise self.trouble
        self.sent.append(letter)


class Ways:
    """The keeper's channels, without what seals their addresses."""

    def __init__(self, post: Post, *channels: Channel) -> None:
        self.channels, self.post = channels, post

    def mine(self, person: Person) -> tuple[Channel, ...]:
        return self.channels

    async def send(self, channel: Channel, message: Message) -> None:
        await self.post.send(Letter(channel.kind, channel.id, message))


def channel(id: str, on: str = "failure") -> Channel:
    return Channel(id, "keeper", id, "mail", "", on, datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path)
    yield made
    made.ledger.close()


def parts(bench: LittleBench, *channels: Channel) -> tuple[Clock, Wishes, Post, Wishing]:
    clock, post, ids = Clock(), Post(), iter(f"{number:032x}" for number in range(1000))
    wishes = Wishes(bench.data.environments / "wishes", clock, lambda: next(ids))
    wishing = Wishing(wishes, Ways(post, *channels), bench.person, "http://bench.test", clock)  # type: ignore[arg-type]
    return clock, wishes, post, wishing


async def test_each_channel_once_unless_it_wants_nothing(bench: LittleBench) -> None:
    _, wishes, post, wishing = parts(bench, channel("a"), channel("b"), channel("quiet", "never"))
    wishes.ask(bench.person("bob"), "ilastik\u202e", "to\nsegment")
    for _ in range(3):
        await wishing.look()
    assert [letter.address for letter in post.sent] == ["a", "b"]
    message = post.sent[0].message
    assert message.title == "A program is asked for: ilastik"
    assert message.text == "bob asks for it: to segment\n\nhttp://bench.test/environments#wishes"
    assert json.loads(message.as_json(datetime.now(UTC)))["wish"]["what"] == "ilastik"


async def test_a_channel_in_trouble_is_tried_again_and_in_the_end_left(bench: LittleBench) -> None:
    clock, wishes, post, wishing = parts(bench, channel("a"))
    wish = wishes.ask(bench.person("bob"), "ilastik", "to segment")
    post.trouble = NotTaken(where="The mail server", why="it is away")
    await wishing.look()
    assert wishes.get(wish.id).tries == 1
    await wishing.look()
    assert wishes.get(wish.id).tries == 1, "not before its time"
    clock.now += timedelta(hours=2)
    post.trouble = None
    await wishing.look()
    assert len(post.sent) == 1
    assert wishes.get(wish.id).next_at is None
    other = wishes.ask(bench.person("bob"), "Fiji", "for its plug-ins")
    post.trouble = NotTaken(where="The mail server", why="it is away")
    for _ in range(20):
        clock.now += timedelta(hours=2)
        await wishing.look()
    assert (wishes.get(other.id).tries, wishes.get(other.id).next_at) == (9, None)


async def test_what_can_never_be_sent_is_not_tried_again(bench: LittleBench) -> None:
    _, wishes, post, wishing = parts(bench, channel("a"))
    wish = wishes.ask(bench.person("bob"), "ilastik", "to segment")
    post.trouble = PlaceNotAllowed(host="localhost")
    await wishing.look()
    assert wishes.get(wish.id).next_at is None


def test_a_damaged_wish_hides_no_other_and_the_oldest_go(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, wishes, _, _ = parts(bench)
    (bench.data.environments / "wishes").mkdir()
    (bench.data.environments / "wishes" / "x.json").write_text("{")
    monkeypatch.setattr("drybench.images.wishes.MOST", 3)
    for number in range(5):
        clock.now += timedelta(days=2)
        wishes.ask(bench.person("bob"), str(number), "x")
    assert [wish.what for wish in wishes.every()] == ["4", "3", "2"]
