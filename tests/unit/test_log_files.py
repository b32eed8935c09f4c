from __future__ import annotations

from pathlib import Path

from drybench.up.log_files import growing, last_lines, rotate


def test_a_log_that_has_grown_is_emptied_in_place(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 10)
        rotate(log, most=100)
        assert log.stat().st_size == 40
        rotate(log, most=39)
        writer.write(b"new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "hub.log.1").read_text() == "old\n" * 10


def test_the_last_lines_of_anything(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    assert last_lines(log, 3) == []
    log.write_bytes(b"a\n\xff\xfe\nc\nd")
    assert last_lines(log, 3) == ["��", "c", "d"]


def test_whole_lines_as_they_come_also_after_it_was_emptied(tmp_path: Path) -> None:
    log, other = tmp_path / "hub.log", tmp_path / "portal.log"
    log.write_text("before\n")
    lines = growing([log, other], pause=0.01)
    with log.open("a") as writer, other.open("w") as second:
        writer.write("one\nhal")
        writer.flush()
        assert next(lines) == (log, "one")
        writer.write("f\n")
        writer.flush()
        assert next(lines) == (log, "half")
        second.write("two\n")
        second.flush()
        assert next(lines) == (other, "two")
    log.write_text("new\n")
    assert next(lines) == (log, "new")
