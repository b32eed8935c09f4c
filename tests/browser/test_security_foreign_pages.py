"""A page that Bob's session shows, and one from anywhere, against Ada who opens them: nothing of hers moves.

Bob's page is same-site with the bench: cookies travel, and it can plant some. So it tries everything here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as BrowserError

from tests.bench import Bench
from tests.browser.two_people import DOMAIN, SOON, People, both_come_in, new_browser, sign_in
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

READ = """url => fetch(url, {credentials: "include"}).then((answer) => answer.text(), (error) => "refused")"""
SEND = """([url, method, type, body]) => fetch(url, {method, mode: "no-cors", credentials: "include", body,
    headers: type ? {"Content-Type": type} : {}}).then((answer) => answer.type, (error) => "refused")"""
SEND_FORM = """([url, type, fields]) => new Promise((over) => {
    const frame = Object.assign(document.createElement("iframe"), {name: "f" + Math.random(), onload: () => over(true)})
    document.body.append(frame)
    const form = document.createElement("form")
    Object.assign(form, {action: url, method: "post", enctype: type, target: frame.name})
    for (const [name, value] of Object.entries(fields)) {
        form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}))
    }
    document.body.append(form)
    form.submit()
})"""
LISTEN = """url => new Promise((over) => {
    const stream = new EventSource(url, {withCredentials: true})
    stream.onopen = () => over("open")
    stream.onerror = () => { stream.close(); over("refused") }
})"""
CONNECT = """url => new Promise((over) => {
    const socket = new WebSocket(url)
    socket.onopen = () => over("open")
    socket.onerror = () => over("refused")
})"""
LOOK_INTO_FRAME = """url => new Promise((over) => {
    const frame = Object.assign(document.createElement("iframe"), {src: url, onload: () => {
        try { over(frame.contentDocument?.body.innerText ?? "closed") } catch (error) { over("closed") }
    }})
    document.body.append(frame)
})"""
LOOK_INTO_WINDOW = """other => { try { return other.document.body.innerText } catch (error) { return error.name } }"""
LOAD_SCRIPT = """url => new Promise((over) => {
    const script = Object.assign(document.createElement("script"),
        {src: url, onload: () => over("loaded"), onerror: () => over("refused")})
    document.body.append(script)
})"""
URLENCODED, MULTIPART, PLAIN = "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"

ELSEWHERE = ["https://evil.test/", "//evil.test/", "/\\evil.test/", "\\\\evil.test", "/\t/evil.test", "javascript:1"]


@pytest.fixture(scope="module")
def people(guarded: Bench) -> Iterator[People]:
    with both_come_in(guarded) as people:
        people.ada.session()
        people.bob.session()
        yield people


@pytest.fixture(params=["bob's session", "anywhere"])
def hostile(request: pytest.FixtureRequest, people: People) -> Iterator[Page]:
    """In Ada's browser."""
    page = people.ada.browser.new_page()
    if request.param == "anywhere":
        page.route("https://evil.test/**", lambda route: route.fulfill(body="<p>Look!", content_type="text/html"))
        page.goto("https://evil.test/")
    else:
        page.goto(bobs_page(people))
    yield page
    page.close()


@pytest.fixture
def bobs(people: People) -> Iterator[Page]:
    page = people.ada.browser.new_page()
    page.goto(bobs_page(people))
    yield page
    page.close()


@pytest.fixture(scope="class")
def untouched(people: People) -> Iterator[None]:
    """Whatever these tests try: Ada has what she had, and is who she was."""
    before = people.ada.has()
    yield
    assert people.ada.has() == before
    assert who(people.ada.browser) == "ada"


def bobs_page(people: People, query: str = "") -> str:
    return f"{people.bob.host}/user/bob/lab/evil/results{query}"


def who(browser: BrowserContext) -> str:
    """As whom the portal knows this browser: its own page says so."""
    page = browser.new_page()
    page.goto("/")
    signed_in = page.locator(".person")
    name = signed_in.inner_text() if signed_in.count() else ""
    page.close()
    return name


