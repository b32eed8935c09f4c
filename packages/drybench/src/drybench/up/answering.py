"""Whether a part of the bench answers, asked the way its users reach it."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from drybench.addresses import Addresses
from drybench.ports import LOOPBACK

PAUSE = 0.05  # seconds between two questions
_EVERY_INTERFACE = {"0.0.0.0": LOOPBACK, "::": "::1"}


@dataclass(frozen=True)
class Question:
    """`host` is the name that the proxy's rules go by; `where` is where it is asked."""

    part: str
    where: tuple[str, int]
    path: str
    host: str
    tls: bool = False


def questions(addresses: Addresses, tls: bool) -> Sequence[Question]:
    door = (_EVERY_INTERFACE.get(addresses.listen, addresses.listen), addresses.port)
    name = addresses.public.partition("://")[2]
    return (
        Question("hub", (LOOPBACK, addresses.hub_port), "/hub/api/health", f"{LOOPBACK}:{addresses.hub_port}"),
        Question("portal", door, "/health", name, tls),
        Question("proxy", door, "/hub/api/health", name, tls),
    )


async def until_it_answers(question: Question) -> None:
    while not await asyncio.to_thread(answers, question):
        await asyncio.sleep(PAUSE)


def answers(question: Question) -> bool:
    connection = _connection(question)
    try:
        connection.request("GET", question.path, headers={"Host": question.host})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(question: Question) -> http.client.HTTPConnection:
    """The certificate is not checked: it is our own door, whatever name it is made out to."""
    if not question.tls:
        return http.client.HTTPConnection(*question.where, timeout=2)
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(*question.where, timeout=2, context=unchecked)
