"""What happens to a message: written down with the run's end, sent, tried again, given up, never twice by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from drybench.errors import ChannelWrong, NoSuchChannel, NotTaken, PlaceNotAllowed, TooManyChannels
from drybench.model import Run, Tell
from drybench.notices.channels import ChannelRequest
from drybench.notices.messages import MOST_TRIES, Channel, Notice, On, pause
from drybench.notices.sending import Letter, Sending
from drybench.phases import Outcome, Phase, Reason
from drybench.progressing import Progressing
from drybench.runs.requests import RunRequest
from drybench.schedules.asking import ScheduleRequest
from drybench.tables import sweeps
from tests.ledger import Clock, a_task
from tests.unit.web import little_bench as little
from tests.unit.web.little_bench import LittleBench, little_bench, without_environments
from tests.waiting import eventually

URL = "https://hooks.example/key-of-ada"


class Posted:
    """What was handed to the way out, and what it answers."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuses: Exception | None = None
        self.refuses_at: str | None = None

    @property
    def titles(self) -> list[str]:
        return [letter.message.title for letter in self.letters]

    async def send(self, letter: Letter) -> None:
        if self.refuses and self.refuses_at in (None, letter.address):
            raise self.refuses
        self.letters.append(letter)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(little, "now", clock)
    return clock


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> Posted:
    """The ways out themselves are in test_sending.py."""
    posted = Posted()

    async def send(sending: Sending, letter: Letter) -> None:
        await posted.send(letter)

    async def check(sending: Sending, kind: str, address: str) -> None: ...

    monkeypatch.setattr(Sending, "send", send)
    monkeypatch.setattr(Sending, "check", check)
    return posted


@pytest.fixture
async def bench(tmp_path: Path, clock: Clock) -> AsyncIterator[LittleBench]:
    made = little_bench(tmp_path, mail={"server": "mail.example", "sender": "bench@lab.example"})
    yield made
    made.ledger.close()


async def channel(
    bench: LittleBench, on: On = "both", name: str = "mine", person: str = "ada", url: str = URL
) -> Channel:
    request = ChannelRequest("webhook", url, name, on)
    return (await bench.portal.channels.add(bench.person(person), request)).channel


def ended(bench: LittleBench, outcome: Outcome = Outcome.DONE, **asked: Any) -> Run:
    """A run that has ended and is settled, as the loop does it."""
    run = bench.run(**asked)
    reason = {"reason": Reason.CELL_ERROR} if outcome is Outcome.FAILED else {}
    bench.move(run, Phase.ENDED, outcome, **reason)
    return settle(bench, run)


def settle(bench: LittleBench, run: Run) -> Run:
    seen = bench.ledger.run(run.id)
    assert seen
    bench.ledger.settle(seen, None, None, bench.told.run_ended)
    return seen


def notices(bench: LittleBench, run: Run) -> list[Notice]:
    return list(bench.portal.channels.of_run(run))


async def look(bench: LittleBench, times: int = 1) -> float:
    patience = 0.0
    for _ in range(times):
        patience = await bench.told.telling.look()
    return patience


@pytest.mark.parametrize(
    ("on", "outcome", "told"),
    [
        ("failure", Outcome.FAILED, True),
        ("failure", Outcome.LOST, True),
        ("failure", Outcome.DONE, False),
        ("success", Outcome.DONE, True),
        ("success", Outcome.FAILED, False),
        ("both", Outcome.DONE, True),
        ("both", Outcome.STOPPED, False),
        ("never", Outcome.FAILED, False),
    ],
)
async def test_as_usual(bench: LittleBench, posted: Posted, on: On, outcome: Outcome, told: bool) -> None:
    await channel(bench, on)
    ended(bench, outcome)
    await look(bench, 2)
    assert len(posted.letters) == told


async def test_a_run_says_otherwise(bench: LittleBench, posted: Posted) -> None:
    first, second = await channel(bench, "never"), await channel(bench, "both", "other", url=URL + "2")
    ended(bench, tell=Tell("both", (first.id,)))
    ended(bench, tell=Tell("never"))
    ended(bench, tell=Tell("failure"))
    await look(bench, 3)
    assert [letter.address for letter in posted.letters] == [URL]
    ended(bench, tell=Tell("success"))
    await look(bench, 3)
    assert {letter.address for letter in posted.letters} == {URL, URL + "2"}
    assert second.on == "both"


