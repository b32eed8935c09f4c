"""A guest at a shared desktop, over real WebSockets: who gets in, what goes on, and how every end cuts it off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from drybench.phases import Outcome, Phase
from drybench.sharing import rules
from drybench.sharing.rules import Share
from drybench.web import shared_stream
from drybench.web.relaying import CUT, MOST_IN_A_FRAME, NO_VIEWER, SCREEN_ENDED, SHARE_ENDED
from tests.integration.shared_screens import (
    ALONE,
    GREETING,
    KEY,
    LOOK,
    POINTER,
    SECURITY,
    VERSION,
    SharedBench,
    closed_with,
    html,
    redirect,
    shared_bench,
)
from tests.unit.web.little_bench import ADA, FROM_SESSION, Identified, permissions
from tests.waiting import eventually

CARL = "token-of-carl"


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[SharedBench]:
    async with shared_bench(tmp_path) as made:
        made.bench.tokens.known[CARL] = Identified("carl", frozenset({"course"}), frozenset({permissions.ALL}))
        yield made


async def refused(shared: SharedBench, *said: Any, **headers: Any) -> int:
    with pytest.raises(InvalidStatus) as answer:
        await shared.guest(*said, **headers)
    return answer.value.response.status_code


async def test_the_picture_comes_and_the_key_is_shown_to_the_session_alone(shared: SharedBench) -> None:
    share = await shared.share()
    async with shared.guest(share) as guest:
        await guest.send(GREETING)
        await eventually(lambda: shared.fake.got)
        await shared.fake.says(b"a picture")
        assert await guest.recv() == b"a picture"
        [came] = shared.fake.came
        key = rules.guest_key("a secret of this bench", shared.session.task.id)
        assert came.headers["X-Drybench-Guest"] == key
        assert came.headers["X-Drybench-Guest-Name"] == "bob"
        assert came.path == "/user/ada/lab/drybench/screens/desktop/stream?mode=watch&taken=ask"
        assert "cookie" not in came.headers  # nothing of the guest's sign-in
        assert key not in str(guest.response)


async def test_who_only_looks_types_nothing(shared: SharedBench) -> None:
    async with shared.guest(await shared.share()) as guest:
        await guest.send(GREETING + KEY + POINTER + LOOK)
        for byte in KEY + POINTER + LOOK:  # however it is cut
            await guest.send(bytes([byte]))
        await guest.send('{"do": "type"}')
        await eventually(lambda: shared.fake.got.count(LOOK) == 2)
        assert KEY not in shared.fake.got
        assert POINTER not in shared.fake.got


async def test_who_may_work_in_it_types(shared: SharedBench) -> None:
    async with shared.guest(await shared.share(control=True)) as guest:
        await guest.send(GREETING + KEY + POINTER)
        await eventually(lambda: shared.fake.got.endswith(KEY + POINTER))
        assert "mode=control" in shared.fake.came[0].path


@pytest.mark.parametrize("control", [False, True])
async def test_nobody_has_the_screen_alone(shared: SharedBench, control: bool) -> None:
    async with shared.guest(await shared.share(control=control)) as guest:
        await guest.send(VERSION + SECURITY + ALONE)
        await eventually(lambda: shared.fake.got.startswith(GREETING))


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n", GREETING + b"\x63", GREETING + b"\xff\x09" + bytes(30)])
async def test_what_is_no_viewers_ends_it(shared: SharedBench, sent: bytes) -> None:
    async with shared.guest(await shared.share(control=True)) as guest:
        await guest.send(sent)
        assert await closed_with(guest) == NO_VIEWER


async def test_only_those_whom_it_is_for_get_in(shared: SharedBench) -> None:
    share = await shared.share()
    assert await refused(shared, share, CARL) == 404
    assert await refused(shared, share, None) == 401
    assert await refused(shared, share, FROM_SESSION) == 403  # what a session could do in its person's name
    async with shared.guest(share, ADA) as owner:
        assert await closed_with(owner) == SHARE_ENDED
    assert shared.fake.came == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": "http://ada.localhost:1"},
        {"origin": "null"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
async def test_only_a_page_of_the_bench_opens_it(shared: SharedBench, headers: dict[str, Any]) -> None:
    share = await shared.share()
    assert await refused(shared, share, **headers) == 403
    assert shared.fake.came == []


async def test_a_token_opens_no_stream(shared: SharedBench) -> None:
    """Programs have no business with pictures, and what a session holds is a token."""
    assert await refused(shared, await shared.share(), None, authorization=f"token {CARL}") == 401


async def test_a_group_gets_in_as_long_as_one_is_in_it(shared: SharedBench) -> None:
    known = shared.bench.tokens.known
    share = await shared.share(person="", group="course")
    async with shared.guest(share, CARL) as guest:
        await guest.send(GREETING)
        await eventually(lambda: shared.fake.got)
        known[CARL] = Identified("carl", frozenset(), frozenset({permissions.ALL}))
        assert await closed_with(guest) == SHARE_ENDED
    assert await refused(shared, share, CARL) == 404


async def test_its_owner_ends_it(shared: SharedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_stream, "ASKED_AGAIN", 600.0)  # by word of it, not by looking again
    share = await shared.share()
    async with shared.guest(share) as guest:
        await eventually(lambda: shared.fake.open)
        await asyncio.to_thread(shared.bench.portal.shares.end, shared.owner, share.share.id)
        assert await closed_with(guest) == SHARE_ENDED
    assert not shared.bench.portal.shares.guests.of_share(share.share.id)
    async with shared.guest(share) as late:
        assert await closed_with(late) == SHARE_ENDED


async def test_its_time_is_over(shared: SharedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen again when the time has come, though nobody says anything."""
    share = await shared.share()
    async with shared.guest(share) as guest:
        await eventually(lambda: shared.fake.open)
        monkeypatch.setattr(Share, "is_over", lambda share, now: True)
        assert await closed_with(guest) == SHARE_ENDED


