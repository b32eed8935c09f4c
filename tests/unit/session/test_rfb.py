"""What a viewer sends, told apart whatever the pieces in which it comes; and what of it a watcher may say."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench_session.desktop.rfb import EXTENDED_CLIPBOARD, MOST_TEXT, Kind, Messages, NotRfb, Piece, Watching

HELLO = [b"RFB 003.008\n", b"\1", b"\1"]
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
POINTER = struct.pack(">BBHH", 5, 1, 10, 20)
LOOK = struct.pack(">BBHHHH", 3, 1, 0, 0, 100, 100)
SMOOTH = struct.pack(">BBHHHH", 150, 1, 0, 0, 100, 100)
PIXELS = bytes(20)
SIZE = struct.pack(">BxHHBx", 251, 800, 600, 1) + bytes(16)
QEMU_KEY = struct.pack(">BBHII", 255, 0, 1, 0x61, 30)


def fence(payload: bytes) -> bytes:
    return struct.pack(">BxxxIB", 248, 1, len(payload)) + payload


def text(content: bytes, extended: bool = False) -> bytes:
    return struct.pack(">Bxxxi", 6, -len(content) if extended else len(content)) + content


def encodings(*numbers: int) -> bytes:
    return struct.pack(f">BxH{len(numbers)}I", 2, len(numbers), *numbers)


numbers = st.integers(0, 2**32 - 1)
no_input = st.one_of(
    st.just(LOOK),
    st.just(SMOOTH),
    st.just(PIXELS),
    st.binary(max_size=64).map(fence),
    st.lists(numbers, max_size=30).map(lambda some: encodings(*some)),
)
is_input = st.one_of(
    st.just(KEY),
    st.just(POINTER),
    st.just(SIZE),
    st.just(QEMU_KEY),
    st.builds(text, st.binary(max_size=99), st.booleans()),
)


@st.composite
def in_pieces(draw: st.DrawFn, messages: Sequence[bytes]) -> list[bytes]:
    whole = b"".join(messages)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    return [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(st.data(), st.lists(no_input | is_input, max_size=12))
def test_however_it_comes_it_is_told_apart_the_same(data: st.DataObject, messages: list[bytes]) -> None:
    pieces = data.draw(in_pieces([*HELLO, *messages]))
    assert joined(fed(pieces)) == joined(fed([b"".join([*HELLO, *messages])]))
    assert b"".join(piece.data for piece in fed(pieces)) == b"".join([*HELLO, *messages])


@given(st.data(), st.lists(no_input | is_input, max_size=12))
def test_a_watchers_input_goes_nowhere_and_all_else_does(data: st.DataObject, messages: list[bytes]) -> None:
    pieces = data.draw(in_pieces([*HELLO, *messages]))
    watching = Watching()
    through = b"".join(part for piece in pieces for part in watching.feed(piece))
    passed = joined(fed([through]))
    allowed = [piece for piece in joined(fed([b"".join([*HELLO, *messages])])) if not piece.is_input]
    kinds = [piece.kind for piece in passed if piece.kind is not Kind.TEXT]
    assert kinds == [*[Kind.HELLO] * 3, Kind.ENCODINGS, *[piece.kind for piece in allowed[3:]]]
    assert [piece.data for piece in passed if piece.kind is Kind.TEXT] == [ONLY_NOTIFY]
    for piece in passed:
        assert piece.kind is not Kind.ENCODINGS or EXTENDED_CLIPBOARD in struct.unpack_from(
            f">{len(piece.data) // 4 - 1}I", piece.data, 4
        )


ONLY_NOTIFY = struct.pack(">BxxxiII", 6, -8, 1 << 24 | 1 << 27 | 1, 0)


@given(st.binary(max_size=300))
def test_noise_is_refused_or_told_apart_and_never_more(noise: bytes) -> None:
    for begin in ([], HELLO):
        messages = Messages()
        try:
            taken = b"".join(piece.data for piece in messages.feed(b"".join(begin) + noise))
        except NotRfb:
            continue
        assert (b"".join(begin) + noise).startswith(taken)


@pytest.mark.parametrize(
    "message",
    [
        b"\7",
        b"\xfa\0\1\2",
        struct.pack(">BB", 255, 1),
        struct.pack(">Bxxxi", 6, MOST_TEXT + 1),
        struct.pack(">Bxxxi", 6, -(2**31)),
        struct.pack(">BxH", 2, 65535),
        struct.pack(">BxxxIB", 248, 1, 65),
    ],
)
def test_what_is_unknown_or_too_long_is_refused_before_more_of_it_comes(message: bytes) -> None:
    messages = Messages()
    list(messages.feed(b"".join(HELLO)))
    with pytest.raises(NotRfb):
        list(messages.feed(message))


@pytest.mark.parametrize("begins", [b"GET / HTTP/1.1", b"RFB 003.003\n", b"RFB 003.008\n\2"])
def test_who_begins_otherwise_is_no_viewer(begins: bytes) -> None:
    with pytest.raises(NotRfb):
        list(Messages().feed(begins))


def test_a_long_text_is_not_held() -> None:
    messages = Messages()
    list(messages.feed(b"".join(HELLO) + struct.pack(">Bxxxi", 6, MOST_TEXT)))
    piece = bytes(1 << 20)
    for _ in range(MOST_TEXT // len(piece)):
        assert list(messages.feed(piece)) == [Piece(Kind.TEXT, piece)]
    assert list(messages.feed(KEY)) == [Piece(Kind.KEY, KEY)]


def fed(pieces: Iterable[bytes]) -> list[Piece]:
    messages = Messages()
    return [piece for some in pieces for piece in messages.feed(some)]


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """With copied texts whole again: they alone come in parts."""
    whole: list[Piece] = []
    left = 0
    for piece in pieces:
        if piece.kind is Kind.TEXT and left:
            whole[-1] = Piece(Kind.TEXT, whole[-1].data + piece.data)
            left -= len(piece.data)
        else:
            whole.append(piece)
            left = abs(struct.unpack(">4xi", piece.data)[0]) if piece.kind is Kind.TEXT else 0
    return whole