@pytest.mark.usefixtures("untouched")
class TestReading:
    @pytest.mark.parametrize("path", ["/", "/runs", "/api/v1/me", "/api/v1/sessions", "/hub/token", "/hub/api/user"])
    def test_nothing_is_read(self, people: People, hostile: Page, path: str) -> None:
        assert hostile.evaluate(READ, people.ada.bench.url + path) == "refused"

    def test_no_stream_and_no_socket_opens(self, people: People, hostile: Page) -> None:
        assert hostile.evaluate(LISTEN, people.ada.bench.url + "/live") == "refused"
        for path in ("/live", "/hub/api/user", "/api/v1/runs"):
            assert hostile.evaluate(CONNECT, people.ada.bench.url.replace("https", "wss") + path) == "refused"

    @pytest.mark.parametrize("path", ["/", "/runs", "/hub/token"])
    def test_no_frame_shows_it(self, people: People, hostile: Page, path: str) -> None:
        assert hostile.evaluate(LOOK_INTO_FRAME, people.ada.bench.url + path) == "closed"
        assert not [frame for frame in hostile.frames if frame.url.startswith(people.ada.bench.url)]

    def test_no_script_tag_takes_it_in(self, people: People, hostile: Page) -> None:
        assert hostile.evaluate(LOAD_SCRIPT, people.ada.bench.url + "/api/v1/me") == "refused"

    @pytest.mark.parametrize("path", ["/", "/runs/new", "/hub/token"])
    def test_no_window_that_it_opens_can_be_looked_into(self, people: People, hostile: Page, path: str) -> None:
        hostile.evaluate(f"document.domain = '{DOMAIN}'" if "bench" in hostile.url else "0")
        with hostile.expect_popup() as opened:
            other = hostile.evaluate_handle("url => window.open(url)", people.ada.bench.url + path)
        opened.value.wait_for_load_state()
        assert opened.value.url == people.ada.bench.url + path
        assert hostile.evaluate("other => other.closed", other) or hostile.evaluate(LOOK_INTO_WINDOW, other) in (
            "SecurityError",
            "TypeError",
        )
        if not path.startswith("/hub"):
            assert opened.value.evaluate("window.opener") is None
        opened.value.close()


class TestWhatTheBrowserSays:
    """The portal itself refuses what a browser marks as foreign; it does not trust the browser to keep it away."""

    @pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/sessions", "/live", "/"])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            {"Origin": "https://bob.{host}"},
            {"Origin": "https://{host}.evil.test"},
            {"Origin": "http://{host}"},
            {"Origin": "https://bench.test"},
            {"Origin": "null"},
        ],
        ids=str,
    )
    def test_a_foreign_fetch(self, people: People, path: str, headers: dict[str, str]) -> None:
        assert self.ask(people, "GET", path, headers) == "foreign_page"

    @pytest.mark.parametrize("path", ["/api/v1/sessions", "/sessions", "/runs/new", "/sign-out"])
    @pytest.mark.parametrize(
        "headers",
        [{}, {"Origin": "https://{host}", "Sec-Fetch-Site": "same-site"}, {"Origin": "https://ada.{host}"}],
        ids=str,
    )
    def test_a_foreign_post_although_it_has_the_token(self, people: People, path: str, headers: dict[str, str]) -> None:
        page = people.ada.page()
        token = page.evaluate("document.body.dataset.xsrf")
        page.close()
        assert self.ask(people, "POST", path, {**headers, "X-XSRFToken": token}) == "foreign_page"

    @pytest.mark.parametrize("path", ["/api/v1/sessions", "/sessions", "/runs/new", "/sign-out"])
    @pytest.mark.parametrize("token", [None, "", "0" * 64])
    def test_a_post_without_the_token(self, people: People, path: str, token: str | None) -> None:
        own = {"Origin": "https://{host}", "Sec-Fetch-Site": "same-origin"}
        assert self.ask(people, "POST", path, own | ({} if token is None else {"X-XSRFToken": token})) == "form_too_old"

    def ask(self, people: People, method: str, path: str, headers: dict[str, str]) -> str:
        """With Ada's own cookie; the code of the refusal."""
        bench = people.ada.bench
        host = bench.url.partition("://")[2]
        cookie = next(one for one in people.ada.browser.cookies(bench.url) if one.get("name") == "__Host-drybench")
        said = {name: value.format(host=host) for name, value in headers.items()}
        said |= {"Cookie": f"__Host-drybench={cookie.get('value')}", "Accept": "application/json"}
        with bench.browser() as client:
            return client.request(method, path, headers=said).json()["code"]


