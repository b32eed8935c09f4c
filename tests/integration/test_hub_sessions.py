"""Sessions by way of the Hub: each is a task of the ledger, and whatever is killed, none is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from drybench.errors import HubAway, HubBusy, Refused, UnknownToTheHub
from drybench.hub import tickets
from tests.integration.hub_bench import Browser, HubBench, hub_bench
from tests.waiting import PATIENCE, wait_for


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    with hub_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture(autouse=True)
def whole(bench: HubBench) -> None:
    bench.be_whole()


def refusal(bench: HubBench, person: str, session: str, task: str) -> str:
    """What the Hub says to it, at once or in its log when it is slow."""
    before = len(bench.hub_says())
    try:
        bench.ask_hub("start_server", person, session, task)
    except Refused as refused:
        return str(refused)
    wait_for(lambda: not bench.at_hub(session))
    return bench.hub_says()[before:]


def test_a_session_comes_up_at_its_address(bench: HubBench) -> None:
    task = bench.start("first", "ada", "lab")
    assert bench.session_says("ada", "lab") == "ada/lab"
    assert task.handovers == 1
    assert task.env["JUPYTERHUB_SERVICE_URL"] == "http://127.0.0.1:0/user/ada/lab/"
    assert task.command[:5] == ("python", "-m", "drybench_runner", "session", "--")


def test_asking_again_for_what_is_there_is_no_error(bench: HubBench) -> None:
    task = bench.start("again", "ada", "again")
    bench.ask_hub("start_server", "ada", "again", "again")
    assert task.handovers == 1


def test_its_stop_is_the_portals(bench: HubBench) -> None:
    task = bench.start("stopped", "ada", "stopped")
    bench.ask_hub("stop_server", "ada", "stopped")
    assert task.stops == 1
    wait_for(lambda: bench.session_says("ada", "stopped") is None)
    bench.ask_hub("stop_server", "ada", "stopped")
    assert task.stops == 1


def test_one_that_has_ended_by_itself_is_let_go_of(bench: HubBench) -> None:
    task = bench.start("ended", "ada", "ended")
    task.end()
    wait_for(lambda: not bench.is_ready("ada", "ended"))
    assert task.stops == 0


def test_foreign_used_and_missing_tasks_are_refused(bench: HubBench) -> None:
    bench.task("foreign", "bob", "lab")
    bench.task("other-name", "ada", "elsewhere")
    used = bench.task("used", "ada", "refused")
    used.end()
    for id in ("foreign", "other-name", "used", "never-heard-of"):
        assert "Not wanted here" in refusal(bench, "ada", "refused", id)
    assert all(bench.portal.tasks[id].stops == 0 for id in ("foreign", "other-name", "used"))


def test_without_a_task_nothing_starts(bench: HubBench) -> None:
    before = len(bench.hub_says())
    refused = bench.api("POST", "/users/ada/servers/bare")
    assert refused.status_code in (202, 422)  # 202: the Hub is slow
    wait_for(lambda: not bench.at_hub("bare"))
    assert "A session is started on the bench's own page" in refused.text + bench.hub_says()[before:]


def test_options_of_the_last_start_do_not_count_again(bench: HubBench) -> None:
    """The Hub keeps them, so a start that names no task names the last one."""
    task = bench.start("sticky", "ada", "sticky")
    bench.ask_hub("stop_server", "ada", "sticky")
    bench.api("POST", "/users/ada/servers/sticky")
    wait_for(lambda: not bench.at_hub("sticky"))
    assert task.handovers == 1


def test_somebody_unknown_gets_a_sentence(bench: HubBench) -> None:
    with pytest.raises(UnknownToTheHub, match="nobody-yet has never signed in"):
        bench.ask_hub("start_server", "nobody-yet", "lab", "any")


def test_the_hubs_own_pages_for_starting_lead_to_the_portal(bench: HubBench) -> None:
    with Browser(bench) as browser:
        browser.redeem(tickets.new_ticket(bench.data))
        for path in ("home", "spawn", "spawn/ada/lab", "spawn-pending/ada/lab", "user/ada/lab/tree", ""):
            answer = browser.get(f"/hub/{path}", follow=False)
            assert answer.status_code == 302
            assert answer.headers["Location"] in ("/", f"{bench.addresses.public}/")


def test_a_session_may_ask_for_runs_and_nothing_else(bench: HubBench) -> None:
    env = bench.start("scoped", "ada", "scoped").env
    token = env["DRYBENCH_TOKEN"]
    assert env["DRYBENCH_URL"] == bench.addresses.portal
    known = bench.api("GET", "/user", token).json()
    assert (known["kind"], known["name"]) == ("user", "ada")
    ours = {scope for scope in known["scopes"] if scope.startswith("custom:")}
    assert ours == {"custom:drybench:runs"}
    assert bench.api("POST", "/users/ada/tokens", token, json={}).status_code == 403
    assert bench.api("POST", "/users/ada/servers/more", token, json={"task": "x"}).status_code in (403, 404)


def test_the_portals_token_cannot_act_as_a_person(bench: HubBench) -> None:
    bench.start("entered", "ada", "entered")
    assert bench.api("POST", "/users/ada/tokens", json={}).status_code == 403
    assert bench.api("DELETE", "/users/ada").status_code == 403
    assert bench.api("POST", "/users/bob").status_code == 403
    assert not any(scope.startswith("access:servers") for scope in bench.api("GET", "/user").json()["scopes"])


def test_a_stop_revokes_the_sessions_token(bench: HubBench) -> None:
    token = bench.start("revoked", "ada", "revoked").env["DRYBENCH_TOKEN"]
    assert bench.api("GET", "/user", token).status_code == 200
    bench.ask_hub("stop_server", "ada", "revoked")
    assert bench.api("GET", "/user", token).status_code == 403


def test_the_portal_away_ends_nothing(bench: HubBench) -> None:
    task = bench.start("kept", "ada", "kept")
    before = bench.hub_says().count("No word of task kept")
    bench.portal.go_away()
    wait_for(lambda: bench.hub_says().count("No word of task kept") >= before + 2)
    assert bench.session_says("ada", "kept") == "ada/kept"
    bench.portal.come()
    assert bench.is_ready("ada", "kept")
    assert task.stops == 0


def test_a_portal_that_comes_later_is_waited_for(bench: HubBench) -> None:
    task = bench.task("late", "ada", "late")
    bench.portal.go_away()
    bench.ask_hub("start_server", "ada", "late", "late")
    bench.ask_hub("start_server", "ada", "late", "late")
    bench.portal.come()
    wait_for(lambda: bench.is_ready("ada", "late"))
    assert task.handovers == 1


def test_a_portal_killed_with_the_handover_in_its_hand_gets_it_again(bench: HubBench) -> None:
    bench.portal.starts_at_once, bench.portal.forgets_handovers = False, True
    task = bench.task("twice", "ada", "twice")
    bench.ask_hub("start_server", "ada", "twice", "twice")
    wait_for(lambda: task.handovers >= 2)
    bench.portal.starts_at_once, bench.portal.forgets_handovers = True, False
    wait_for(lambda: bench.is_ready("ada", "twice"))
    assert bench.session_says("ada", "twice") == "ada/twice"


def test_a_hub_killed_keeps_what_runs(bench: HubBench) -> None:
    task = bench.start("outlives", "ada", "outlives")
    token = task.env["DRYBENCH_TOKEN"]
    bench.kill_hub()
    assert bench.session_says("ada", "outlives") == "ada/outlives"
    with pytest.raises(HubAway):
        bench.ask_hub("servers")
    bench.start_hub()
    bench.wait_until_up()
    wait_for(lambda: bench.is_ready("ada", "outlives"))
    wait_for(lambda: bench.session_says("ada", "outlives") == "ada/outlives")
    assert (task.stops, task.handovers) == (0, 1)
    bench.ask_hub("stop_server", "ada", "outlives")
    assert bench.api("GET", "/user", token).status_code == 403


def test_a_hub_killed_in_the_middle_of_a_start_goes_on_with_it(bench: HubBench) -> None:
    bench.portal.starts_at_once = False
    task = bench.task("middle", "ada", "middle")
    bench.ask_hub("start_server", "ada", "middle", "middle")
    wait_for(lambda: task.handovers == 1)
    bench.kill_hub()
    bench.start_hub()
    bench.wait_until_up()
    task.go()
    wait_for(lambda: bench.session_says("ada", "middle") == "ada/middle")
    assert (task.stops, task.handovers) == (0, 1)
    token = task.env["DRYBENCH_TOKEN"]
    bench.ask_hub("stop_server", "ada", "middle")
    assert task.stops == 1
    assert bench.api("GET", "/user", token).status_code == 403


def test_a_hub_killed_before_the_handover_is_asked_again(bench: HubBench) -> None:
    """Its token died with it, so it lets go; the place in the line is kept."""
    bench.portal.go_away()
    task = bench.task("before", "ada", "before")
    bench.ask_hub("start_server", "ada", "before", "before")
    bench.kill_hub()
    bench.portal.come()
    bench.start_hub()
    bench.wait_until_up()
    wait_for(lambda: not bench.at_hub("before"))
    assert (task.wanted, task.stops, task.handovers) == ("run", 0, 0)
    bench.ask_hub("start_server", "ada", "before", "before")
    wait_for(lambda: bench.is_ready("ada", "before"))


def test_a_foreign_task_is_not_taken_by_way_of_a_killed_hub(bench: HubBench) -> None:
    bench.portal.go_away()
    foreign = bench.task("of-bob", "bob", "lab")
    foreign.go()
    bench.ask_hub("start_server", "ada", "thief", "of-bob")
    bench.kill_hub()
    bench.portal.come()
    bench.start_hub()
    bench.wait_until_up()
    wait_for(lambda: not bench.at_hub("thief"))
    assert foreign.stops == 0
    assert bench.session_says("ada", "thief") is None


def test_a_session_that_hangs_while_the_hub_restarts_is_kept(bench: HubBench) -> None:
    task = bench.start("hangs", "ada", "hangs")
    task.awake.clear()
    bench.kill_hub()
    bench.start_hub()
    bench.wait_until_up()
    [seen] = bench.at_hub("hangs")
    assert (seen.ready, seen.pending) == (False, "check")
    with pytest.raises(HubBusy):
        bench.ask_hub("start_server", "ada", "hangs", "hangs")
    task.awake.set()
    wait_for(lambda: bench.is_ready("ada", "hangs"))
    assert (task.stops, task.handovers) == (0, 1)


def test_traefik_killed_and_started_again_has_its_routes(bench: HubBench) -> None:
    bench.start("routed", "ada", "routed")
    assert bench.proxy is not None
    os.kill(bench.proxy.pid, signal.SIGKILL)
    bench.proxy.wait(PATIENCE)
    bench.start_proxy()
    bench.wait_until_up()
    wait_for(lambda: bench.session_says("ada", "routed") == "ada/routed")
