"""Messages go out to a real mail server and to real web servers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from drybench.errors import DrybenchError, NoMailHere, NotTaken, PlaceNotAllowed, Refused
from drybench.notices import sending
from drybench.notices.destinations import Destinations
from drybench.notices.messages import Message, message, signature
from drybench.notices.sending import Letter, Sending
from drybench.settings import Settings
from tests.certificate import certificate
from tests.waiting import PATIENCE, eventually, wait_for

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOOPBACK = ("127.0.0.0/8",)
SAID = message("n1", "Failed", "wing\r\ndisc", "Cell 3 stopped.", "http://localhost:8000/runs/1", {"run": {"id": "1"}})


class Answering(ThreadingHTTPServer):
    """Notes what it gets, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers, self.hangs = 200, dict[str, str](), threading.Event()
        self.hangs.set()

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_address[1]}/hook?room=3"


class Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.server.hangs.wait(PATIENCE)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, format: str, *words: Any) -> None: ...


@contextmanager
def answering() -> Iterator[Answering]:
    server = Answering()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.hangs.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hook() -> Iterator[Answering]:
    with answering() as server:
        yield server


class Mailbox:
    def __init__(self) -> None:
        self.letters: list[tuple[list[str], EmailMessage]] = []
        self.refuses: str | None = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, to: str, options: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(to)
        return self.refuses or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append((envelope.rcpt_tos, letter))
        return "250 OK"


