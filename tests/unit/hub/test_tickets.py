from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from drybench.data_folder import DataFolder
from drybench.errors import DrybenchError, TicketExpired, TicketUnknown, TicketUsed
from drybench.hub import tickets


def aged(data: DataFolder, seconds: float) -> None:
    for ticket in data.tickets.iterdir():
        os.utime(ticket, (time.time() - seconds,) * 2)


def test_is_good_once(data: DataFolder) -> None:
    secret = tickets.new_ticket(data)
    tickets.take(data, secret)
    with pytest.raises(TicketUsed):
        tickets.take(data, secret)


def test_spaces_around_a_pasted_code_do_no_harm(data: DataFolder) -> None:
    tickets.take(data, f" {tickets.new_ticket(data)}\n")


def test_only_one_of_many_at_once_gets_it(data: DataFolder) -> None:
    secret = tickets.new_ticket(data)

    def took(_: int) -> bool:
        try:
            tickets.take(data, secret)
        except DrybenchError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(took, range(40))) == 1


def test_the_disk_does_not_tell_it(data: DataFolder) -> None:
    secret = tickets.new_ticket(data)
    [ticket] = data.tickets.iterdir()
    assert secret not in ticket.name
    assert ticket.read_bytes() == b""
    assert ticket.stat().st_mode & 0o777 == 0o600


def test_it_is_good_for_minutes(data: DataFolder) -> None:
    secret = tickets.new_ticket(data)
    aged(data, tickets.MINUTES * 60 - 5)
    tickets.take(data, secret)
    secret = tickets.new_ticket(data)
    aged(data, tickets.MINUTES * 60 + 5)
    with pytest.raises(TicketExpired, match=f"good for {tickets.MINUTES} minutes"):
        tickets.take(data, secret)


@pytest.mark.parametrize("secret", ["", "made up", "../secrets/portal_token", "\0", "ü" * 5000])
def test_what_is_none_is_unknown(data: DataFolder, secret: str) -> None:
    with pytest.raises(TicketUnknown):
        tickets.take(data, secret)


def test_old_ones_are_cleared_away(data: DataFolder) -> None:
    tickets.take(data, tickets.new_ticket(data))
    aged(data, (tickets.KEPT_DAYS + 1) * 86400)
    tickets.new_ticket(data)
    assert len(list(data.tickets.iterdir())) == 1


def test_the_link_has_it_in_the_fragment() -> None:
    assert tickets.link("http://localhost:8000", "SECRET") == "http://localhost:8000/hub/ticket#SECRET"
