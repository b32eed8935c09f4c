"""The one-time link, and who is let in: a real Hub behind a real traefik."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from drybench.hub import tickets
from tests.integration.hub_bench import ANYBODY, SHARED, Browser, HubBench, form_of, hub_bench, sign_in, xsrf_of


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    with hub_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture(scope="module")
def open_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    """With an authenticator that takes anybody by name."""
    with hub_bench(tmp_path_factory.mktemp("open"), ANYBODY) as bench:
        yield bench


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    with hub_bench(tmp_path_factory.mktemp("shared"), SHARED) as bench:
        yield bench


def test_a_ticket_signs_in_its_owner(bench: HubBench) -> None:
    with Browser(bench) as browser:
        answer = browser.redeem(tickets.new_ticket(bench.data))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert "ada" in browser.get("/hub/token").text


def test_it_leads_to_where_one_was_going_and_nowhere_else(bench: HubBench) -> None:
    with Browser(bench) as browser:
        page = browser.get("/hub/login?next=%2Fhub%2Ftoken%3Fa%3Db")
        form = form_of(page)
        there = browser.post(form, {"_xsrf": xsrf_of(page), "code": tickets.new_ticket(bench.data)}, follow=False)
        assert there.headers["Location"] == "/hub/token?a=b"
    with Browser(bench) as browser:
        form = form_of(browser.get("/hub/ticket?next=https%3A%2F%2Fevil.example%2F"))
        page = browser.get("/hub/ticket")
        there = browser.post(form, {"_xsrf": xsrf_of(page), "code": tickets.new_ticket(bench.data)}, follow=False)
        assert there.headers["Location"] == "/"


def test_it_signs_in_once(bench: HubBench) -> None:
    secret = tickets.new_ticket(bench.data)
    with Browser(bench) as first, Browser(bench) as second:
        assert first.redeem(secret).status_code == 302
        again = second.redeem(secret)
        assert again.status_code == 403
        assert "has been used already" in again.text
        assert second.get("/hub/token", follow=False).status_code == 302


def test_a_prefetch_burns_nothing(bench: HubBench) -> None:
    secret = tickets.new_ticket(bench.data)
    with Browser(bench) as browser:
        for _ in range(3):
            assert secret not in browser.get("/hub/ticket").text
        assert browser.redeem(secret).status_code == 302


def test_an_old_one_and_a_strange_one_are_told_apart(bench: HubBench) -> None:
    secret = tickets.new_ticket(bench.data)
    for ticket in bench.data.tickets.iterdir():
        os.utime(ticket, (0, 0))
    with Browser(bench) as browser:
        assert "is too old" in browser.redeem(secret).text
        assert "none of this bench" in browser.redeem("nonsense").text
        assert "none of this bench" in browser.redeem("../../secrets/portal_token").text


def test_without_the_forms_token_nothing_is_taken(bench: HubBench) -> None:
    secret = tickets.new_ticket(bench.data)
    with Browser(bench) as browser:
        browser.get("/hub/ticket")
        assert browser.post("/hub/ticket", {"code": secret}).status_code == 403
        assert browser.post("/hub/ticket", {"code": secret, "_xsrf": "made-up"}).status_code == 403
        assert browser.redeem(secret).status_code == 302


def test_a_neighbouring_page_cannot_send_it(bench: HubBench) -> None:
    with Browser(bench) as browser:
        form = {"_xsrf": xsrf_of(browser.get("/hub/ticket")), "code": tickets.new_ticket(bench.data)}
        assert browser.post("/hub/ticket", form, headers={"Origin": "http://bob.localhost"}).status_code == 403
        assert browser.post("/hub/ticket", form, headers={"Origin": "null"}).status_code == 403


def test_another_name_of_this_machine_leads_to_the_benchs_own(bench: HubBench) -> None:
    answer = bench.get("/hub/ticket?a=b", host=f"127.0.0.1:{bench.addresses.port}", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{bench.addresses.public}/hub/ticket?a=b"


def test_no_password_signs_in_where_there_are_none(bench: HubBench) -> None:
    with Browser(bench) as browser:
        form = {"_xsrf": xsrf_of(browser.get("/hub/login")), "username": "ada", "password": ""}
        assert browser.post("/hub/login", form).status_code == 403


def test_the_second_person_is_refused_by_name(open_bench: HubBench) -> None:
    ada, there = sign_in(open_bench, "ada")
    bob, said = sign_in(open_bench, "bob")
    with ada, bob:
        assert there == "/"
        assert "serves one person, ada" in said
        assert "<code>own_host_names = true</code>" in said
        assert "people_share_one_host_name" in said
        assert ada.get("/hub/token", follow=False).status_code == 200
        assert bob.get("/hub/token", follow=False).status_code == 302


def test_a_ticket_goes_around_any_authenticator(open_bench: HubBench) -> None:
    with Browser(open_bench) as browser:
        assert browser.redeem(tickets.new_ticket(open_bench.data)).status_code == 302
        assert "ada" in browser.get("/hub/token").text


def test_whoever_is_signed_in_as_somebody_else_is_asked(shared_bench: HubBench) -> None:
    bob, _ = sign_in(shared_bench, "bob")
    secret = tickets.new_ticket(shared_bench.data)
    with bob:
        asked = bob.redeem(secret)
        assert asked.status_code == 200
        assert "You are signed in as bob. This link signs you in as ada." in asked.text
        assert bob.redeem(secret, instead="ada").status_code == 302
        assert "ada" in bob.get("/hub/token").text


def test_with_the_switch_several_come_in(shared_bench: HubBench) -> None:
    for name in ("ada", "cyd"):
        browser, there = sign_in(shared_bench, name)
        with browser:
            assert there == "/"


def test_nobody_is_deleted_behind_the_portals_back(shared_bench: HubBench) -> None:
    sign_in(shared_bench, "dan")[0].close()
    with sign_in(shared_bench, "boss")[0] as boss:
        token = boss.make_token("boss")
    shared_bench.portal.go_away()
    try:
        refused = shared_bench.api("DELETE", "/users/dan", token)
    finally:
        shared_bench.portal.come()
    assert refused.status_code == 503
    assert "does not answer at the moment" in refused.json()["message"]
    assert shared_bench.api("DELETE", "/users/dan", token).status_code == 204
    assert shared_bench.portal.gone == ["dan"]
