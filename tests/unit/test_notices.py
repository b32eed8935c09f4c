"""When somebody is told, in which words, how often it is tried, and by which address."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import ChannelWrong
from drybench.notices import kinds as notice_kinds
from drybench.notices.messages import MOST_TRIES, harmless, is_told, message, pause, plain, signature
from drybench.phases import Outcome

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADDRESSES = {
    "mail": "ada.lovelace+runs@lab.example",
    "webhook": "https://hooks.example:8443/drybench?room=3",
    "slack": "https://hooks.slack.com/services/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",
    "teams": "https://prod-12.westus.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abcDEF_123-456789",
    "discord": "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "google-chat": "https://chat.googleapis.com/v1/spaces/AAAAk6lGXyM/messages?key=AIzaSyDdI0hCZtE6&token=O7b1nyri_waOp",
    "webex": "https://webexapis.com/v1/webhooks/incoming/" + "Y2lzY29zcGFyazovL3VzL1dF" * 3,
    "telegram": "tgram://123456789:abcdefg_hijklmnopABCDEFGHIJKLMNOP-q/12315544",
    "pushover": "pover://" + "a" * 30 + "@" + "b" * 30,
}


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.DONE, {"success", "both"}),
        (Outcome.FAILED, {"failure", "both"}),
        (Outcome.LOST, {"failure", "both"}),
        (Outcome.STOPPED, set()),
    ],
)
def test_who_wants_to_know_what(outcome: Outcome, told: set[str]) -> None:
    assert {on for on in ("failure", "success", "both", "never") if is_told(on, outcome)} == told


@given(st.text(), st.text())
def test_a_message_is_one_line_above_another_whatever_a_run_is_called(name: str, sentence: str) -> None:
    said = message("id", "Failed", name, sentence, "https://bench.example/runs/1", {})
    assert said.title.splitlines() == [said.title]
    assert len(said.title) < 220
    assert len(said.text.splitlines()) <= 3
    assert json.loads(said.as_json(NOW))["title"] == said.title


def test_what_is_no_letter_is_left_out() -> None:
    assert plain("a\r\nBcc: everybody@x\x1b[2J\u202eb\ud800", 99) == "a Bcc: everybody@x [2J b"
    assert plain("x" * 300, 10) == "x" * 9 + "…"


def test_nobody_is_called_by_the_name_of_a_run() -> None:
    said = harmless("<!channel> @everyone <@U123> [click](https://evil.example)")
    assert not any(sign in said for sign in ("<", ">", "@e", "@U", "[", "]"))


def test_pauses_grow_and_end() -> None:
    pauses = [pause(tries) for tries in range(1, MOST_TRIES)]
    assert pauses[:4] == [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8), timedelta(minutes=32)]
    assert pauses == sorted(pauses)
    assert timedelta(hours=3) < sum(pauses, timedelta()) < timedelta(hours=6)
    assert pause(10**6) == pauses[-1]


def test_a_signature_is_over_the_time_and_the_body() -> None:
    body = b'{"format": 1}'
    digest = hmac.new(b"secret", b"1767268800." + body, hashlib.sha256).hexdigest()
    assert signature("secret", NOW, body) == f"t=1767268800,v1={digest}"


@pytest.mark.parametrize("kind", ADDRESSES)
def test_an_address_of_each_kind_is_taken_and_never_shown_whole(kind: str) -> None:
    address = notice_kinds.checked(kind, f" {ADDRESSES[kind]} ")
    hint = notice_kinds.hint(kind, address)
    assert len(hint) < len(address)
    assert not any(part in hint for part in ("lovelace", "T1JJ", "sig", "workflows", "AIza", "Y2lz", "abcdefg", "aaa"))
    if kind in notice_kinds.SERVICES:
        assert notice_kinds.for_apprise(kind, address)


def test_a_kind_for_each_example() -> None:
    assert set(ADDRESSES) == set(notice_kinds.KINDS)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("carrier-pigeon", "coop 3"),
        ("mail", "ada"),
        ("mail", "ada@lab.example, bob@lab.example"),
        ("mail", "ada@lab.example\r\nBcc: bob@lab.example"),
        ("mail", "Ada <ada@lab.example>"),
        ("mail", '"ada"@lab.example'),
        ("mail", "ada@[127.0.0.1]"),
        ("mail", "@lab.example"),
        ("mail", "ada@"),
        ("mail", ""),
        ("webhook", "file:///etc/passwd"),
        ("webhook", "json://localhost/"),
        ("slack", "https://hooks.slack.com.evil.example/services/T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"),
        ("slack", "slack://T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"),
        ("slack", ADDRESSES["slack"] + "?template=file:///etc/passwd"),
        ("slack", ADDRESSES["discord"]),
        ("teams", ADDRESSES["teams"].replace("logic.azure.com", "logic.azure.com.evil.example")),
        ("teams", ADDRESSES["teams"].replace("prod-12.westus.", "10.0.0.1/")),
        ("teams", ADDRESSES["teams"].replace(":443", ":25")),
        ("teams", ADDRESSES["teams"].replace("prod-12", "me@10.0.0.1#")),
        ("discord", ADDRESSES["discord"] + "/../../x"),
        ("google-chat", ADDRESSES["google-chat"] + "&thread=1"),
        ("telegram", "tgram://localhost/1"),
        ("pushover", "pover://user@localhost/?token=1"),
    ],
)
def test_any_other_address_is_refused_and_not_repeated(kind: str, address: str) -> None:
    with pytest.raises(ChannelWrong) as refused:
        notice_kinds.checked(kind, address)
    assert len(address) < 13 or address not in str(refused.value)


def test_what_teams_adds_to_its_address_goes_no_further() -> None:
    kept = notice_kinds.checked("teams", ADDRESSES["teams"] + "&template=file:///etc/passwd")
    assert kept.endswith("/invoke?sig=abcDEF_123-456789")
    assert "template" not in notice_kinds.for_apprise("teams", kept)
