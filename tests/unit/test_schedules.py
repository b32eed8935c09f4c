"""When a run begins: by cron in a zone, across changes of the clock, and after the bench was down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drybench.errors import (
    CronNeverComes,
    CronTooFine,
    CronWrong,
    DrybenchError,
    NoSuchZone,
    NoTime,
    TimeIsOver,
    TwoTimes,
)
from drybench.schedules import times as schedules
from drybench.schedules.times import LATE, Missed, When, coming, following, in_words, turn

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"
YEAR, BEGINNING = 525_949, datetime(1, 1, 1, tzinfo=UTC)  # in minutes
ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"]
)
TIMES = st.integers(2005 * YEAR, 2037 * YEAR).map(lambda minutes: BEGINNING + timedelta(minutes=minutes))
MISSED: st.SearchStrategy[Missed] = st.sampled_from(["once", "skip"])


@st.composite
def crons(draw: st.DrawFn) -> str:
    def field(low: int, high: int) -> str:
        one = st.integers(low, high)
        span = st.tuples(one, one).map(lambda ends: f"{min(ends)}-{max(ends)}")
        return draw(st.one_of(st.just("*"), one.map(str), span, st.integers(1, high).map(lambda step: f"*/{step}")))

    return f"{field(0, 59)} {field(0, 23)} {field(1, 28)} {field(1, 12)} {field(0, 7)}"


def at_local(*times: str, zone: str = BERLIN) -> list[datetime]:
    return [datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for time in times]


@given(crons(), ZONES, TIMES)
def test_times_to_come_lie_ahead_in_their_order_at_least_a_minute_apart(cron: str, zone: str, now: datetime) -> None:
    times = [now, *coming(When(zone, cron=cron), now)]
    assert all(earlier < later for earlier, later in pairwise(times))
    steps = pairwise(times[1:])
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in steps)


@settings(max_examples=25)
@given(st.integers(0, 59), st.integers(0, 23), ZONES, TIMES)
def test_a_time_of_each_day_comes_on_each_day_once(minute: int, hour: int, zone: str, now: datetime) -> None:
    """Also on the days when the clock changes."""
    times = [t.astimezone(ZoneInfo(zone)) for t in coming(When(zone, cron=f"{minute} {hour} * * *"), now, 250)]
    days = [time.date() for time in times]
    assert len(set(days)) == len(days)
    assert (days[-1] - days[0]).days == len(days) - 1
    odd = [time for time in times if (time.hour, time.minute) != (hour, minute)]
    assert all(skipped(time, hour, minute) for time in odd)


def skipped(time: datetime, hour: int, minute: int) -> bool:
    """That local time is not there on that day, and this is the moment after the gap."""
    wanted = time.replace(hour=hour, minute=minute)
    before = (time.astimezone(UTC) - timedelta(minutes=1)).astimezone(time.tzinfo)
    return wanted.astimezone(UTC).astimezone(time.tzinfo) != wanted and before.utcoffset() != time.utcoffset()


def test_a_time_that_the_clock_leaves_out_comes_once_at_the_moment_after() -> None:
    times = coming(When(BERLIN, cron="30 2 * * *"), NOW, 2)
    assert times == at_local("2026-03-29 03:00", "2026-03-30 02:30")
    assert coming(When(BERLIN, cron="0,30 2,3 * * *"), NOW, 3) == at_local(
        "2026-03-29 03:00", "2026-03-29 03:30", "2026-03-30 02:00"
    )


def test_a_time_that_the_clock_brings_twice_comes_once() -> None:
    autumn = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)  # 02:10 in Berlin, the first time
    times = coming(When(BERLIN, cron="30 2 * * *"), autumn, 2)
    assert times == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]
    second_time = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert following(When(BERLIN, cron="30 2 * * *"), second_time) == times[1]


def test_every_hour_stays_every_hour_when_the_clock_changes() -> None:
    hours = coming(When(BERLIN, cron="0 * * * *"), datetime(2026, 10, 24, 22, 30, tzinfo=UTC))
    assert {later - earlier for earlier, later in pairwise(hours)} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("cron", "error"),
    [
        ("* * * * * *", CronTooFine),
        ("*/5 * * * * *", CronTooFine),
        ("* * * *", CronWrong),
        ("@reboot", CronWrong),
        ("every second", CronWrong),
        ("61 * * * *", CronWrong),
        ("* 24 * * *", CronWrong),
        ("0 0 0 * *", CronWrong),
        ("* * * * ²", CronWrong),
        ("0 0 31 2 *", CronNeverComes),
        ("0 0 30-31 2 *", CronNeverComes),
        ("0 0 31 4,6,9,11 *", CronNeverComes),
        ("* " * 2000, CronWrong),
        ("1," * 200 + "1 * * * *", CronWrong),
    ],
)
def test_an_expression_that_names_no_times_is_refused(cron: str, error: type[DrybenchError]) -> None:
    with pytest.raises(error) as refused:
        schedules.when(cron, None, BERLIN, NOW)
    assert type(refused.value) is error
    assert len(refused.value.sentence) < 400


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("0123456789*/-,#LW MONJA", max_size=40))
@example("0 0 ¹ * *")  # a digit, and no number
def test_whatever_is_typed_is_understood_or_refused_with_a_sentence(typed: str) -> None:
    for cron, at in ((typed, None), (None, typed), (f"0 0 {typed} * *", None), (f"0 0 * * {typed}", None)):
        try:
            wanted = schedules.when(cron, at, BERLIN, NOW)
        except DrybenchError:
            continue
        assert in_words(wanted)
        assert following(wanted, NOW)


@pytest.mark.parametrize(
    "zone", ["Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "Europe", "UTC\0", "x" * 999]
)
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(NoSuchZone) as refused:
        schedules.when("* * * * *", None, zone, NOW)
    assert len(refused.value.sentence) < 100


@pytest.mark.parametrize(
    ("at", "comes"),
    [
        ("2026-03-30 07:30", "2026-03-30T05:30:00+00:00"),
        ("2026-03-30T07:30:00Z", "2026-03-30T07:30:00+00:00"),
        ("2026-03-30T07:30:00-05:00", "2026-03-30T12:30:00+00:00"),
        ("2026-03-29 02:30", "2026-03-29T01:00:00+00:00"),  # left out by the clock
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),  # comes twice
    ],
)
def test_a_time_is_read_in_its_zone(at: str, comes: str) -> None:
    wanted = schedules.when(None, at, BERLIN, NOW)
    assert wanted.at == datetime.fromisoformat(comes)
    assert coming(wanted, NOW) == [wanted.at]


def test_a_time_that_is_over_or_none_is_refused() -> None:
    with pytest.raises(TimeIsOver, match="Saturday 28 March 2026 at 12:59"):
        schedules.when(None, "2026-03-28 12:59", BERLIN, NOW)
    with pytest.raises(NoTime):
        schedules.when(None, "tomorrow", BERLIN, NOW)
    for cron, at in (("* * * * *", "2027-01-01 00:00"), (None, None), ("", " ")):
        with pytest.raises(TwoTimes):
            schedules.when(cron, at, BERLIN, NOW)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 7 * * 1-5", "Every weekday at 07:30 (Europe/Berlin)"),
        ("0 8,20 * * *", "Every day at 08:00 and 20:00 (Europe/Berlin)"),
        ("@daily", "Every day at 00:00 (Europe/Berlin)"),
        ("* * * * *", "Every minute (Europe/Berlin)"),
        ("0 9 31 * *", "At 09:00 on the 31st day of every month (Europe/Berlin)"),
        ("0 9 12 * *", "At 09:00 on the 12th day of every month (Europe/Berlin)"),
        ("0 0 * * 1L", "At 00:00 on the last Monday of the month (Europe/Berlin)"),
    ],
)
def test_words(cron: str, words: str) -> None:
    assert in_words(schedules.when(cron, None, BERLIN, NOW)) == words


def test_words_of_one_time() -> None:
    wanted = schedules.when(None, "2026-11-22 07:30", BERLIN, NOW)
    assert in_words(wanted) == "Once, on Sunday 22 November 2026 at 07:30 (Europe/Berlin)"


@given(crons(), ZONES, MISSED, TIMES, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_a_turn_looks_ahead_and_brings_one_run_at_most(
    cron: str, zone: str, missed: Missed, planned: datetime, later: timedelta
) -> None:
    wanted = When(zone, cron=cron)
    next_at = following(wanted, planned)
    assert next_at
    now = next_at + later
    done = turn(wanted, missed, next_at, now)
    assert done.next_at == following(wanted, now)
    if missed == "once" or later <= LATE:
        assert done.due == next_at
    elif done.due is not None:
        assert now - LATE < done.due <= now
    assert done == turn(wanted, missed, next_at, now)


def test_a_time_that_was_missed_brings_one_run_or_none() -> None:
    hourly, planned = When("UTC", cron="0 * * * *"), datetime(2026, 1, 1, 3, tzinfo=UTC)
    morning = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
    assert turn(hourly, "once", planned, morning).due == planned
    assert turn(hourly, "skip", planned, morning).due is None
    assert turn(hourly, "skip", planned, morning).next_at == datetime(2026, 1, 1, 9, tzinfo=UTC)
    on_the_hour = datetime(2026, 1, 1, 8, 0, 20, tzinfo=UTC)
    assert turn(hourly, "skip", planned, on_the_hour).due == datetime(2026, 1, 1, 8, tzinfo=UTC)


def test_one_time_is_over_when_it_has_come() -> None:
    once = When("UTC", at=NOW)
    assert turn(once, "skip", NOW, NOW - timedelta(seconds=1)).next_at == NOW
    assert turn(once, "skip", NOW, NOW) == schedules.Turn(NOW, None)
    assert turn(once, "skip", NOW, NOW + timedelta(hours=1)) == schedules.Turn(None, None)
    assert turn(once, "once", NOW, NOW + timedelta(hours=1)) == schedules.Turn(NOW, None)