@asynccontextmanager
async def mail_server(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    """In the test's own loop, on a free port; what sends to it works in a thread.

    A connection is over when both sides have let it go: one that is left spoils a later test.
    """
    loop, calls = asyncio.get_running_loop(), list[SMTP]()

    def answered() -> SMTP:
        calls.append(SMTP(mailbox, hostname="localhost", **options))
        return calls[-1]

    server = await loop.create_server(answered, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await eventually(lambda: not any(call.transport for call in calls))


def posts(settings: Settings | None = None, **more: Any) -> Sending:
    return Sending(settings or Settings(), Destinations(**{"may_reach": LOOPBACK, **more}), lambda: NOW)


def to_webhook(url: str, said: Message = SAID) -> Letter:
    return Letter("webhook", url, said, "the secret")


async def test_a_webhook_gets_json_that_proves_where_it_is_from(hook: Answering) -> None:
    await posts().send(to_webhook(hook.url()))
    [(path, headers, body)] = hook.got
    assert path == "/hook?room=3"
    assert headers["host"] == hook.url().split("/")[2]
    told = json.loads(body)
    assert told["title"] == "Failed: wing disc"
    assert (told["format"], told["notice"], told["run"]) == (1, "n1", {"id": "1"})
    parts = dict(part.split("=", 1) for part in headers["drybench-signature"].split(","))
    assert parts["t"] == str(int(NOW.timestamp()))
    expected = hmac.new(b"the secret", parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    assert "the secret" not in str(headers) + body.decode()


async def test_what_the_docs_show_tells_a_message_of_the_bench_from_any_other(hook: Answering) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "notices.md"
    shown: dict[str, Any] = {}
    exec(re.search("```python\n(import hashlib.*?)```", page.read_text(), re.DOTALL)[1], shown)  # type: ignore[index]
    sending = Sending(Settings(), Destinations(LOOPBACK), lambda: datetime.now(UTC))
    await sending.send(to_webhook(hook.url()))
    [(_, headers, body)] = hook.got
    is_from_the_bench = shown["is_from_the_bench"]
    assert is_from_the_bench("the secret", headers["drybench-signature"], body)
    assert not is_from_the_bench("another", headers["drybench-signature"], body)
    assert not is_from_the_bench("the secret", headers["drybench-signature"], body + b" ")
    old = signature("the secret", NOW, body)
    assert not is_from_the_bench("the secret", old, body)


async def test_redirects_are_not_followed(hook: Answering) -> None:
    with answering() as elsewhere:
        hook.status, hook.headers = 307, {"Location": elsewhere.url()}
        with pytest.raises(NotTaken, match="redirects are not followed"):
            await posts().send(to_webhook(hook.url()))
        assert elsewhere.got == []


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
async def test_what_the_webhook_answers_is_said_without_its_address(hook: Answering, status: int) -> None:
    hook.status = status
    with pytest.raises(NotTaken, match=f"it answered HTTP {status}") as refused:
        await posts().send(to_webhook(hook.url()))
    assert "127.0.0.1" not in str(refused.value)


async def test_a_webhook_that_is_away_or_hangs(hook: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 0.3)
    hook.hangs.clear()
    with pytest.raises(NotTaken):
        await posts().send(to_webhook(hook.url()))
    with pytest.raises(NotTaken, match="no connection"):
        await posts().send(to_webhook("http://127.0.0.1:1/"))


async def test_without_the_keepers_word_nothing_reaches_the_bench_itself(hook: Answering) -> None:
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        with pytest.raises(PlaceNotAllowed):
            await posts(may_reach=()).check("webhook", hook.url(host))
        with pytest.raises(PlaceNotAllowed):
            await posts(may_reach=()).send(to_webhook(hook.url(host)))
    assert hook.got == []


async def test_a_name_that_leads_elsewhere_after_the_check_leads_nowhere(hook: Answering) -> None:
    leads = ["93.184.215.14", "127.0.0.1"]

    def resolve(host: str) -> Sequence[str]:
        return [leads.pop(0)] if len(leads) > 1 else leads

    rebinding = posts(may_reach=(), resolve=resolve)
    await rebinding.check("webhook", hook.url("rebinds.example"))
    with pytest.raises(PlaceNotAllowed):
        await rebinding.send(to_webhook(hook.url("rebinds.example")))
    assert hook.got == []


async def test_a_name_is_asked_for_once_and_reached_by_what_was_found(hook: Answering) -> None:
    asked: list[str] = []

    def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    await posts(resolve=resolve).send(to_webhook(hook.url("hooks.example")))
    assert asked == ["hooks.example"]
    assert hook.got[0][1]["host"].startswith("hooks.example:")


async def test_a_webhook_without_a_good_certificate_gets_nothing(hook: Answering, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path, "hooks.example"))
    hook.socket = context.wrap_socket(hook.socket, server_side=True)
    with pytest.raises(NotTaken, match="no connection"):
        await posts().send(to_webhook(hook.url().replace("http:", "https:")))
    assert hook.got == []


async def test_mail_has_one_line_for_each_header_and_one_reader() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        hostile = message(
            "n2", "Failed", "x\r\nBcc: eve@lab.example\r\n\r\nbody", "It\r\nended.", "http://b/runs/1", {}
        )
        await posts(mail(port)).send(Letter("mail", "ada@lab.example", hostile))
    [(readers, letter)] = mailbox.letters
    assert readers == ["ada@lab.example"]
    assert letter["Subject"] == "Drybench: Failed: x Bcc: eve@lab.example body"
    assert (letter["To"], letter["From"], letter["Bcc"]) == ("ada@lab.example", "bench@lab.example", None)
    assert letter["Message-ID"] == "<n2@lab.example>"
    assert letter.get_content().splitlines() == ["It ended.", "", "http://b/runs/1"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_mail_is_logged_in_for_by_a_password_from_a_file(tmp_path: Path) -> None:
    mailbox, given = Mailbox(), list[Any]()

    def log_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    (tmp_path / "password").write_text("right\n")
    asks = {"auth_required": True, "auth_require_tls": False, "authenticator": log_in}
    async with mail_server(mailbox, **asks) as port:
        await posts(mail(port, user="bench", password_file=str(tmp_path / "password"))).send(a_mail())
        (tmp_path / "password").write_text("wrong\n")
        with pytest.raises(NotTaken, match="it answered 535") as refused:
            await posts(mail(port, user="bench", password_file=str(tmp_path / "password"))).send(a_mail())
    assert len(mailbox.letters) == 1
    assert "wrong" not in str(refused.value)


async def test_mail_goes_to_no_server_whose_certificate_is_not_good(tmp_path: Path) -> None:
    mailbox, context = Mailbox(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path, "127.0.0.1"))
    async with mail_server(mailbox, tls_context=context) as port:
        with pytest.raises(NotTaken, match="no connection"):
            await posts(mail(port, tls="starttls")).send(a_mail())
    assert mailbox.letters == []


async def test_what_the_mail_server_refuses_is_said() -> None:
    mailbox = Mailbox()
    mailbox.refuses = "550 no such user ada@lab.example"
    async with mail_server(mailbox) as port:
        with pytest.raises(NotTaken, match=r"refused the address \(550\)") as refused:
            await posts(mail(port)).send(a_mail())
    assert "ada@" not in str(refused.value)
    with pytest.raises(NotTaken, match="no connection"):
        await posts(mail(1)).send(a_mail())


async def test_no_mail_without_a_server_or_to_another_domain() -> None:
    with pytest.raises(NoMailHere):
        await posts().check("mail", "ada@lab.example")
    for deed in (
        posts(mail(1, domains=["lab.example"])).check("mail", "ada@evil.lab.example"),
        posts(mail(1, domains=["lab.example"])).send(Letter("mail", "ada@elsewhere.example", SAID)),
    ):
        with pytest.raises(Refused, match="does not send mail to that domain"):
            await deed
    await posts(mail(1, domains=["Lab.example"])).check("mail", "ada@LAB.example")


async def test_slack_gets_a_message_that_calls_nobody(hook: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", hook.url().partition("/hook")[0] + "/services")
    loud = message("n3", "Failed", "<!channel> @everyone", "It ended.", "http://localhost:8000/runs/1", {})
    address = "https://hooks.slack.com/services/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"
    hook.status = 200
    with pytest.raises(DrybenchError):  # Slack says `ok`, which this server does not
        await posts().send(Letter("slack", address, loud))
    wait_for(lambda: hook.got)
    path, _, body = hook.got[0]
    assert path == "/services/T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert "<!channel>" not in body.decode()
    assert "@everyone" not in body.decode()
    assert "It ended." in body.decode()


async def test_what_a_service_says_of_a_key_is_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A plug-in that finds a key wrong names it, in its log and in its error."""
    from apprise.plugins.slack import NotifySlack

    def refuse(self: Any, **said: Any) -> None:
        self.logger.warning("the token %s is wrong", self.token_c)
        raise TypeError(f"the token {self.token_c} is wrong")

    monkeypatch.setattr(NotifySlack, "notify", refuse)
    address = "https://hooks.slack.com/services/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"
    with pytest.raises(NotTaken) as refused:
        await posts().send(Letter("slack", address, SAID))
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in f"{refused.value} {caplog.text}"
    assert refused.value.__suppress_context__


def test_a_letter_shows_neither_address_nor_secret() -> None:
    shown = repr(to_webhook("https://hooks.example/key"))
    assert "hooks.example" not in shown
    assert "secret" not in shown


def mail(port: int, **more: Any) -> Settings:
    return Settings(
        mail={"server": "127.0.0.1", "port": port, "tls": "none", "sender": "bench@lab.example", **more}  # type: ignore[arg-type]
    )


def a_mail() -> Letter:
    return Letter("mail", "ada@lab.example", SAID)