@pytest.mark.usefixtures("untouched")
class TestDoing:
    @pytest.mark.parametrize(
        ("path", "kind", "body"),
        [
            ("/api/v1/sessions", PLAIN, '{"name": "taken"}'),
            ("/api/v1/sessions", URLENCODED, "name=taken"),
            ("/sessions", URLENCODED, "environment=python&app=lab&name=taken"),
            ("/hub/api/users/ada/tokens", PLAIN, '{"note": "taken"}'),
            ("/hub/api/users/ada/tokens", None, None),
            ("/hub/api/users/ada/servers/taken", PLAIN, "{}"),
            ("/sign-out", URLENCODED, "_xsrf=guessed"),
        ],
    )
    def test_nothing_is_done_by_fetch(
        self, people: People, hostile: Page, path: str, kind: str | None, body: str | None
    ) -> None:
        hostile.evaluate(SEND, [people.ada.bench.url + path, "POST", kind, body])

    def test_no_fetch_that_asks_first_gets_leave(self, people: People, hostile: Page) -> None:
        for path in ("/api/v1/sessions", "/hub/api/users/ada/tokens"):
            asked = """url => fetch(url, {method: "POST", credentials: "include", body: "{}",
                headers: {"Content-Type": "application/json"}}).then(() => "done", () => "refused")"""
            assert hostile.evaluate(asked, people.ada.bench.url + path) == "refused"

    @pytest.mark.parametrize(
        ("path", "kind", "fields"),
        [
            ("/sessions", URLENCODED, {"environment": "python", "app": "lab", "name": "taken", "_xsrf": "guessed"}),
            ("/runs/new", MULTIPART, {"notebook": "{}", "_xsrf": "guessed"}),
            ("/api/v1/sessions", PLAIN, {'{"name": "taken", "x": "': '"}'}),
            ("/sign-out", URLENCODED, {"_xsrf": "guessed"}),
            ("/hub/api/users/ada/tokens?_xsrf=guessed", PLAIN, {}),
        ],
    )
    def test_nothing_is_done_by_a_form(
        self, people: People, hostile: Page, path: str, kind: str, fields: dict[str, str]
    ) -> None:
        hostile.evaluate(SEND_FORM, [people.ada.bench.url + path, kind, fields])

    def test_adas_own_session_is_closed_to_it_too(self, people: People, bobs: Page) -> None:
        lab = f"{people.ada.host}/user/ada/lab"
        page = people.ada.page(f"{lab}/lab")  # so that her browser is signed in there
        page.close()
        assert bobs.evaluate(READ, f"{lab}/api/contents") == "refused"
        assert bobs.evaluate(LOOK_INTO_FRAME, f"{lab}/lab") == "closed"
        assert bobs.evaluate(CONNECT, f"{lab.replace('https', 'wss')}/api/events/subscribe") == "refused"
        bobs.evaluate(SEND, [f"{lab}/api/contents", "POST", PLAIN, '{"type": "notebook"}'])
        bobs.evaluate(SEND, [f"{lab}/api/kernels", "POST", PLAIN, "{}"])
        assert self.in_session(people, lab, "kernels") == []
        assert not [one for one in self.in_session(people, lab, "contents")["content"] if "Untitled" in one["name"]]

    def in_session(self, people: People, lab: str, what: str) -> Any:
        """As Ada's own program sees it."""
        return people.ada.api.get(f"{lab}/api/{what}").raise_for_status().json()


