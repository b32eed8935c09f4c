"""Tokens and secrets: what each token may do, how soon it ends, and that none lies about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench.hub import tickets
from drybench.hub.identity import Identity
from drybench.secret_files import secret
from tests.bench import Bench
from tests.browser.two_people import SOON, People, both_come_in, make_token, notebook, submit
from tests.living import content, files
from tests.waiting import A_START, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

MOST = 64 << 20  # bytes of a file that is looked through


@pytest.fixture(scope="module")
def people(guarded: Bench) -> Iterator[People]:
    with both_come_in(guarded) as people:
        yield people


@pytest.fixture(scope="module")
def in_session(people: People) -> Iterator[httpx.Client]:
    """What a program in Bob's session has."""
    with people.bob.bench.api(token_of_session(people.bob.session())) as client:
        yield client


def token_of_session(session: dict[str, Any]) -> str:
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            words = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            environ = dict(word.split("=", 1) for word in words if "=" in word)
            if environ.get("DRYBENCH_TASK") == session["task"] and "DRYBENCH_TOKEN" in environ:
                return environ["DRYBENCH_TOKEN"]
    raise AssertionError(f"no process of {session} has a token")


def test_a_token_of_the_hubs_page_is_its_person(people: People) -> None:
    assert people.ada.api.get("/me").json()["name"] == "ada"
    assert people.ada.api.get("/sessions").status_code == 200


def test_it_ends_soon_after_it_was_revoked(people: People) -> None:
    bench, name = people.ada.bench, "a token for a while"
    hub = f"{bench.url}/hub/api/users/ada/tokens"
    made = people.ada.api.post(hub, json={"note": name, "scopes": ["custom:drybench:all"]}).raise_for_status().json()
    with bench.api(made["token"]) as client:
        assert client.get("/me").json()["name"] == "ada"
        people.ada.api.delete(f"{hub}/{made['id']}").raise_for_status()
        wait_for(lambda: client.get("/me").status_code == 401, SOON)


@pytest.mark.parametrize("service", ["portal_token", "cookie_secret", "proxy_password"])
def test_a_services_token_is_nobody(people: People, service: str) -> None:
    with people.ada.bench.api(secret(people.ada.bench.data, service)) as client:
        assert client.get("/me").json()["code"] == "not_signed_in"
        assert submit(client, notebook("pass")).status_code == 401


def test_a_session_asks_for_runs_and_reads_them(people: People, in_session: httpx.Client) -> None:
    asked = submit(in_session, notebook("print('from a session')"), name="from a session").raise_for_status().json()
    assert asked["person"] == "bob"
    people.bob.ended(asked["id"])
    for path in ("", "/notebook", "/log", "/journal", "/files"):
        assert in_session.get(f"/runs/{asked['id']}{path}").status_code == 200
    assert asked["id"] in [run["id"] for run in in_session.get("/runs").json()["items"]]
    assert in_session.get("/me").json()["name"] == "bob"
    assert in_session.get("/environments").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/machine"),
        ("GET", "/engines"),
        ("GET", "/sessions"),
        ("POST", "/sessions"),
        ("GET", "/sessions/{session}"),
        ("POST", "/sessions/{session}/stop"),
        ("POST", "/sessions/{session}/start"),
        ("DELETE", "/sessions/{session}"),
        ("POST", "/runs/{run}/cancel"),
        ("POST", "/runs/{run}/again"),
        ("GET", "{bench}/"),
        ("GET", "{bench}/runs/{run}"),
        ("GET", "{bench}/live"),
        ("POST", "{bench}/sessions"),
        ("POST", "{bench}/sign-out"),
    ],
)
def test_a_session_does_nothing_else(people: People, in_session: httpx.Client, method: str, path: str) -> None:
    run = people.bob.api.get("/runs").json()["items"] or [people.bob.run("pass")]
    known = {"session": people.bob.session()["id"], "run": run[0]["id"], "bench": people.bob.bench.url}
    answer = in_session.request(method, path.format(**known), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "token_too_narrow")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users"),
        ("GET", "/users/ada"),
        ("GET", "/users/bob/tokens"),
        ("POST", "/users/bob/tokens"),
        ("POST", "/users/bob/servers/another"),
        ("DELETE", "/users/bob/servers/lab"),
        ("GET", "/proxy"),
        ("POST", "/shutdown"),
    ],
)
def test_nor_at_the_hub(people: People, in_session: httpx.Client, method: str, path: str) -> None:
    assert in_session.request(method, f"{people.bob.bench.url}/hub/api{path}").status_code in (403, 404)


