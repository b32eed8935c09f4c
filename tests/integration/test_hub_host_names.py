"""With own host names: Hub and portal on the main one only, each person's sessions on theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drybench.addresses import host_label
from tests.certificate import certificate
from tests.integration.hub_bench import ANYBODY, HubBench, hub_bench, sign_in

OWN = 'own_host_names = true\naddress = "http://bench.test"\n'


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    with hub_bench(tmp_path_factory.mktemp("bench"), OWN + ANYBODY) as bench:
        for name in ("ada", "bob", "Zoë"):
            sign_in(bench, name)[0].close()
        yield bench


def host(bench: HubBench, person: str) -> str:
    return f"{host_label(person)}.bench.test:{bench.addresses.port}"


def test_two_people_have_a_host_each(bench: HubBench) -> None:
    for name in ("ada", "bob"):
        bench.start(f"{name}s", name, "lab")
        assert bench.get(f"/user/{name}/lab/", host=host(bench, name)).json()["session"] == f"{name}/lab"


def test_a_session_answers_on_its_own_host_only(bench: HubBench) -> None:
    bench.start("own", "ada", "own")
    assert bench.get("/user/ada/own/", host=host(bench, "bob")).status_code == 302
    assert bench.get("/user/ada/own/").json()["portal"] == "/user/ada/own/"


def test_a_name_that_is_no_host_name_has_one_all_the_same(bench: HubBench) -> None:
    task = bench.start("zoe", "zoë", "lab")
    assert bench.get("/user/zo%C3%AB/lab/", host=host(bench, "zoë")).json()["session"] == "zoë/lab"
    assert task.env["JUPYTERHUB_PUBLIC_URL"] == bench.addresses.session("zoë", "lab")


@pytest.mark.parametrize("path", ["/", "/hub/login", "/hub/api/", "/api/v1/me", "/user/ada/stopped/lab"])
def test_a_session_s_host_has_nothing_of_hub_and_portal(bench: HubBench, path: str) -> None:
    answer = bench.get(path, host=host(bench, "bob"))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{bench.addresses.public}{path}")


def test_hub_and_portal_answer_on_the_main_host(bench: HubBench) -> None:
    assert "version" in bench.get("/hub/api/").json()
    assert bench.get("/runs").json()["portal"] == "/runs"


def test_a_session_knows_its_addresses(bench: HubBench) -> None:
    env = bench.start("knows", "ada", "knows").env
    assert env["JUPYTERHUB_HOST"] == bench.addresses.public
    assert env["JUPYTERHUB_OAUTH_CALLBACK_URL"] == f"{bench.addresses.session('ada', 'knows')}oauth_callback"
    assert env["DRYBENCH_URL"].startswith("http://127.0.0.1:")


def test_the_hub_s_sign_in_stays_on_the_main_host(bench: HubBench) -> None:
    browser, _ = sign_in(bench, "ada")
    with browser:
        domains = {cookie.name: cookie.domain for cookie in browser.client.cookies.jar}
    assert domains["jupyterhub-hub-login"] == "bench.test"


@pytest.fixture(scope="module")
def tls_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    cert, key = certificate(tmp_path_factory.mktemp("tls"), "bench.test", "*.bench.test")
    tls = f'[tls]\ncertificate = "{cert}"\nkey = "{key}"\n'
    with hub_bench(tmp_path_factory.mktemp("bench"), OWN.replace("http:", "https:") + tls + ANYBODY) as bench:
        yield bench


def test_under_tls_a_neighbour_can_plant_no_sign_in(tls_bench: HubBench) -> None:
    browser, _ = sign_in(tls_bench, "ada")
    with browser:
        mine = {cookie.name: cookie for cookie in browser.client.cookies.jar}
    assert "__Host-jupyterhub-hub-login" in mine
    assert all(cookie.secure for cookie in mine.values())


def test_sessions_under_tls(tls_bench: HubBench) -> None:
    sign_in(tls_bench, "bob")[0].close()
    env = tls_bench.start("tls", "bob", "lab").env
    assert tls_bench.get("/user/bob/lab/", host=host(tls_bench, "bob")).json()["session"] == "bob/lab"
    assert env["JUPYTERHUB_PUBLIC_URL"].startswith("https://bob.bench.test:")
    assert env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"] == "1"
    assert (
        tls_bench.get("/hub/login", host=host(tls_bench, "bob")).headers["Location"].startswith("https://bench.test:")
    )
