"""The run folder is the message: `given/` is ours, `N/made/` is what attempt N wrote.

Everything below `made/` is hostile input: it is opened beneath the folder without following
links, is a regular file, and every read is bounded. On an engine of one account a task could
write to `given/` too, so that is read in the same way, and the ledger keeps its hashes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from drybench.beneath import NotPlain, folder_beneath, list_beneath, open_beneath, read_beneath, read_part_beneath
from drybench.errors import NoSuchRun, NotFound, RecordUnreadable, Refused
from drybench.model import Account
from drybench.people.hands import Hands, OwnHands, lend, open_to
from drybench.runs import output_names
from drybench.runs.notebooks import read_notebook
from drybench.runs.removing import remove_tree
from drybench.runs.sealing import seal
from drybench_runner import record

NOTEBOOK_MOST = 100_000_000  # bytes of an executed notebook; a larger one is shown as far as that
RUN_JSON_MOST = 1 << 26
JOURNAL_MOST = 1 << 28  # bytes of a journal that a notebook is made from
JOURNAL_PART = 2 << 20  # read at once: at least one line, which has at most half of it
WHOLES_MOST = 1000
LAST_WORDS_MOST = 1 << 16
GIVEN_MOST = 1 << 29  # ours: what was handed in was bounded by the settings
CUT: Mapping[str, Any] = {
    "output_type": "stream",
    "name": "stderr",
    "text": "[cut here: the notebook would be too large]\n",
}

UNFIT = (NotPlain, PermissionError)


@dataclass(frozen=True)
class OutputFile:
    path: str  # relative to output/, with slashes, as `output_names` shows it
    size: int
    modified: float


@dataclass(frozen=True)
class Progress:
    """What a journal says so far. `events` are those since the offset that was asked for."""

    events: Sequence[Mapping[str, Any]]
    next_offset: int


class RunFolders:
    def __init__(self, root: Path, hands: Hands | None = None) -> None:
        self._root = root
        self._hands = hands or OwnHands()

    def make(self, run_id: str, run_json: Mapping[str, Any], files: Mapping[str, bytes]) -> Mapping[str, str]:
        """Write `given/` once, whole or not at all, read-only; the sha256 of each file in it."""
        return write_given(self.path(run_id), {"run.json": json.dumps(run_json, indent=1).encode(), **files})

    def path(self, run_id: str) -> Path:
        return self._root / _checked(run_id)

    def new_attempt(self, run_id: str, attempt: int, account: Account | None = None) -> Path:
        """The empty `N/made/` with its `output/`; one that is there already is left as it is.

        A task of another account can write to `made/` and read the rest, as far as it is mounted for it. The run's
        folder itself stays private, or where root can give it away is open to nobody but that account.
        """
        made = self.path(run_id) / str(attempt) / "made"
        for folder in (made.parent, made, made / "output"):
            folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None and account.uid != os.geteuid():
            _show_to_all(self.path(run_id) / "given")
            made.parent.chmod(0o755)
            for folder in (made, made / "output"):
                lend(folder, account)
            if os.geteuid() == 0:
                open_to(self.path(run_id), account)
        return made

    def tell(self, run_id: str, attempt: int, word: str, said: Mapping[str, Any]) -> None:
        """The portal's word to an attempt that is at work, whole or not at all; a second one of that name counts."""
        content, new = json.dumps({"format": 1, **said}).encode(), f".{word}.{secrets.token_hex(4)}"
        folder = self.path(run_id) / str(attempt)
        others = folder.stat().st_mode & 0o055
        with suppress(FileExistsError):
            (folder / "told").mkdir(mode=0o700)
        with self._told(run_id, attempt) as told:
            os.fchmod(told, 0o700 | others)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=told)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(content)
                os.fchmod(descriptor, 0o600 | others & 0o044)
            os.rename(new, f"{word}.json", src_dir_fd=told, dst_dir_fd=told)

    def was_told(self, run_id: str, attempt: int, word: str) -> bool:
        with suppress(FileNotFoundError), self._told(run_id, attempt) as told:
            os.stat(f"{word}.json", dir_fd=told, follow_symlinks=False)
            return True
        return False

    def held(self, run_id: str, attempt: int) -> Path:
        """Where the kernel of a failed run is spoken to, as long as it is kept."""
        return self.path(run_id) / str(attempt) / "made" / "held"

    def run_json(self, run_id: str) -> Mapping[str, Any]:
        try:
            saved: Any = json.loads(self._given(run_id, "run.json", RUN_JSON_MOST))
        except (ValueError, RecursionError) as problem:
            raise RecordUnreadable(file="run.json", problem=problem) from None
        if not isinstance(saved, dict):
            raise RecordUnreadable(file="run.json", problem="it is no JSON object")
        return cast(dict[str, Any], saved)

    def given_notebook(self, run_id: str) -> bytes:
        return self._given(run_id, "notebook.ipynb", GIVEN_MOST)

    def given_file(self, run_id: str, name: str, most: int) -> bytes | None:
        """Another file that was handed in, or None."""
        try:
            return read_beneath(self._root, f"{_checked(run_id)}/given/{name}", most)
        except FileNotFoundError:
            return None
        except UNFIT as problem:
            raise RecordUnreadable(file=name, problem=problem.strerror) from None

    def made_file(self, run_id: str, attempt: int, name: str, most: int) -> bytes | None:
        """A file that the runner leaves beside its result, or None. What is in it is the task's word."""
        try:
            return self._made(run_id, attempt, name, most)
        except FileNotFoundError:
            return None
        except UNFIT as problem:
            raise RecordUnreadable(file=name, problem=problem.strerror) from None

    def given_unchanged(self, run_id: str, hashes: Mapping[str, str]) -> bool:
        """Exactly these files with exactly this content."""
        folder = f"{_checked(run_id)}/given"
        try:
            names = {os.fsdecode(found.path) for found in list_beneath(self._root, folder, len(hashes) + 1)}
            return names == set(hashes) and all(
                self._sha256(f"{folder}/{name}") == digest for name, digest in hashes.items()
            )
        except (FileNotFoundError, *UNFIT):
            return False

    def result(self, run_id: str, attempt: int) -> Mapping[str, Any] | None:
        """result.json, checked; None when there is none; errors.RecordUnreadable for nonsense."""
        try:
            return record.read_result(self._made_at_last(run_id, attempt, "result.json", record.RESULT_LIMIT))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError, *UNFIT) as problem:
            raise RecordUnreadable(file="result.json", problem=problem) from None

    def had_a_hand(self, run_id: str, attempt: int) -> bool:
        """Whether its result says that somebody mended it by hand."""
        try:
            return bool((self.result(run_id, attempt) or {}).get("hand"))
        except RecordUnreadable:
            return False

    def progress(self, run_id: str, attempt: int, since: int = 0) -> Progress:
        """The journal's next whole lines from a byte offset; a broken line is passed over."""
        lines, offset = self.journal_lines(run_id, attempt, since)
        return Progress(record.read_events(b"\n".join([*lines, b""]))[0], offset)

    def journal_lines(self, run_id: str, attempt: int, since: int = 0) -> tuple[Sequence[bytes], int]:
        """The next whole lines as they were written, and the offset after them."""
        try:
            data = read_part_beneath(self._root, _below(run_id, attempt, "progress.jsonl"), since, JOURNAL_PART)
        except (FileNotFoundError, *UNFIT):
            return [], since
        whole = data.rfind(b"\n") + 1
        endless = whole == 0 and len(data) == JOURNAL_PART  # one line that fills it all: none of the runner's
        return data[:whole].split(b"\n")[:-1], since + (len(data) if endless else whole)

    def journal_length(self, run_id: str, attempt: int) -> int:
        try:
            with open_beneath(self._root, _below(run_id, attempt, "progress.jsonl")) as file:
                return os.fstat(file.fileno()).st_size
        except (FileNotFoundError, *UNFIT):
            return 0

    def notebook(self, run_id: str, attempt: int) -> bytes:
        """The executed notebook as far as it got: the task's own, else made from the journal."""
        try:
            own = self._made(run_id, attempt, "notebook.ipynb", NOTEBOOK_MOST)
            read_notebook(own, NOTEBOOK_MOST)
        except (FileNotFoundError, Refused, *UNFIT):
            return self._rebuilt(run_id, attempt)
        return own

    def keep_last_words(self, run_id: str, attempt: int, words: str) -> None:
        """What the runner itself printed, beside what the run made."""
        kept = self.path(run_id) / str(attempt) / "runner.log"
        new = kept.with_name(f".{kept.name}.{secrets.token_hex(4)}")
        try:
            _write_for_good(new, words.encode())
            new.replace(kept)
        except OSError:  # a full disk: it is tried again, and must not leave something each time
            new.unlink(missing_ok=True)
            raise

    def last_words(self, run_id: str, attempt: int) -> str:
        """Empty for a run that went well, or whose runner had nothing to say."""
        try:
            kept = f"{_checked(run_id)}/{attempt:d}/runner.log"
            return read_beneath(self._root, kept, LAST_WORDS_MOST).decode(errors="replace")
        except (FileNotFoundError, *UNFIT):
            return ""

    def seal(self, run_id: str, attempt: int) -> None:
        """Its attempt is over: what it made is looked at from now on, not written to."""
        made = self.path(run_id) / str(attempt) / "made"
        if made.is_dir():
            self._hands.take_back(made)
        seal(made)

    def log(self, run_id: str, attempt: int, since: int = 0, most: int = 1 << 20) -> bytes:
        try:
            return read_part_beneath(self._root, _below(run_id, attempt, "log.txt"), since, most)
        except (FileNotFoundError, *UNFIT):
            return b""

    def outputs(self, run_id: str, attempt: int, most: int = 10_000) -> Sequence[OutputFile]:
        """By name. Links, as those to a notebook's neighbours, are no results."""
        return self._listed(run_id, attempt, "output", most)

    def open_output(self, run_id: str, attempt: int, path: str) -> BinaryIO:
        """A file below output/, or errors.NotFound."""
        return self._open_listed(run_id, attempt, "output", path)

    def wholes(self, run_id: str, attempt: int) -> Sequence[OutputFile]:
        """What was too long for journal and notebook, and is kept beside them."""
        return self._listed(run_id, attempt, "whole", WHOLES_MOST)

    def open_whole(self, run_id: str, attempt: int, path: str) -> BinaryIO:
        return self._open_listed(run_id, attempt, "whole", path)

    def open_log(self, run_id: str, attempt: int) -> BinaryIO:
        try:
            return open_beneath(self._root, _below(run_id, attempt, "log.txt"))
        except (FileNotFoundError, *UNFIT):
            raise NotFound(what="log") from None

    def has_made(self, run_id: str, attempt: int, name: str) -> bool:
        """Whether the attempt has written such a file, be it fit to be read or not."""
        try:
            made = self.path(run_id) / str(attempt) / "made"
            return stat.S_ISREG((made / name).lstat().st_mode)
        except OSError:
            return False

    def remove(self, run_id: str) -> None:
        """The whole folder, however its tasks left it; nothing when there is none."""
        for made in self.path(run_id).glob("*/made"):
            self._hands.take_back(made)
        remove_tree(self.path(run_id))

    def with_folder(self) -> Iterator[str]:
        """Ids that have one, also one that was being removed when the portal was killed."""
        with os.scandir(self._root) as entries:
            yield from (entry.name.removeprefix(".gone-") for entry in entries)

    @contextmanager
    def _told(self, run_id: str, attempt: int) -> Generator[int]:
        """Where a task has the portal's account it could have put a link in its place: none is followed."""
        try:
            with folder_beneath(self._root, f"{_checked(run_id)}/{attempt:d}/told") as told:
                yield told
        except UNFIT as problem:
            raise RecordUnreadable(file="told/", problem=problem.strerror) from None

    def _given(self, run_id: str, name: str, most: int) -> bytes:
        try:
            return read_beneath(self._root, f"{_checked(run_id)}/given/{name}", most)
        except (FileNotFoundError, *UNFIT) as problem:
            raise RecordUnreadable(file=name, problem=problem.strerror) from None

    def _made(self, run_id: str, attempt: int, name: str, most: int) -> bytes:
        return read_beneath(self._root, _below(run_id, attempt, name), most)

    def _made_at_last(self, run_id: str, attempt: int, name: str, most: int) -> bytes:
        """What its owner closed to us is had back first."""
        try:
            return self._made(run_id, attempt, name, most)
        except PermissionError:
            self._hands.take_back(self.path(run_id) / str(attempt) / "made")
            return self._made(run_id, attempt, name, most)

    def _listed(self, run_id: str, attempt: int, folder: str, most: int) -> Sequence[OutputFile]:
        try:
            found = list(list_beneath(self._root, _below(run_id, attempt, folder), most))
        except (FileNotFoundError, *UNFIT):
            return []
        files = [OutputFile(output_names.shown(one.path), one.size, one.modified) for one in found]
        return sorted(files, key=lambda file: file.path)

    def _open_listed(self, run_id: str, attempt: int, folder: str, path: str) -> BinaryIO:
        beneath = os.fsencode(_below(run_id, attempt, folder))
        for name in output_names.meant(path):
            with suppress(FileNotFoundError, *UNFIT):
                return open_beneath(self._root, beneath + b"/" + name)
        raise NotFound(what="file")

    def _sha256(self, path: str) -> str:
        digest = hashlib.sha256()
        with open_beneath(self._root, path) as file:
            for block in blocks(file):
                digest.update(block)
        return digest.hexdigest()

    def _rebuilt(self, run_id: str, attempt: int) -> bytes:
        given = read_notebook(self.given_notebook(run_id), GIVEN_MOST)
        return json.dumps(_fitting(record.rebuild(given, self._events(run_id, attempt))), indent=1).encode()

    def _events(self, run_id: str, attempt: int) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while offset < JOURNAL_MOST:
            part = self.progress(run_id, attempt, offset)
            if part.next_offset == offset:
                return
            yield from part.events
            offset = part.next_offset