def test_a_stop_ends_the_sessions_token(people: People) -> None:
    asked = people.ada.api.post("/sessions", json={"name": "brief"}).raise_for_status().json()["id"]
    there = f"/sessions/{asked}"
    wait_for(lambda: people.ada.api.get(there).json()["phase"] == "running", A_START)
    with people.ada.bench.api(token_of_session(people.ada.api.get(there).json())) as client:
        assert client.get("/me").json()["name"] == "ada"
        people.ada.api.post(f"{there}/stop").raise_for_status()
        wait_for(lambda: people.ada.api.get(there).json()["phase"] == "ended")
        wait_for(lambda: client.get("/me").status_code == 401, SOON)
    people.ada.api.delete(there).raise_for_status()


def test_no_secret_lies_about(people: People) -> None:
    """Neither in a log, the ledger, a run's or a task's folder, nor on a command line."""
    bench = people.bob.bench
    session = people.bob.session()
    page = people.bob.page(f"{people.bob.host}/user/bob/lab/lab")
    page.close()
    people.bob.run("import os\nprint(sorted(os.environ))", name="looks around")
    data = bench.data
    cookie = next(one for one in people.bob.browser.cookies() if one.get("name") == "__Host-drybench")
    identity = Identity(bench.addresses, secret(data, "portal_token"), secret(data, "cookie_key").encode())
    signed_in = identity.unseal(str(cookie.get("value")))
    assert signed_in
    names = ("portal_token", "cookie_secret", "cookie_key", "proxy_password")
    secrets = {name: secret(data, name) for name in names} | {
        "a session's token": token_of_session(session),
        "a browser's token": signed_in,
        "a browser's cookie": str(cookie.get("value")),
        "a person's token": make_token(people.bob.browser),
        "a ticket": tickets.new_ticket(data),
        "the link of `up`": bench.link.partition("#")[2],
    }
    assert all(len(value) > 10 for value in secrets.values())
    found = [f"{name} in {place}" for place, text in places(bench) for name, value in secrets.items() if value in text]
    assert found == []


def places(bench: Bench) -> Iterator[tuple[str, str]]:
    for file in files(bench.data.path):
        own = file.is_relative_to(bench.data.secrets) or file.is_relative_to(bench.data.environments)
        if not own and not file.is_symlink():
            yield str(file), content(file)[:MOST].decode(errors="replace")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield f"the command line of {process.name}", (process / "cmdline").read_bytes().decode(errors="replace")


def test_no_address_in_a_log_has_a_code_or_a_token(people: People) -> None:
    people.bob.session()
    bench = people.bob.bench
    logs = [*bench.data.logs.iterdir(), *bench.data.tasks.glob("*/log*")]
    text = "".join(content(log).decode(errors="replace") for log in logs)
    assert "oauth_callback" in text, "there was a sign-in to look at"
    for name in ("code=", "token=", "ticket="):
        shown = {text[place + len(name) :][:8] for place in all_places(text, name)}
        assert not [one for one in shown if not one.startswith(("[secret]", "..."))], name


def all_places(text: str, word: str) -> Iterator[int]:
    place = -1
    while (place := text.find(word, place + 1)) >= 0:
        yield place