async def test_the_look_comes_when_the_time_is_over(shared: SharedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_stream, "ASKED_AGAIN", 600.0)
    monkeypatch.setattr(rules, "SHORTEST", timedelta(0))
    async with shared.guest(await shared.share(length="1 s")) as guest:
        assert await closed_with(guest) == SHARE_ENDED


async def test_the_session_is_stopped(shared: SharedBench) -> None:
    async with shared.guest(await shared.share()) as guest:
        await eventually(lambda: shared.fake.open)
        await asyncio.to_thread(shared.bench.portal.sessions.stop, shared.owner, shared.session.id)
        assert await closed_with(guest) == SHARE_ENDED


@pytest.mark.parametrize("who", ["ada", "bob"])
async def test_one_of_them_is_deleted(shared: SharedBench, who: str) -> None:
    """The Hub deletes the tokens of whom it deletes."""
    async with shared.guest(await shared.share()) as guest:
        await eventually(lambda: shared.fake.open)
        if who == "bob":
            shared.bench.tokens.known.pop("token-of-bob")
        else:
            await asyncio.to_thread(shared.bench.ledger.person_gone, "ada")
        assert await closed_with(guest) == SHARE_ENDED


async def test_with_less_rights_they_come_again(shared: SharedBench) -> None:
    share = await shared.share(control=True)
    async with shared.guest(share) as guest:
        await eventually(lambda: shared.fake.open)
        again = await shared.share(control=False)
        assert again.share.id == share.share.id
        assert await closed_with(guest) == CUT
    async with shared.guest(again) as guest:
        await guest.send(GREETING + KEY + LOOK)
        await eventually(lambda: LOOK in shared.fake.got)
        assert KEY not in shared.fake.got


async def test_the_owner_sees_who_is_there_and_it_is_written_down(shared: SharedBench) -> None:
    share = await shared.share()
    with shared.bench.portal.changes.listen() as told:
        async with shared.guest(share):
            await eventually(lambda: shared.bench.portal.shares.guests.of_share(share.share.id))
            [seen] = shared.bench.portal.shares.of_session(shared.owner, shared.session.id)
            assert [guest.name for guest in seen.watching] == ["bob"]
            assert (await told.get()).person_id == shared.owner.id  # type: ignore[union-attr]
        await eventually(lambda: not shared.bench.portal.shares.guests.of_share(share.share.id))
    ledger = shared.bench.ledger
    await eventually(lambda: len([one for one in ledger.deeds().rows if one.subject == share.share.id]) == 3)
    assert [(one.person, one.deed) for one in ledger.deeds().rows if one.subject == share.share.id] == [
        ("bob", "no longer sees desktop of ada"),
        ("bob", "came to see desktop of ada"),
        ("ada", "shared, to see, with bob"),
    ]


@pytest.mark.parametrize(
    ("said", "goes_on"),
    [
        ({"event": "screen", "state": "ended", "cause": "logged-out", "more": "<b>"},
         {"event": "screen", "state": "ended", "cause": "logged-out"}),
        ({"event": "screen", "state": "running", "cause": {"a": 1}},
         {"event": "screen", "state": "running", "cause": None}),
        ({"event": "screen", "state": "not yet"}, {"event": "screen", "state": "not yet", "cause": None}),
        ({"event": "mode", "mode": "watch", "more": 1}, {"event": "mode", "mode": "watch"}),
        ({"event": "viewers", "viewers": [{"name": "a\u202eb" + "x" * 999, "mode": "watch"}, {"name": 1}, "x", None]},
         {"event": "viewers", "viewers": [{"name": "ab" + "x" * 98, "mode": "watch"}]}),
    ],
)  # fmt: skip
async def test_of_events_what_is_known_goes_on(shared: SharedBench, said: Any, goes_on: Any) -> None:
    async with shared.guest(await shared.share()) as guest:
        await eventually(lambda: shared.fake.open)
        await shared.fake.says(json.dumps(said))
        assert json.loads(await guest.recv()) == goes_on


