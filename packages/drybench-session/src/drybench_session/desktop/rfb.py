"""What a viewer sends over RFB (RFC 6143 and what TigerVNC adds), told apart message by message.

Pure, and bounded: a message is held until it is whole only where its length is small; copied text goes through in
pieces. What is not known ends the connection, for nobody can say where the next message would begin.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

VERSION = b"RFB 003.008\n"
NO_PASSWORD = b"\x01"
MOST_TEXT = 64 << 20  # bytes of copied text; TigerVNC is told the same
_MOST_ENCODINGS = 256
_MOST_FENCE = 64


class Kind(StrEnum):
    HELLO = "hello"  # the version, the kind of security, whether others may look too
    PIXELS = "pixels"
    ENCODINGS = "encodings"
    LOOK = "look"  # what of the screen is to be sent, and how fast
    KEY = "key"
    POINTER = "pointer"
    TEXT = "text"
    SIZE = "size"


INPUT = frozenset({Kind.KEY, Kind.POINTER, Kind.TEXT, Kind.SIZE})


class NotRfb(Exception):
    """No viewer of ours sends this."""


@dataclass(frozen=True)
class Piece:
    """A whole message, or a part of a copied text."""

    kind: Kind
    data: bytes

    @property
    def is_input(self) -> bool:
        return self.kind in INPUT


@dataclass(frozen=True)
class _Form:
    kind: Kind
    head: int  # bytes after which the length of all is known
    rest: Callable[[bytes], int] = lambda head: 0


class Messages:
    """The messages of one connection, whatever the pieces in which they come."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._text_left = 0
        self._hello = [VERSION, NO_PASSWORD, None]

    def feed(self, data: bytes) -> Iterator[Piece]:
        self._held += data
        while piece := self._next():
            yield piece

    def _next(self) -> Piece | None:
        if not self._held:
            return None
        if self._text_left:
            return self._some_text()
        return self._greeting() if self._hello else self._message()

    def _some_text(self) -> Piece:
        piece = self._take(Kind.TEXT, min(self._text_left, len(self._held)))
        self._text_left -= len(piece.data)
        return piece

    def _greeting(self) -> Piece | None:
        expected = self._hello[0]
        length = len(expected) if expected else 1
        if expected and not expected.startswith(self._held[:length]):
            raise NotRfb(f"began with {bytes(self._held[:length])!r}")
        if len(self._held) < length:
            return None
        self._hello.pop(0)
        return self._take(Kind.HELLO, length)

    def _message(self) -> Piece | None:
        form = _FORMS.get(self._held[0])
        if form is None:
            raise NotRfb(f"message {self._held[0]}")
        if len(self._held) < form.head:
            return None
        rest = form.rest(bytes(self._held[: form.head]))
        if form.kind is Kind.TEXT:
            self._text_left = rest
            return self._take(form.kind, form.head)
        return self._take(form.kind, form.head + rest) if len(self._held) >= form.head + rest else None

    def _take(self, kind: Kind, length: int) -> Piece:
        taken = bytes(self._held[:length])
        del self._held[:length]
        return Piece(kind, taken)


def _encodings(head: bytes) -> int:
    (count,) = struct.unpack(">2xH", head)
    return 4 * _at_most(count, _MOST_ENCODINGS)


def _text(head: bytes) -> int:
    """A negative length is that of TigerVNC's extended clipboard."""
    (length,) = struct.unpack(">4xi", head)
    return _at_most(abs(length), MOST_TEXT)


def _fence(head: bytes) -> int:
    return _at_most(head[8], _MOST_FENCE)


def _screens(head: bytes) -> int:
    return 16 * head[6]


def _of_qemu(head: bytes) -> int:
    """Its one message that is known here is a key with the place that it has on the keyboard."""
    if head[1] != 0:
        raise NotRfb(f"message 255, {head[1]}")
    return 10


def _at_most(length: int, most: int) -> int:
    if length > most:
        raise NotRfb(f"a message of {length}")
    return length


_FORMS = {
    0: _Form(Kind.PIXELS, 20),
    2: _Form(Kind.ENCODINGS, 4, _encodings),
    3: _Form(Kind.LOOK, 10),
    4: _Form(Kind.KEY, 8),
    5: _Form(Kind.POINTER, 6),
    6: _Form(Kind.TEXT, 8, _text),
    150: _Form(Kind.LOOK, 10),  # continuous updates
    248: _Form(Kind.LOOK, 9, _fence),
    251: _Form(Kind.SIZE, 8, _screens),
    255: _Form(Kind.KEY, 2, _of_qemu),
}

EXTENDED_CLIPBOARD = 0xC0A1E5CE
_CAPS, _NOTIFY, _PLAIN_TEXT = 1 << 24, 1 << 27, 1 << 0
# To who only looks, the server may say that something was copied, and never what: a password is copied, too.
_ONLY_NOTIFY = struct.pack(">B3xiII", 6, -8, _CAPS | _NOTIFY | _PLAIN_TEXT, 0)


class Watching:
    """What of a watcher's messages goes on to the screen: all that is no input.

    A server sends what was copied to every viewer that did not say otherwise, so this says otherwise in its name.
    """

    def __init__(self) -> None:
        self._messages = Messages()
        self._greetings = 3

    def feed(self, data: bytes) -> Iterator[bytes]:
        for piece in self._messages.feed(data):
            if not piece.is_input:
                yield _without_what_is_copied(piece.data) if piece.kind is Kind.ENCODINGS else piece.data
            if piece.kind is Kind.HELLO:
                self._greetings -= 1
                if not self._greetings:
                    yield _encodings_message((EXTENDED_CLIPBOARD,)) + _ONLY_NOTIFY


def _without_what_is_copied(message: bytes) -> bytes:
    asked = struct.unpack(f">{(len(message) - 4) // 4}I", message[4:])
    return _encodings_message((*(one for one in asked if one != EXTENDED_CLIPBOARD), EXTENDED_CLIPBOARD))


def _encodings_message(encodings: tuple[int, ...]) -> bytes:
    return struct.pack(f">BxH{len(encodings)}I", 2, len(encodings), *encodings)
