"""Ada and Bob on one bench with TLS and own host names, each with a session; and a page that Bob's session shows.

Bob's session is Bob's code: it answers under /evil/ whatever he likes, to whoever comes, with whatever cookies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from drybench import ports
from drybench.addresses import host_label
from drybench.hub.identity import FRESH
from tests.bench import Bench, new_bench
from tests.browser.serving import CHROMIUM
from tests.certificate import certificate
from tests.waiting import A_START, PATIENCE, wait_for

DOMAIN = "bench.test"
SOON = 6 * FRESH  # on a machine that has other work
NAMES = f"MAP *.{DOMAIN} 127.0.0.1, MAP {DOMAIN} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
SETTINGS = """
[bench]
port = {port}
address = "https://bench.test:{port}"
own_host_names = true
[tls]
certificate = "{folder}/certificate.pem"
key = "{folder}/key.pem"
[hub]
authenticator = "dummy"
[hub.traits.DummyAuthenticator]
allow_all = true
[engines.local]
people_trust_each_other = true
[sizes.default]
memory = "{memory}"
"""
SESSION_CONFIG = """
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
c.ServerApp.extra_services = ["evil"]
"""
EVIL = """
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.web import RequestHandler

class Evil(RequestHandler):
    @allow_unauthenticated
    def get(self, page):
        for cookie in self.get_query_arguments("cookie"):
            self.add_header("Set-Cookie", cookie)
        self.finish("<!doctype html><title>Look at my results</title><p>Look at my results!")

default_handlers = [(r"/evil/(.*)", Evil)]
"""


@dataclass(frozen=True)
class Somebody:
    """One person with a browser of their own and a token made on the Hub's page."""

    name: str
    bench: Bench
    browser: BrowserContext
    token: str
    api: httpx.Client

    def page(self, address: str = "/") -> Page:
        page = self.browser.new_page()
        page.goto(address)
        return page

    @property
    def host(self) -> str:
        """Of their sessions."""
        return f"https://{host_label(self.name)}.{DOMAIN}:{self.bench.addresses.port}"

    def session(self, **asked_for: str) -> dict[str, Any]:
        """Their JupyterLab, started if it does not run."""
        asked = self.api.post("/sessions", json={"name": "lab", **asked_for}).raise_for_status().json()
        return wait_for(lambda: self._running(asked["id"]), A_START)

    def run(self, *sources: str, name: str = "a run", wait: bool = True, **more: Any) -> dict[str, Any]:
        run = submit(self.api, notebook(*sources), name=name, **more).raise_for_status().json()
        return self.ended(run["id"]) if wait else run

    def ended(self, id: str) -> dict[str, Any]:
        def look() -> Any:
            run = self.api.get(f"/runs/{id}").raise_for_status().json()
            return run if run["phase"] == "ended" else None

        return wait_for(look, A_START)

    def leave(self) -> None:
        """Nothing of theirs goes on."""
        for kind, end in (("sessions", "stop"), ("runs", "cancel")):
            for one in self._going(kind):
                self.api.post(f"/{kind}/{one}/{end}").raise_for_status()
            wait_for(lambda kind=kind: not self._going(kind), A_START)

    def has(self) -> dict[str, Any]:
        """Everything that somebody else could have done in their name: runs, sessions and how they are, tokens."""
        tokens = self.api.get(f"{self.bench.url}/hub/api/users/{self.name}/tokens")
        return {
            "runs": [(run["id"], run["wanted"]) for run in self.api.get("/runs").json()["items"]],
            "sessions": [(one["id"], one["wanted"]) for one in self.api.get("/sessions").json()["items"]],
            "tokens": [
                one["id"]
                for one in tokens.json()["api_tokens"]
                if one["kind"] == "api_token" and not one["session_id"] and not one["note"].startswith("Server at")
            ],
        }

    def _going(self, kind: str) -> list[str]:
        found = self.api.get(f"/{kind}").raise_for_status().json()["items"]
        return [one["id"] for one in found if one["phase"] != "ended"]

    def _running(self, id: str) -> Any:
        session = self.api.get(f"/sessions/{id}").json()
        assert session["phase"] != "ended", session
        return session if session["phase"] == "running" else None


@dataclass(frozen=True)
class People:
    ada: Somebody
    bob: Somebody
    chromium: Browser


@contextmanager
def both_come_in(bench: Bench) -> Iterator[People]:
    with sync_playwright() as playwright:
        chromium = open_chromium(playwright)
        with come_in(chromium, bench, "ada") as ada, come_in(chromium, bench, "bob") as bob:
            yield People(ada, bob, chromium)
        chromium.close()


@contextmanager
def guarded_bench(folder: Path, containers: bool = False, memory: str = "500 MiB") -> Iterator[Bench]:
    port = ports.inner((0,), taken=0)[0]
    certificate(folder, DOMAIN, f"*.{DOMAIN}")
    with new_bench(
        SETTINGS.format(port=port, folder=folder, memory=memory), "--port", str(port), containers=containers
    ) as bench:
        config = bench.home / ".jupyter"
        config.mkdir()
        (config / "jupyter_server_config.py").write_text(SESSION_CONFIG)
        (config / "evil.py").write_text(EVIL)
        yield bench


def open_chromium(playwright: Playwright) -> Browser:
    args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--host-resolver-rules={NAMES}"]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=args)


def new_browser(browser: Browser, bench: Bench) -> BrowserContext:
    context = browser.new_context(base_url=bench.url, ignore_https_errors=True)
    context.set_default_timeout(1000 * PATIENCE)
    return context


def sign_in(browser: BrowserContext, name: str) -> None:
    page = browser.new_page()
    page.goto("/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    page.close()


def make_token(browser: BrowserContext) -> str:
    """On the Hub's page, by its button."""
    page = browser.new_page()
    page.goto("/hub/token")
    made = page.locator("#token-result")
    for _ in range(6):  # before the Hub's script is there, the button only loads the page again
        page.get_by_role("button", name="Request new API token").click()
        with suppress(AssertionError):
            expect(made).to_have_text(re.compile(r"\w"), timeout=10_000)
            break
    token = made.inner_text()
    page.close()
    return token


@contextmanager
def come_in(browser: Browser, bench: Bench, name: str) -> Iterator[Somebody]:
    context = new_browser(browser, bench)
    sign_in(context, name)
    token = make_token(context)
    with bench.api(token) as api:
        somebody = Somebody(name, bench, context, token, api)
        try:
            yield somebody
        finally:
            somebody.leave()
    context.close()


def notebook(*sources: str) -> bytes:
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for source in sources
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}).encode()


def submit(api: httpx.Client, content: bytes, file: str = "analysis.ipynb", **asked: Any) -> httpx.Response:
    return api.post("/runs", files={"notebook": (file, content)}, data={"request": json.dumps(asked)})