NONSENSE: list[str] = [
    "",
    "[" * 100_000,
    "null",
    "[]",
    '{"event": "file", "id": "1", "name": "secret.csv", "size": 1}',
    '{"event": "copied", "kind": "image"}',
    '{"event": "screen", "state": "<script>"}',
    '{"event": "screen", "state": ["running"]}',
    '{"event": "viewers", "viewers": "all"}',
    '{"event": "mode", "mode": "owner"}',
    '{"event": "go", "to": "https://evil.example"}',
    "x" * 1_000_000,
]


async def test_of_nonsense_nothing_does(shared: SharedBench) -> None:
    async with shared.guest(await shared.share()) as guest:
        await eventually(lambda: shared.fake.open)
        for said in NONSENSE:
            await shared.fake.says(said)
        await shared.fake.says(b"a picture")
        assert await guest.recv() == b"a picture"


async def test_a_huge_frame_ends_it(shared: SharedBench) -> None:
    async with shared.guest(await shared.share()) as guest:
        await eventually(lambda: shared.fake.open)
        await shared.fake.says(bytes(MOST_IN_A_FRAME + 1))
        assert await closed_with(guest) == CUT


@pytest.mark.parametrize("answer", ["redirect", "back", "html"])
async def test_a_session_that_answers_otherwise_leads_nowhere(shared: SharedBench, answer: str, tmp_path: Path) -> None:
    """Its key, which is for this session alone, is carried nowhere; and no cookie comes to the guest."""
    async with shared_bench(tmp_path / "other") as other:
        to = {"redirect": f"ws://127.0.0.1:{other.fake.port}/", "back": f"{shared.bench.public}/api/v1/me"}
        shared.fake.refuses = lambda *_: html() if answer == "html" else redirect(to[answer])
        async with shared.guest(await shared.share()) as guest:
            assert await closed_with(guest) == shared_stream.SILENT
            assert guest.response is not None
            assert "set-cookie" not in guest.response.headers
        assert other.fake.came == []
        assert len(shared.fake.came) == 1


async def test_not_without_end_at_once(shared: SharedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_stream, "MOST_GUESTS", 1)
    share = await shared.share()
    async with shared.guest(share):
        await eventually(lambda: shared.bench.portal.shares.guests.of_share(share.share.id))
        async with shared.guest(share) as second:
            assert await closed_with(second) == shared_stream.SILENT


async def test_a_session_that_is_not_there(shared: SharedBench) -> None:
    shared.bench.ledger.write_task(shared.session.task.id, {"address": "http://127.0.0.1:1"})
    async with shared.guest(await shared.share()) as guest:
        assert await closed_with(guest) == shared_stream.SILENT


async def test_a_screen_that_has_ended_says_so_and_nothing_else_does(shared: SharedBench) -> None:
    for code, expected in ((4003, SCREEN_ENDED), (4004, CUT), (1000, CUT), (3999, CUT)):
        async with shared.guest(await shared.share()) as guest:
            await eventually(lambda: shared.fake.open)
            await shared.fake.open.pop().close(code)
            assert await closed_with(guest) == expected


async def test_a_guest_that_reads_nothing_makes_the_session_wait(shared: SharedBench) -> None:
    """Whatever it sends: the portal holds a few frames and no more."""
    sent = 0

    async def flood(connection: Any) -> None:
        nonlocal sent
        try:
            while True:
                await connection.send(bytes(1 << 20))
                sent += 1
        except ConnectionClosed:
            pass

    shared.fake.speaks = flood
    async with shared.guest(await shared.share()) as guest:
        guest.transport.pause_reading()
        await _stands_still(lambda: sent)
        assert sent < 100
        guest.transport.resume_reading()
        assert len(await guest.recv()) == 1 << 20


async def _stands_still(count: Any) -> None:
    """For so long that it would have been seen moving."""
    before = -1
    while before != (before := count()) or not before:
        await asyncio.sleep(1)


async def test_it_outlives_a_hub_that_is_away(shared: SharedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    from drybench.errors import HubAway

    async with shared.guest(await shared.share()) as guest:
        await eventually(lambda: shared.fake.open)
        asked = 0

        async def away(token: str, fresh: bool = False) -> None:
            nonlocal asked
            asked += 1
            raise HubAway()

        monkeypatch.setattr(shared.bench.tokens, "of_token", away)
        await eventually(lambda: asked > 1)
        await shared.fake.says(b"a picture")
        assert await guest.recv() == b"a picture"


async def test_a_new_attempt_is_another_task_with_another_key(shared: SharedBench) -> None:
    share, bench = await shared.share(), shared.bench
    bench.move(shared.session, Phase.ENDED, Outcome.STOPPED)
    async with shared.guest(share) as guest:
        assert await closed_with(guest) == SHARE_ENDED
    again = await asyncio.to_thread(bench.portal.sessions.start, shared.owner, shared.session.id)
    bench.move(again, Phase.RUNNING, address=f"http://127.0.0.1:{shared.fake.port}", answers=True)
    async with shared.guest(share):
        await eventually(lambda: shared.fake.came)
        key = rules.guest_key("a secret of this bench", again.task.id)
        assert shared.fake.came[-1].headers["X-Drybench-Guest"] == key