class TestPlantedCookies:
    """Bob gives Ada's browser what is good in his own, for the whole domain."""

    @pytest.fixture
    def ada(self, people: People) -> Iterator[BrowserContext]:
        """A browser of hers that may be spoiled."""
        browser = new_browser(people.chromium, people.ada.bench)
        sign_in(browser, "ada")
        yield browser
        browser.close()

    def plant(self, people: People, browser: BrowserContext) -> dict[str, str]:
        """By script and by the answer's own headers, on every path that may be looked at first."""
        good = {str(one.get("name")): str(one.get("value")) for one in people.bob.browser.cookies()}
        assert {"__Host-drybench", "_xsrf", "jupyterhub-session-id"} <= good.keys()
        names = {
            **good,
            **{name.removeprefix("__Host-"): value for name, value in good.items()},
            f"drybench-{people.bob.bench.addresses.port}": good["__Host-drybench"],
        }
        page = browser.new_page()
        page.goto(bobs_page(people))
        paths = ("/", "/hub", "/hub/", "/hub/api", "/api", "/runs", "/sessions", "/oauth_callback")
        page.evaluate(
            f"""([names, paths]) => {{ for (const [name, value] of names) for (const path of paths)
                document.cookie = `${{name}}=${{value}}; domain={DOMAIN}; path=${{path}}; secure` }}""",
            [list(names.items()), paths],
        )
        asked = [
            ("cookie", f"{name}={value}; Domain={DOMAIN}; Path=/; Secure; HttpOnly") for name, value in names.items()
        ]
        page.goto(bobs_page(people, f"?{urlencode(asked)}"))
        page.close()
        planted = {str(one.get("name")) for one in browser.cookies() if one.get("domain") == f".{DOMAIN}"}
        assert {"_xsrf", "drybench", "jupyterhub-hub-login"} <= planted
        assert not any(name.startswith("__Host-") for name in planted)
        return good

    def test_she_stays_who_she_is(self, people: People, ada: BrowserContext) -> None:
        self.plant(people, ada)
        assert who(ada) == "ada"
        page = ada.new_page()
        page.goto("/hub/token")
        expect(page.locator(".person")).to_have_text("ada")
        page.close()

    def test_her_own_forms_still_go_and_others_do_not(self, people: People, ada: BrowserContext) -> None:
        good = self.plant(people, ada)
        page = ada.new_page()
        page.goto("/")
        bobs_token = people.bob.page().evaluate("document.body.dataset.xsrf")
        ask = """(xsrf) => fetch("/api/v1/sessions", {method: "POST", body: '{"environment": "none"}',
            headers: {"Content-Type": "application/json", "X-XSRFToken": xsrf}}).then((answer) => answer.json())"""
        for wrong in (good["_xsrf"], bobs_token, ""):
            assert page.evaluate(ask, wrong)["code"] == "form_too_old"
        own = page.evaluate("document.body.dataset.xsrf")
        assert page.evaluate(ask, own)["code"] == "no_such_environment"
        page.close()

    def test_the_hub_makes_no_token_with_them(self, people: People, ada: BrowserContext) -> None:
        before = people.ada.has()
        good = self.plant(people, ada)
        page = ada.new_page()
        page.goto(bobs_page(people))
        there = f"{people.ada.bench.url}/hub/api/users/ada/tokens?_xsrf={good['_xsrf']}"
        for kind in (PLAIN, None):
            page.evaluate(SEND, [there, "POST", kind, None])
        page.evaluate(SEND_FORM, [there, PLAIN, {}])
        page.close()
        assert people.ada.has() == before

    def test_signed_out_she_may_be_kept_out_and_is_nobody_else(self, people: People, ada: BrowserContext) -> None:
        """The Hub takes its form's cookie from the whole domain: that one may be spoiled until cookies are cleared."""
        self.plant(people, ada)
        page = ada.new_page()
        page.goto("/")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()  # so the Hub, too, has done it
        page.goto("/")
        page.get_by_label("Name").fill("ada")
        with page.expect_navigation():
            page.get_by_role("button", name="Sign in").click()
        page.close()
        assert who(ada) in ("", "ada")


