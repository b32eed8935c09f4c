"""What is told about how a run ended: when, in which words, and how often it is tried. Pure.

A name is anybody's: it is stripped of all that could be more than a word where it is read, and bounded.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from drybench.phases import Outcome

On = Literal["failure", "success", "both", "never"]
State = Literal["waiting", "sent", "failed"]
ON: tuple[On, ...] = ("failure", "success", "both", "never")

END, HELD = "end", "held"  # what a notice is about: how a run ended, or that its kernel is kept

MOST_TRIES = 9  # in about five hours
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
LONGEST_NAME, LONGEST_WORDS = 200, 1000
SIGNATURE = "Drybench-Signature"

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff]+")


@dataclass(frozen=True)
class Channel:
    """A person's way to be told. Its address is sealed; `hint` tells it from others."""

    id: str
    person_id: str
    name: str
    kind: str
    sealed: str
    on: On
    created_at: datetime
    last_problem: str = ""


@dataclass(frozen=True)
class Notice:
    """One message on its way to one channel."""

    id: str
    person_id: str
    channel: Channel
    state: State
    tries: int
    next_at: datetime
    run_id: str | None
    schedule_id: str | None = None
    attempt: int = 1
    about: str = END
    said: str = ""  # what went wrong at the last try
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Message:
    id: str  # the notice's: a message that comes twice has the same
    title: str
    text: str
    facts: Mapping[str, Any]  # for programs

    def as_json(self, at: datetime) -> bytes:
        told = {"format": 1, "notice": self.id, "at": _z(at), "title": self.title, "text": self.text, **self.facts}
        return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def is_told(on: str, outcome: Outcome) -> bool:
    """Whoever stopped a run knows it already."""
    if outcome is Outcome.STOPPED:
        return False
    return on == "both" or on == ("success" if outcome is Outcome.DONE else "failure")


def message(id: str, what: str, name: str, sentence: str, url: str, facts: Mapping[str, Any]) -> Message:
    """`what` is our own word for it: Done, Failed."""
    title = f"{what}: {plain(name, LONGEST_NAME)}"
    text = "\n\n".join(part for part in (plain(sentence, LONGEST_WORDS), url) if part)
    return Message(id, title, text, facts)


def plain(words: str, most: int) -> str:
    """One line of visible characters."""
    line = " ".join(_ODD.sub(" ", words).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def harmless(words: str) -> str:
    """For a chat, where <!channel> and @everyone would call everybody, and [words](address) would hide an address."""
    return words.translate({ord("<"): "‹", ord(">"): "›", ord("@"): "@\u200b", ord("["): "⁅", ord("]"): "⁆"})


def pause(tries: int) -> timedelta:
    """Before the next try, after that many."""
    return min(FIRST_PAUSE * 4 ** min(tries - 1, 10), LONGEST_PAUSE)


def signature(secret: str, at: datetime, body: bytes) -> str:
    """The time is signed with the body, so that an old message cannot be sent again by somebody else."""
    time = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"


def _z(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