def write_given(folder: Path, given: Mapping[str, bytes]) -> Mapping[str, str]:
    """`given/` of this folder: once, whole or not at all, read-only; the sha256 of each file in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".given-", dir=folder))
    try:
        for name, content in given.items():
            _write_for_good(unfinished / name, content)
        _sync(unfinished)
        unfinished.chmod(0o500)
        unfinished.rename(folder / "given")
    except BaseException:
        remove_tree(unfinished)
        raise
    _sync(folder)
    return {name: hashlib.sha256(content).hexdigest() for name, content in given.items()}


def blocks(file: BinaryIO, size: int = 1 << 16) -> Iterator[bytes]:
    while block := file.read(size):
        yield block


def _show_to_all(given: Path) -> None:
    """Read-only still. Where a task has the portal's account a link could stand in its place: none is followed."""
    with suppress(FileNotFoundError), folder_beneath(given.parent, given.name) as opened:
        os.fchmod(opened, 0o555)
        for name in os.listdir(opened):  # noqa: PTH208
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=opened)
            try:
                os.fchmod(file, 0o444)
            finally:
                os.close(file)


def _checked(run_id: str) -> str:
    """An id comes from an address that somebody typed; it must name one folder and nothing else."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}", run_id):
        raise NoSuchRun()
    return run_id


def _below(run_id: str, attempt: int, name: str) -> str:
    return f"{_checked(run_id)}/{attempt:d}/made/{name}"


def _write_for_good(file: Path, content: bytes) -> None:
    """On the disk, not only in memory, before anybody counts on it."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fitting(notebook: dict[str, Any]) -> dict[str, Any]:
    """With as much output as may be: one update can fill many displays, so a small journal can grow large."""
    left = NOTEBOOK_MOST
    for cell in notebook["cells"]:
        for place, output in enumerate(cell.get("outputs", ())):
            left -= len(json.dumps(output))
            if left < 0:
                cell["outputs"] = [*cell["outputs"][:place], CUT]
                break
    return notebook