async def test_nobody_hears_of_others(bench: LittleBench, posted: Posted) -> None:
    bobs = await channel(bench, person="bob")
    ended(bench)
    ended(bench, tell=Tell("both", (bobs.id,)))
    await look(bench)
    assert posted.letters == []
    for deed in (bench.portal.channels.get, bench.portal.channels.remove):
        with pytest.raises(NoSuchChannel):
            deed(bench.person(), bobs.id)
    with pytest.raises(NoSuchChannel):
        await bench.portal.channels.test(bench.person(), bobs.id)


async def test_what_it_says(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    run = ended(bench, Outcome.FAILED, name="wing-disc")
    await look(bench)
    [letter] = posted.letters
    assert letter.message.title == "Failed: wing-disc"
    assert letter.message.text.endswith(f"{bench.public}/runs/{run.id}")
    told = letter.message.facts["run"]
    assert (told["id"], told["name"], told["outcome"], told["reason"]) == (run.id, "wing-disc", "failed", "cell_error")
    assert told["sentence"]
    assert letter.secret


async def test_a_failing_notice_is_tried_again_after_growing_pauses_and_shows(
    bench: LittleBench, clock: Clock, posted: Posted
) -> None:
    made, posted.refuses = await channel(bench), NotTaken(where="The webhook", why="it answered HTTP 500")
    run = ended(bench)
    await look(bench)
    for tries in range(1, MOST_TRIES):
        [notice] = notices(bench, run)
        assert (notice.state, notice.tries) == ("waiting", tries)
        assert notice.next_at == clock() + pause(tries)
        assert notice.said == "The webhook did not take the message: it answered HTTP 500."
        assert bench.portal.channels.get(bench.person(), made.id).last_problem == notice.said
        clock.time = notice.next_at - timedelta(seconds=1)
        await look(bench)
        assert notices(bench, run)[0].tries == tries
        clock.time = notice.next_at
        await look(bench)
    [notice] = notices(bench, run)
    assert (notice.state, notice.tries) == ("failed", MOST_TRIES)
    seen = bench.ledger.run(run.id)
    assert seen
    assert seen.task.outcome is Outcome.DONE
    clock.pass_by(days=30)
    assert await look(bench) == 15


async def test_it_gets_through_in_the_end_and_once(bench: LittleBench, clock: Clock, posted: Posted) -> None:
    made, posted.refuses = await channel(bench), NotTaken(where="The webhook", why="it did not answer in time")
    run = ended(bench)
    await look(bench)
    posted.refuses = None
    clock.pass_by(minutes=1)
    await look(bench, 3)
    assert len(posted.letters) == 1
    [notice] = notices(bench, run)
    assert (notice.state, notice.said, notice.sent_at) == ("sent", "", clock())
    assert bench.portal.channels.get(bench.person(), made.id).last_problem == ""


async def test_what_is_refused_for_good_is_not_tried_again(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    posted.refuses = PlaceNotAllowed(host="10.0.0.1")
    run = ended(bench)
    await look(bench)
    assert [(one.state, one.tries) for one in notices(bench, run)] == [("failed", 1)]


async def test_what_nobody_foresaw_fails_no_run_and_tells_no_secret(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    posted.refuses = RuntimeError(f"cannot send to {URL}")
    run = ended(bench)
    await look(bench)
    [notice] = notices(bench, run)
    assert notice.state == "waiting"
    assert URL not in notice.said


async def test_a_channel_in_trouble_keeps_no_other_waiting(bench: LittleBench, clock: Clock, posted: Posted) -> None:
    await channel(bench, name="broken", url="https://broken.example/")
    await channel(bench, name="fine", person="bob")
    posted.refuses, posted.refuses_at = NotTaken(where="It", why="it is away"), "https://broken.example/"
    broken = [ended(bench) for _ in range(5)]
    fine = [ended(bench, person="bob") for _ in range(3)]
    await look(bench, 4)
    assert {notices(bench, run)[0].state for run in fine} == {"sent"}
    assert sorted(notices(bench, run)[0].tries for run in broken) == [0, 0, 0, 0, 1]
    later = ended(bench)
    assert notices(bench, later)[0].next_at == clock() + pause(1)


async def test_killed_between_sending_and_writing_down_it_comes_once_more_with_the_same_id(
    bench: LittleBench, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    await channel(bench)
    ended(bench)

    class Killed(BaseException): ...

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bench.told.notices, "sent", killed)
        with pytest.raises(Killed):
            await look(bench)
    await look(bench, 2)
    assert len(posted.letters) == 2
    assert len({letter.message.id for letter in posted.letters}) == 1


async def test_a_run_that_is_settled_twice_is_told_of_once(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    run = ended(bench)
    settle(bench, run)
    await look(bench, 3)
    assert len(posted.letters) == 1


async def held(bench: LittleBench, run: Run) -> None:
    """As its journal says, read by a loop that has just begun."""
    (bench.portal.run_folders.path(run.id) / str(run.attempt) / "made").mkdir(parents=True, exist_ok=True)
    until = (little.now() + timedelta(minutes=30)).isoformat()
    bench.journal(run, {"event": "cell", "n": 3, "of": 7}, {"event": "held", "until": until, "index": 4})
    progressing = Progressing(bench.ledger, bench.portal.run_folders, bench.portal.changes)
    progressing.when_held(bench.told.run_held)
    await progressing.read(bench.ledger.open_tasks())


async def fails_and_is_held(bench: LittleBench, **asked: Any) -> Run:
    run = bench.run(**asked)
    bench.move(run, Phase.RUNNING)
    await held(bench, run)
    return run


async def test_who_hears_of_failures_hears_at_once_that_the_kernel_is_kept(bench: LittleBench, posted: Posted) -> None:
    await channel(bench, "failure")
    run = await fails_and_is_held(bench, name="wing-disc")
    await look(bench)
    [letter] = posted.letters
    assert letter.message.title == "Failed: wing-disc"
    assert "Cell 3 of 7 failed, and its kernel is kept until 2026-01-01 12:30 UTC." in letter.message.text
    told = letter.message.facts["run"]
    assert (told["outcome"], told["held_until"]) == (None, "2026-01-01T12:30:00Z")
    await held(bench, run)  # a later cell failed too, or the portal was started anew
    bench.move(run, Phase.ENDED, Outcome.FAILED, reason=Reason.CELL_ERROR)
    settle(bench, run)
    await look(bench, 3)
    assert len(posted.letters) == 1


@pytest.mark.parametrize(
    ("on", "told"), [("both", ["Failed", "Done"]), ("success", ["Done"]), ("failure", ["Failed"]), ("never", [])]
)
async def test_mended_by_hand_it_is_told_of_as_done(
    bench: LittleBench, posted: Posted, on: On, told: list[str]
) -> None:
    await channel(bench, on)
    run = await fails_and_is_held(bench)
    await look(bench)
    bench.move(run, Phase.ENDED, Outcome.DONE)
    settle(bench, run)
    await look(bench, 3)
    assert posted.titles == [f"{word}: notebook" for word in told]


async def test_what_was_kept_and_is_tried_again_is_told_of_anew(bench: LittleBench, posted: Posted) -> None:
    await channel(bench, "failure")
    run = await fails_and_is_held(bench)
    await look(bench)
    bench.move(run, Phase.ENDED, Outcome.FAILED, reason=Reason.CELL_ERROR)
    settle(bench, run)
    again = bench.ledger.add_attempt(run, a_task(bench.person()))
    bench.move(replace(run, attempt=2, task=again), Phase.RUNNING)
    await held(bench, replace(run, attempt=2))
    await look(bench, 2)
    assert posted.titles == ["Failed: notebook"] * 2


async def test_mended_before_it_could_be_sent_only_the_end_is_told(
    bench: LittleBench, posted: Posted, clock: Clock
) -> None:
    await channel(bench)
    posted.refuses = NotTaken(where="The webhook", why="it did not answer in time")
    run = await fails_and_is_held(bench)
    await look(bench)
    bench.move(run, Phase.ENDED, Outcome.DONE)
    settle(bench, run)
    posted.refuses = None
    clock.pass_by(hours=1)
    await look(bench, 3)
    assert posted.titles == ["Done: notebook"]


async def test_of_the_kernels_of_a_sweep_nobody_is_told(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    add_sweep(bench, "6" * 32, planned=2)
    await fails_and_is_held(bench, sweep_id="6" * 32, place=0)
    await look(bench)
    assert posted.letters == []


async def test_of_a_sweep_one_message_tells_when_its_last_run_has_ended(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    sweep = "5" * 32
    add_sweep(bench, sweep, planned=3)
    made = [bench.run(name=f"part{place}", sweep_id=sweep, place=place) for place in range(3)]
    for run, outcome in zip(made, (Outcome.DONE, Outcome.FAILED, Outcome.DONE), strict=True):
        assert posted.letters == []
        bench.move(run, Phase.ENDED, outcome, **({"reason": Reason.CELL_ERROR} if outcome is Outcome.FAILED else {}))
        settle(bench, run)
        await look(bench)
    [letter] = posted.letters
    assert letter.message.title.startswith("Failed in part: ")
    assert letter.message.text == f"Of its runs: 2 done, 1 failed.\n\n{bench.public}/sweeps/{sweep}"
    assert letter.message.facts["sweep"]["failed"] == 1


def add_sweep(bench: LittleBench, id: str, planned: int) -> None:
    row = {"id": id, "person_id": bench.person().id, "name": "many", "environment": "python", "size": "default"}
    more = {"notebook_name": "a.ipynb", "axes": [], "planned": planned, "laid": planned, "wanted": "run", "hashes": {}}
    with bench.ledger.writing() as connection:
        connection.execute(insert(sweeps).values(**row, **more, created_at=little.now()))


async def test_a_time_that_brought_no_run_is_told_too(bench: LittleBench, posted: Posted, clock: Clock) -> None:
    await channel(bench, "failure")
    run = RunRequest(little.notebook("1"), "nightly.ipynb")
    bench.portal.schedules.ask(bench.person(), ScheduleRequest(run, "0 * * * *"))
    without_environments(bench)
    clock.pass_by(hours=1)
    bench.told.scheduling.look()
    await look(bench)
    assert posted.titles == ["Not run: nightly"]
    assert "There is no environment" in posted.letters[0].message.text


async def test_removed_it_gets_nothing_more_and_its_address_is_gone(bench: LittleBench, posted: Posted) -> None:
    made, desk = await channel(bench), bench.portal.channels
    run = ended(bench)
    desk.remove(bench.person(), made.id)
    await look(bench)
    assert posted.letters == []
    assert [(one.state, one.channel.sealed) for one in notices(bench, run)] == [("failed", "")]
    assert desk.mine(bench.person()) == []


async def test_nothing_goes_to_who_is_gone(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    ended(bench)
    bench.ledger.person_gone("ada")
    assert await look(bench) == 15
    assert posted.letters == []


async def test_an_address_lies_nowhere_as_it_is(bench: LittleBench, posted: Posted) -> None:
    made = await bench.portal.channels.add(bench.person(), ChannelRequest("webhook", URL, "mine"))
    for file in (bench.data.path).rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert b"key-of-ada" not in content, file
            assert made.secret.encode() not in content, file
    assert bench.portal.channels.hint(made.channel) == "hooks.example/…"
    assert "key-of-ada" not in repr(replace(made, secret=""))


async def test_one_that_no_key_opens_any_more_spoils_no_list(bench: LittleBench, posted: Posted) -> None:
    made = await channel(bench)
    (bench.data.secrets / "vault_key").write_text("0" * 64)
    run = ended(bench)
    await look(bench)
    assert "no key of this bench opens it" in bench.portal.channels.hint(made)
    assert "no key of this bench opens it" in notices(bench, run)[0].said
    async with bench.client() as browser, bench.program() as program:
        assert (await browser.get("/notices")).status_code == 200
        assert (await program.get("/channels")).status_code == 200


async def test_a_test_is_sent_at_once_and_what_goes_wrong_is_said(bench: LittleBench, posted: Posted) -> None:
    made = await channel(bench)
    await bench.portal.channels.test(bench.person(), made.id)
    assert posted.titles == ["A test"]
    posted.refuses = NotTaken(where="The webhook", why="it answered HTTP 404")
    with pytest.raises(NotTaken):
        await bench.portal.channels.test(bench.person(), made.id)


async def test_one_has_so_many(bench: LittleBench, posted: Posted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drybench.notices.book.MOST", 1)
    await channel(bench)
    with pytest.raises(TooManyChannels):
        await channel(bench)
    with pytest.raises(ChannelWrong):
        await channel(bench, url="nowhere")


async def test_the_loop_wakes_when_a_run_ends(bench: LittleBench, posted: Posted) -> None:
    await channel(bench)
    loop = asyncio.create_task(bench.told.telling.run())
    await eventually(lambda: bench.told.telling._bell.is_heard)
    await asyncio.to_thread(ended, bench)
    await eventually(lambda: posted.letters)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
