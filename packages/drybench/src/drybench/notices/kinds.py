"""The ways to tell somebody, and what an address of each looks like. Pure.

A service is one whose every message goes to its own public host, which is written here and not typed by anybody:
apprise, which speaks to it, opens connections by itself. What a person pastes is taken apart, and only its keys
go on. Everything else is a webhook, whose connections are ours and checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from urllib.parse import parse_qs, quote, urlsplit

from drybench.errors import ChannelWrong
from drybench.notices.destinations import web_address

MAIL, WEBHOOK = "mail", "webhook"


@dataclass(frozen=True)
class Kind:
    name: str
    title: str
    example: str
    help: str


@dataclass(frozen=True)
class Service(Kind):
    """`address` is what people paste; `apprise` is filled from its groups; the plug-in is `module.Class` there."""

    address: str
    apprise: str
    plug_in: str


_KEY = "[A-Za-z0-9_-]"
SERVICES: Mapping[str, Service] = {
    one.name: one
    for one in (
        Service(
            "slack",
            "Slack",
            "https://hooks.slack.com/services/T…/B…/…",
            "In Slack: Apps, Incoming WebHooks, Add to a channel; then copy the webhook's address.",
            r"https://hooks\.slack\.com/services/(?P<a>T[A-Z0-9]{4,20})/(?P<b>B[A-Z0-9]{4,20})/(?P<c>[A-Za-z0-9]{8,64})/?",
            "slack://{a}/{b}/{c}/?footer=no&image=no&timestamp=no",
            "slack.NotifySlack",
        ),
        Service(
            "teams",
            "Microsoft Teams",
            "https://….logic.azure.com/workflows/…/triggers/manual/paths/invoke?…&sig=…",
            "In Teams: the channel's menu, Workflows, “Send webhook alerts to a channel”; then copy its address.",
            r"https://(?P<host>[a-z0-9.-]{1,100}\.(?:logic\.azure\.com|api\.powerplatform\.com))(?::443)?"
            rf"(?P<automate>/powerautomate/automations/direct)?/workflows/(?P<flow>{_KEY}{{8,128}})"
            rf"/triggers/manual/paths/invoke/?\?(?:[^#]{{0,500}}&)?sig=(?P<sig>{_KEY}{{8,128}})(?:&[^#]{{0,500}})?",
            "workflows://{host}/{flow}/{sig}/?image=no&pa={automate}",
            "workflows.NotifyWorkflows",
        ),
        Service(
            "discord",
            "Discord",
            "https://discord.com/api/webhooks/…/…",
            "In Discord: the channel's settings, Integrations, Webhooks; then copy the webhook's address.",
            rf"https://discord(?:app)?\.com/api/webhooks/(?P<id>[0-9]{{5,25}})/(?P<token>{_KEY}{{20,120}})/?",
            "discord://{id}/{token}/?image=no",
            "discord.NotifyDiscord",
        ),
        Service(
            "google-chat",
            "Google Chat",
            "https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…",
            "In Google Chat: the space's menu, Apps & integrations, Webhooks; then copy its address.",
            rf"https://chat\.googleapis\.com/v1/spaces/(?P<space>{_KEY}{{4,64}})/messages"
            rf"\?key=(?P<key>{_KEY}{{10,80}})&token=(?P<token>{_KEY}{{10,128}})(?:%3D)*",
            "gchat://{space}/{key}/{token}/",
            "google_chat.NotifyGoogleChat",
        ),
        Service(
            "webex",
            "Webex",
            "https://webexapis.com/v1/webhooks/incoming/…",
            "In the Webex App Hub: Incoming Webhooks; then copy the webhook's address.",
            rf"https://(?:webexapis\.com|api\.ciscospark\.com)/v1/webhooks/incoming/(?P<token>{_KEY}{{40,160}})/?",
            "wxteams://{token}/",
            "webexteams.NotifyWebexTeams",
        ),
        Service(
            "telegram",
            "Telegram",
            "tgram://123456789:AA…/987654321",
            "A bot's token (ask @BotFather for one) and the number of the chat with it.",
            r"tgram://(?P<bot>[0-9]{6,12}:[A-Za-z0-9_-]{30,60})/(?P<chat>-?[0-9]{3,20})/?",
            "tgram://{bot}/{chat}/?image=no",
            "telegram.NotifyTelegram",
        ),
        Service(
            "pushover",
            "Pushover",
            "pover://USER@TOKEN",
            "Your user key and an application's token, from your page at Pushover.",
            r"pover://(?P<user>[A-Za-z0-9]{30})@(?P<token>[A-Za-z0-9]{30})/?",
            "pover://{user}@{token}/",
            "pushover.NotifyPushover",
        ),
    )
}
KINDS: Mapping[str, Kind] = {
    MAIL: Kind(MAIL, "Mail", "ada@lab.example", "A mail address."),
    WEBHOOK: Kind(
        WEBHOOK,
        "Webhook",
        "https://hooks.example/drybench",
        "An address of a program of yours: it gets JSON by POST, signed, so that it can tell that it is from here.",
    ),
    **SERVICES,
}


def checked(kind: str, typed: str) -> str:
    """The address as it is kept, or ChannelWrong."""
    if kind not in KINDS:
        raise ChannelWrong(title=kind[:40], problem="there is no such kind", example=", ".join(KINDS))
    address = typed.strip()
    try:
        if kind == MAIL:
            return _mail(address)
        if kind == WEBHOOK:
            return web_address(address).geturl()
        return _of_service(SERVICES[kind], address)
    except ValueError as problem:
        known = KINDS[kind]
        raise ChannelWrong(title=known.title, problem=problem, example=known.example) from None


def for_apprise(kind: str, address: str) -> str:
    """The same in apprise's own words, made of nothing but the keys in it."""
    service = SERVICES[kind]
    found = re.fullmatch(service.address, address)
    if found is None:
        raise ValueError("it does not look like one")
    keys = {name: value or "" for name, value in found.groupdict().items()}
    keys["automate"] = "yes" if keys.get("automate") else "no"
    return service.apprise.format_map(keys)


def hint(kind: str, address: str) -> str:
    """Enough to tell one's channels apart, and not enough to use one."""
    if kind == MAIL:
        name, _, domain = address.rpartition("@")
        return f"{name[0]}…@{domain}"
    parts = urlsplit(address)
    return f"{parts.hostname}/…" if parts.scheme.startswith("http") else f"{parts.scheme}://…"


def _mail(address: str) -> str:
    if not address.isascii() or not address.isprintable() or len(address) > 254:
        raise ValueError("it has characters that no plain address has, or too many")
    try:
        parts = Address(addr_spec=address)
    except Exception:  # the standard library's parser has errors of many kinds for what is none
        raise ValueError("it is no mail address") from None
    if parts.addr_spec != address or not re.fullmatch(r"[A-Za-z0-9.-]+", parts.domain) or '"' in parts.username:
        raise ValueError("it is no plain mail address")
    return address


def _of_service(service: Service, address: str) -> str:
    if service.name == "teams":
        address = _signature_of_flow(address)
    for_apprise(service.name, address)
    return address


def _signature_of_flow(address: str) -> str:
    """Teams' own address without what it can do without."""
    parts = urlsplit(address)
    found = parse_qs(parts.query).get("sig", [""])[0]
    return f"{parts.scheme}://{parts.netloc}{parts.path}?sig={quote(found, safe='')}"
