"""The run folder: given once and for good, and read as if an enemy had written it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drybench.errors import NoSuchRun, NotFound, RecordUnreadable
from drybench.runs import output_names, run_folder
from drybench.runs.run_folder import OutputFile, Progress, RunFolders, blocks
from drybench_runner import record

AT = "2026-01-01T12:00:00.000000Z"
NOTEBOOK: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": [], "execution_count": None},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "2", "outputs": [], "execution_count": None},
    ],
}
GIVEN = json.dumps(NOTEBOOK).encode()
RESULT = record.write_result(record.Result("done", AT, AT, cells=2, executed=2))


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    root = tmp_path / "runs"
    root.mkdir()
    folders = RunFolders(root)
    folders.make("r1", {"format": 1, "id": "r1"}, {"notebook.ipynb": GIVEN})
    folders.new_attempt("r1", 1)
    return folders


@pytest.fixture
def made(folders: RunFolders) -> Path:
    return folders.path("r1") / "1" / "made"


class TestGiven:
    def test_it_is_read_only_and_its_hashes_are_known(self, folders: RunFolders) -> None:
        hashes = folders.make("r2", {"format": 1, "id": "r2"}, {"notebook.ipynb": GIVEN, "requirements.txt": b"numpy"})
        given = folders.path("r2") / "given"
        assert hashes == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in given.iterdir()}
        assert {oct(file.stat().st_mode & 0o777) for file in given.iterdir()} == {"0o400"}
        assert given.stat().st_mode & 0o777 == 0o500
        assert folders.run_json("r2") == {"format": 1, "id": "r2"}
        assert folders.given_notebook("r2") == GIVEN
        assert folders.given_unchanged("r2", hashes)

    def test_it_is_made_once(self, folders: RunFolders) -> None:
        with pytest.raises(OSError, match="not empty"):
            folders.make("r1", {"format": 1, "id": "other"}, {})
        assert folders.run_json("r1")["id"] == "r1"
        assert {file.name for file in folders.path("r1").iterdir()} == {"given", "1"}

    def test_it_is_made_whole_or_not_at_all(self, folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(run_folder.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            folders.make("r2", {"format": 1}, {"notebook.ipynb": GIVEN})
        assert list(folders.path("r2").iterdir()) == []

    @pytest.mark.parametrize("change", ["content", "more", "less", "link"])
    def test_a_change_is_seen(self, folders: RunFolders, change: str) -> None:
        hashes = folders.make("r2", {"format": 1}, {"notebook.ipynb": GIVEN})
        given = folders.path("r2") / "given"
        given.chmod(0o700)
        notebook = given / "notebook.ipynb"
        match change:
            case "content":
                notebook.chmod(0o600)
                notebook.write_bytes(b"{}")
            case "more":
                (given / "more").touch()
            case "less":
                notebook.unlink()
            case _:
                notebook.rename(given.parent / "elsewhere")
                notebook.symlink_to("../elsewhere")
        assert not folders.given_unchanged("r2", hashes)

    @pytest.mark.parametrize("content", [b"", b"[]", b"nonsense", b"\xff", b"[" * 100_000])
    def test_nonsense_is_unreadable(self, folders: RunFolders, content: bytes) -> None:
        file = folders.path("r1") / "given" / "run.json"
        file.chmod(0o600)
        file.write_bytes(content)
        with pytest.raises(RecordUnreadable):
            folders.run_json("r1")

    @pytest.mark.parametrize("id", ["..", "", "a/b", "../r1", "r1\n", "a" * 65, "-r", ".gone-r1", "r1\0"])
    def test_only_an_id_names_a_run(self, folders: RunFolders, id: str) -> None:
        for ask in (folders.path, folders.run_json, folders.remove, lambda id: folders.result(id, 1)):
            with pytest.raises(NoSuchRun):
                ask(id)

    def test_an_attempt_that_is_there_is_left_as_it_is(self, folders: RunFolders, made: Path) -> None:
        (made / "output" / "kept").touch()
        assert folders.new_attempt("r1", 1) == made
        assert (made / "output" / "kept").exists()
        assert list((folders.new_attempt("r1", 2) / "output").iterdir()) == []


def a_link(file: Path) -> None:
    (file.parent / "elsewhere").write_bytes(RESULT)
    file.symlink_to("elsewhere")


def a_huge_one(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(1 << 30)


def a_socket(file: Path) -> None:
    here = Path.cwd()
    os.chdir(file.parent)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(file.name)
    os.chdir(here)


def nonsense(content: bytes) -> Callable[[Path], Any]:
    return lambda file: file.write_bytes(content)


NOT_RESULTS = (
    b"",
    b"null",
    b"\xff\xff",
    b"[" * 200_000,
    b'{"format": 2, "outcome": "done"}',
    b'{"format": 1, "outcome": "splendid"}',
    b'{"outcome": ["done"]}',
    b'{"outcome": "done", "cell": {}}',
    b'{"outcome": "done", "cells": ' + b"9" * 5000 + b"}",
)
TRICKS = (a_link, a_huge_one, a_socket, os.mkfifo, Path.mkdir)


class TestResult:
    def test_there_is_none_until_it_is_written(self, folders: RunFolders, made: Path) -> None:
        assert folders.result("r1", 1) is None
        assert folders.result("r1", 2) is None
        (made / "result.json").write_bytes(RESULT)
        result = folders.result("r1", 1)
        assert result is not None
        assert (result["outcome"], result["executed"]) == ("done", 2)

    @pytest.mark.parametrize("trick", [*TRICKS, *map(nonsense, NOT_RESULTS)])
    def test_no_trick_is_taken_for_a_result(
        self, folders: RunFolders, made: Path, trick: Callable[[Path], Any]
    ) -> None:
        trick(made / "result.json")
        with pytest.raises(RecordUnreadable):
            folders.result("r1", 1)

    def test_made_itself_may_have_become_a_link(self, folders: RunFolders, made: Path) -> None:
        elsewhere = made.rename(made.parent / "elsewhere")
        (elsewhere / "result.json").write_bytes(RESULT)
        made.symlink_to(elsewhere)
        with pytest.raises(RecordUnreadable):
            folders.result("r1", 1)

    def test_trouble_of_this_machine_is_no_fault_of_the_record(
        self, folders: RunFolders, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_many(*_: object, **__: object) -> int:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr("drybench.beneath.os.open", too_many)
        with pytest.raises(OSError, match="Too many"):
            folders.result("r1", 1)


def write_journal(made: Path, *events: record.Event) -> None:
    with (made / "progress.jsonl").open("ab") as file:
        for event in events:
            file.writelines(record.lines(event))


def printed(text: str, index: int = 0) -> record.Event:
    return record.output(index, {"output_type": "stream", "name": "stdout", "text": text})


class TestProgress:
    def test_it_goes_on_where_it_was_left(self, folders: RunFolders, made: Path) -> None:
        assert folders.progress("r1", 1) == Progress([], 0)
        write_journal(made, record.began(AT, 2), record.cell(AT, 0, 1, 2))
        first = folders.progress("r1", 1)
        assert [event["event"] for event in first.events] == ["began", "cell"]
        assert folders.progress("r1", 1, first.next_offset) == Progress([], first.next_offset)
        with (made / "progress.jsonl").open("ab") as file:
            file.write(b'{"event": "de')
        assert folders.progress("r1", 1, first.next_offset) == Progress([], first.next_offset)
        with (made / "progress.jsonl").open("ab") as file:
            file.write(b'tail", "text": "x"}\nnonsense\n')
        last = folders.progress("r1", 1, first.next_offset)
        assert [event["event"] for event in last.events] == ["detail"]

    def test_a_line_without_end_is_passed_over(
        self, folders: RunFolders, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_folder, "JOURNAL_PART", 1000)
        (made / "progress.jsonl").write_bytes(b"x" * 2500 + b"\n")
        write_journal(made, record.detail(AT, "here"))
        offset, events = 0, []
        while (part := folders.progress("r1", 1, offset)).next_offset > offset:
            offset, events = part.next_offset, [*events, *part.events]
        assert [event["text"] for event in events] == ["here"]

    def test_a_link_says_nothing(self, folders: RunFolders, made: Path) -> None:
        (made / "progress.jsonl").symlink_to("/etc/passwd")
        assert folders.progress("r1", 1) == Progress([], 0)


class TestNotebook:
    def text_of(self, folders: RunFolders, cell: int = 0) -> list[str]:
        notebook = json.loads(folders.notebook("r1", 1))
        return [output["text"] for output in notebook["cells"][cell]["outputs"]]

    def test_before_anything_happens_it_is_the_given_one(self, folders: RunFolders) -> None:
        assert [cell["source"] for cell in json.loads(folders.notebook("r1", 1))["cells"]] == ["1", "2"]

    def test_it_is_made_from_the_journal(self, folders: RunFolders, made: Path) -> None:
        write_journal(made, record.began(AT, 2), record.cell(AT, 0, 1, 2), printed("a"), printed("b"))
        assert self.text_of(folders) == ["ab"]

    def test_the_tasks_own_counts_when_it_is_one(self, folders: RunFolders, made: Path) -> None:
        own = GIVEN.replace(b'"source": "1"', b'"source": "own"')
        (made / "notebook.ipynb").write_bytes(own)
        assert folders.notebook("r1", 1) == own

    @pytest.mark.parametrize(
        "trick", [a_link, a_huge_one, os.mkfifo, Path.mkdir, nonsense(b"{}"), nonsense(b"[" * 9999)]
    )
    def test_any_trick_leaves_the_journals(self, folders: RunFolders, made: Path, trick: Callable[[Path], Any]) -> None:
        trick(made / "notebook.ipynb")
        write_journal(made, record.began(AT, 2), record.cell(AT, 0, 1, 2), printed("a"))
        assert self.text_of(folders) == ["a"]

    def test_a_small_journal_cannot_make_a_huge_notebook(
        self, folders: RunFolders, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_folder, "NOTEBOOK_MOST", 100_000)
        shown = {"output_type": "display_data", "data": {}, "metadata": {}}
        write_journal(made, record.cell(AT, 0, 1, 2), *[record.output(0, shown, "d")] * 1000)
        write_journal(made, record.cell(AT, 1, 2, 2), printed("after", 1))
        write_journal(made, record.update("d", {"text/plain": "x" * 10_000}, {}))
        content = folders.notebook("r1", 1)
        assert len(content) < 200_000
        outputs = [cell["outputs"] for cell in json.loads(content)["cells"]]
        assert 5 < len(outputs[0]) < 20
        assert outputs[0][-1] == outputs[1][-1] == run_folder.CUT

    def test_half_a_character_does_not_stop_it(self, folders: RunFolders, made: Path) -> None:
        line = json.dumps(printed("\ud800")).encode() + b"\n"
        (made / "progress.jsonl").write_bytes(json.dumps(record.cell(AT, 0, 1, 2)).encode() + b"\n" + line)
        assert self.text_of(folders) == ["?"]


class TestLog:
    def test_it_is_read_in_parts(self, folders: RunFolders, made: Path) -> None:
        assert folders.log("r1", 1) == b""
        (made / "log.txt").write_bytes(b"0123456789")
        assert folders.log("r1", 1, since=2, most=3) == b"234"
        assert folders.log("r1", 1, since=99) == b""

    def test_a_link_says_nothing(self, folders: RunFolders, made: Path) -> None:
        (made / "log.txt").symlink_to("/etc/passwd")
        assert folders.log("r1", 1) == b""


class TestOutputs:
    def test_files_are_listed_by_name_and_links_are_none(self, folders: RunFolders, made: Path) -> None:
        output = made / "output"
        (output / "plots").mkdir()
        (output / "plots" / "a.png").write_bytes(b"png")
        (output / "table.csv").write_bytes(b"1")
        (output / "neighbour.csv").symlink_to("/etc/passwd")
        (output / "data").symlink_to("/etc")
        found = folders.outputs("r1", 1)
        assert [(file.path, file.size) for file in found] == [("plots/a.png", 3), ("table.csv", 1)]
        assert found[0] == OutputFile("plots/a.png", 3, (output / "plots" / "a.png").stat().st_mtime)
        assert folders.outputs("r1", 9) == []

    def test_what_is_listed_can_be_opened(self, folders: RunFolders, made: Path) -> None:
        for name in (b"plain", b"\xff", b"new\nline", b"\x1b[2J", "ä".encode(), b"\xe2\x80\xae.txt", b"back\\xslash"):
            Path(os.fsdecode(os.fsencode(made / "output") + b"/" + name)).write_bytes(name)
        for file in folders.outputs("r1", 1):
            assert file.path.isprintable()
            assert file.path.encode()
            with folders.open_output("r1", 1, file.path) as opened:
                assert output_names.shown(b"".join(blocks(opened))) == file.path

    @pytest.mark.parametrize("path", ["", ".", "..", "../result.json", "/etc/passwd", "x" * 5000, "\0", "\ud800"])
    def test_what_is_no_path_below_is_not_found(self, folders: RunFolders, made: Path, path: str) -> None:
        (made / "result.json").touch()
        with pytest.raises(NotFound):
            folders.open_output("r1", 1, path)

    @pytest.mark.parametrize("path", ["none", "link", "folder", "pipe"])
    def test_nothing_else_is_found(self, folders: RunFolders, made: Path, path: str) -> None:
        (made / "result.json").touch()
        (made / "output" / "link").symlink_to("../result.json")
        (made / "output" / "folder").mkdir()
        os.mkfifo(made / "output" / "pipe")
        with pytest.raises(NotFound):
            folders.open_output("r1", 1, path)

    @given(some.binary(min_size=1, max_size=12))
    def test_any_name_is_shown_as_text_and_meant_again(self, name: bytes) -> None:
        text = output_names.shown(name)
        assert text.encode().decode() == text
        assert all(letter.isprintable() or letter.isspace() for letter in text)
        if b"\\x" not in name:
            assert name in output_names.meant(text)


class TestRemove:
    def test_it_is_gone_with_all_its_odd_permissions(self, folders: RunFolders, made: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "kept").touch()
        locked = made / "output" / "locked"
        (locked / "inner").mkdir(parents=True)
        (locked / "inner" / "file").touch(mode=0)
        (made / "output" / "link").symlink_to(outside)
        os.mkfifo(made / "output" / "pipe")
        for folder in (locked / "inner", locked, made / "output", made):
            folder.chmod(0)
        folders.remove("r1")
        assert list((tmp_path / "runs").iterdir()) == []
        assert (outside / "kept").exists()

    def test_no_depth_is_too_deep(self, folders: RunFolders, made: Path, tmp_path: Path) -> None:
        here = os.open(made / "output", os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("d" * 50, dir_fd=here)
            inner = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(here)
        folders.remove("r1")
        assert list((tmp_path / "runs").iterdir()) == []

    def test_a_removal_that_was_killed_is_finished_by_the_next(self, folders: RunFolders, tmp_path: Path) -> None:
        folders.path("r1").rename(tmp_path / "runs" / "half")
        (tmp_path / "runs" / ".gone-r1").mkdir()
        (tmp_path / "runs" / "half").rename(tmp_path / "runs" / ".gone-r1" / "half")
        folders.remove("r1")
        assert list((tmp_path / "runs").iterdir()) == []

    def test_one_that_is_not_there_is_no_trouble(self, folders: RunFolders) -> None:
        folders.remove("r9")
        assert folders.run_json("r1")


def test_what_the_runner_said_last_is_kept_and_goes_through_no_link(folders: RunFolders, tmp_path: Path) -> None:
    folders.make("a-run", {"format": 1}, {})
    folders.new_attempt("a-run", 1)
    foreign = tmp_path / "foreign"
    foreign.write_text("untouched")
    (folders.path("a-run") / "1" / "runner.log").symlink_to(foreign)
    assert folders.last_words("a-run", 1) == ""
    folders.keep_last_words("a-run", 1, "out of breath")
    assert (folders.last_words("a-run", 1), foreign.read_text()) == ("out of breath", "untouched")


def test_a_finished_attempt_is_no_longer_written_to(folders: RunFolders, tmp_path: Path) -> None:
    folders.make("a-run", {"format": 1}, {})
    output = folders.new_attempt("a-run", 1) / "output"
    (output / "deep").mkdir()
    (output / "deep" / "areas.csv").write_text("1")
    own, linked = tmp_path / "own.txt", tmp_path / "linked.txt"
    own.write_text("the person's")
    linked.write_text("also")
    (output / "link").symlink_to(own)
    (output / "second-name").hardlink_to(linked)
    folders.seal("a-run", 1)
    folders.seal("a-run", 2)
    writable = {
        path.name for path in (output, output / "deep", output / "deep" / "areas.csv") if path.stat().st_mode & 0o222
    }
    assert writable == set()
    assert own.stat().st_mode & 0o200
    assert linked.stat().st_mode & 0o200
    folders.remove("a-run")
    assert not folders.path("a-run").exists()


def test_what_nests_without_end_is_sealed_as_far_as_it_goes(folders: RunFolders) -> None:
    """Or it would never be cleared away, and take every descriptor that the portal has."""
    folders.make("a-run", {"format": 1}, {})
    made = folders.new_attempt("a-run", 1)
    here = os.open(made / "output", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (made / "log.txt").write_text("words")
    folders.seal("a-run", 1)
    assert not (made / "log.txt").stat().st_mode & 0o222
    folders.remove("a-run")


@pytest.mark.parametrize("what", ["told", "told/.go_on-1.new", "told/go_on-1.json"])
def test_a_word_to_an_attempt_goes_through_no_link(folders: RunFolders, tmp_path: Path, what: str) -> None:
    folders.make("a-run", {"format": 1}, {})
    folders.new_attempt("a-run", 1)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("untouched")
    link = folders.path("a-run") / "1" / what
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere if what == "told" else elsewhere / "file")
    with suppress(RecordUnreadable):
        folders.tell("a-run", 1, "go_on-1", {"from": 3})
    assert [(file.name, file.read_text()) for file in elsewhere.iterdir()] == [("file", "untouched")]


def test_a_word_is_told_once(folders: RunFolders) -> None:
    folders.make("a-run", {"format": 1}, {})
    folders.new_attempt("a-run", 1)
    assert not folders.was_told("a-run", 1, "let_go")
    folders.tell("a-run", 1, "let_go", {})
    folders.tell("a-run", 1, "let_go", {})
    assert folders.was_told("a-run", 1, "let_go")
    assert [file.name for file in (folders.path("a-run") / "1" / "told").iterdir()] == ["let_go.json"]