class TestSigningInAsSomebodyElse:
    @pytest.fixture
    def stranger(self, people: People) -> Iterator[BrowserContext]:
        """Ada's browser before she signs in."""
        browser = new_browser(people.chromium, people.ada.bench)
        yield browser
        browser.close()

    def test_bobs_page_cannot_send_the_sign_in_form(self, people: People, stranger: BrowserContext) -> None:
        """With a form's token that is good for this browser: it has the same address and the same name."""
        elsewhere = new_browser(people.chromium, people.bob.bench)
        page = elsewhere.new_page()
        page.goto("/hub/login")
        token = page.locator("[name=_xsrf]").get_attribute("value")
        elsewhere.close()
        page = stranger.new_page()
        page.goto(bobs_page(people))
        page.evaluate(f"token => document.cookie = `_xsrf=${{token}}; domain={DOMAIN}; path=/hub/; secure`", token)
        fields = {"_xsrf": token, "username": "bob", "password": "x"}
        page.evaluate(SEND_FORM, [f"{people.bob.bench.url}/hub/login", URLENCODED, fields])
        page.evaluate(SEND, [f"{people.bob.bench.url}/hub/login", "POST", URLENCODED, f"_xsrf={token}&username=bob"])
        page.close()
        assert who(stranger) == ""

    def test_a_sign_in_that_bob_began_is_not_hers(self, people: People, stranger: BrowserContext) -> None:
        sign_in(stranger, "ada")
        page = stranger.new_page()
        answer = page.goto(self.where_bob_comes_back(people))
        assert answer is not None
        assert answer.status == 403
        page.close()
        assert who(stranger) == "ada"

    def where_bob_comes_back(self, people: People) -> str:
        """The last step of a sign-in, with a code that is good."""
        with people.bob.bench.browser() as client:
            client.follow_redirects = False
            for cookie in people.bob.browser.cookies(people.bob.bench.url):
                client.cookies.set(str(cookie.get("name")), str(cookie.get("value")), domain=DOMAIN)
            step = client.get("/sign-in").headers["Location"]
            return client.get(step).headers["Location"]

    @pytest.mark.parametrize("next", ELSEWHERE)
    def test_nobody_is_led_elsewhere(self, people: People, stranger: BrowserContext, next: str) -> None:
        asked: set[str] = set()
        page = stranger.new_page()
        page.on("request", lambda request: asked.add(request.url))
        page.goto(f"/hub/login?next={quote(next, safe='')}")
        page.get_by_label("Name").fill("ada")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/hub/" not in url)
        for begins in ("/sign-in", "/hub/login", "/hub/ticket"):
            with suppress(BrowserError):  # the proxy refuses an address with a backslash
                page.goto(f"{begins}?next={quote(next, safe='')}")
        page.close()
        assert {url for url in asked if not url.startswith((f"{people.ada.bench.url}/", "data:"))} == set()


def test_sign_out_counts_soon_for_pages_api_and_stream(people: People) -> None:
    browser = new_browser(people.chromium, people.ada.bench)
    sign_in(browser, "ada")
    page, other = browser.new_page(), browser.new_page()
    for one in (page, other):
        one.goto("/")
    kept = browser.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()  # so the Hub, too, has done it
    browser.add_cookies(kept)  # as somebody who had copied them
    ask = "() => fetch('/api/v1/me').then((answer) => answer.status)"
    wait_for(lambda: other.evaluate(ask) == 401, SOON)
    browser.close()


def test_a_restart_of_the_portal_signs_nobody_out(people: People) -> None:
    bench = people.ada.bench
    page = people.ada.page()
    token = page.evaluate("document.body.dataset.xsrf")
    before = bench.pids()["portal"]
    bench.kill("portal")
    wait_for(lambda: bench.pids().get("portal") not in (None, before) and bench.answers())
    ask = """(xsrf) => fetch("/api/v1/sessions", {method: "POST", body: '{"environment": "none"}',
        headers: {"Content-Type": "application/json", "X-XSRFToken": xsrf}}).then((answer) => answer.json())"""
    assert page.evaluate(ask, token)["code"] == "no_such_environment"
    page.reload()
    expect(page.locator(".person")).to_have_text("ada")
    page.close()
