"""Watch one task of the local engine: start it, keep how it ended, leave nothing of it behind.

`python -I -S local_watcher.py FOLDER`, with the order as JSON on its standard input: the
environment in it may hold tokens, which lie in no file and in no process list. One file and the
standard library only, since it outlives the bench that started it. What it keeps in FOLDER:

    watching      flock of the one watcher
    lock          flock whose descriptor the command inherits: held as long as the command lives
    watcher.json  who watches; there before the command is, so that nothing starts twice
    command.json  who the command is; it says so itself, just before it becomes the command
    stop.json     what the engine left before it sent SIGTERM: how long the end may take
    usage.json    memory and cores, when they have changed
    log           what the command printed, up to a limit
    exit.json     how it ended: the last word

Where a watcher was killed, a new one takes its place. It cannot learn the exit code any more,
but it waits for the end, clears away what is left and says so.
"""

# it reads /proc at every pulse, so by what is cheap
# ruff: noqa: PTH115, PTH116, PTH123, PTH208
from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

Record = dict[str, Any]
Become = Callable[[Record, int], object]  # with the order and the lock, whose descriptor stays open

LOG_LIMIT = 64 << 20
LOG_FULL = b"\n[drybench: this log has reached its limit; what follows is left out]\n"
GRACE = 10.0  # for a SIGTERM that did not come from the engine
LEFT_BEHIND = 2.0  # what the command leaves behind has this long to end by itself
GIVE_UP = 60.0  # a process in an uninterruptible wait cannot be ended by anybody
BLIND_FOR = 2.0  # at most between two looks, however long a look takes on a busy machine
OOM_SCORE = 500  # the kernel takes a task before it takes the bench or the desktop
RECORD = 1024  # every record has this size; that of the end is reserved, so that it fits on a full disk
SMALL = 1 << 16

PR_SET_CHILD_SUBREAPER = 36
PIDFD_SEND_SIGNAL, PIDFD_OPEN = 424, 434  # not in `os` of every Python built for older systems
libc = ctypes.CDLL(None, use_errno=True)
PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """A look at a process. Pid and start time together name one process of this boot."""

    pid: int
    start_time: int
    group: int
    session: int
    ticks: int  # of CPU
    resident: int

    @property
    def who(self) -> tuple[int, int]:
        return self.pid, self.start_time


def look(pid: int) -> Process | None:
    """None when there is none, or only a zombie of it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = text[text.rindex(b")") + 2 :].split()
    if words[0] in (b"Z", b"X"):
        return None
    return Process(
        pid=pid,
        start_time=int(words[19]),
        group=int(words[2]),
        session=int(words[3]),
        ticks=int(words[11]) + int(words[12]),
        resident=int(words[21]) * PAGE,
    )


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identity(pid: int) -> Record:
    found = look(pid)
    return {"format": 1, "pid": pid, "start_time": found.start_time if found else 0, "boot_id": boot_id()}


def find(record: Record | None) -> Process | None:
    """The very process of that identity, if it still lives: pids recur, and after a reboot start times do."""
    if record is None or record.get("boot_id") != boot_id() or not isinstance(pid := record.get("pid"), int):
        return None
    found = look(pid)
    return found if found and found.start_time == record.get("start_time") else None


def open_process(pid: int) -> int:
    """A descriptor that means this process for ever; readable once it has ended."""
    return _syscall(PIDFD_OPEN, pid, 0)


def send(process: Process, number: int) -> bool:
    """Signal this very process and never one that got its pid since; False where that is not allowed."""
    try:
        descriptor = open_process(process.pid)
        try:
            now = look(process.pid)
            if now is not None and now.who == process.who:
                _syscall(PIDFD_SEND_SIGNAL, descriptor, number, None, 0)
        finally:
            os.close(descriptor)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True


def read(path: Path) -> Record | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        try:
            return dict(json.loads(file.read(SMALL)))
        except (TypeError, ValueError):
            return None


def write(path: Path, record: Record, lasting: bool = False) -> None:
    """All of it or nothing; lasting: over a power cut too."""
    new = _reserve(path)
    descriptor = os.open(new, os.O_WRONLY | os.O_NOFOLLOW)
    with open(descriptor, "wb") as file:
        file.write(json.dumps(record).encode().ljust(RECORD))
        file.flush()
        if lasting:
            os.fsync(descriptor)
    new.rename(path)
    if lasting:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


class Usage:
    """What the task uses. Memory is PSS, so that what forked workers share counts once.

    To learn it the kernel walks all their pages, so it is asked for only when the resident
    sizes, which are never less, are together above the limit.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.pause = 0.1  # until the next look
        self._path = folder / "usage.json"
        self._limit = limit or sys.maxsize
        self._ticks = 0
        self._at = time.monotonic()
        self._written = (0, 0.0)

    def is_over(self, tree: list[Process]) -> bool:
        began = time.monotonic()
        memory = sum(process.resident for process in tree)
        if memory > self._limit:
            memory = sum(map(_proportional, tree))
        self.pause = min(BLIND_FOR, max(20 * (time.monotonic() - began), self._until_it_could_be_over(memory)))
        self._say(memory, self._cores(tree))
        return memory > self._limit

    def _until_it_could_be_over(self, memory: int) -> float:
        """One core fills about 2 GiB in a second."""
        return min(1.0, max(0.1, (self._limit - memory) / (2 << 30)))

    def _cores(self, tree: list[Process]) -> float:
        ticks, now = sum(process.ticks for process in tree), time.monotonic()
        used = max(0, ticks - self._ticks) / TICKS / max(now - self._at, 0.01)
        self._ticks, self._at = ticks, now
        return round(used, 1)

    def _say(self, memory: int, cores: float) -> None:
        before, cores_before = self._written
        if abs(memory - before) > before / 32 or abs(cores - cores_before) > 0.1:
            self._written = (memory, cores)
            with suppress(OSError):  # a full disk: it is only for the page
                write(self._path, {"format": 1, "memory": memory, "cpu": cores})


class Remains:
    """Every process that is provably of this task.

    Proofs: it descends from the watcher, which is its subreaper; it holds the task's lock; its
    environment names the task. After a watcher's death also: it descends from the command, or is
    of its session, as long as the command lives (later the number may mean another session).
    """

    def __init__(self, folder: Path, task: str) -> None:
        self._lock = os.path.realpath(folder / "lock")
        self._mark = f"DRYBENCH_TASK={task}".encode()
        self._not_allowed: set[tuple[int, int]] = set()

    def tree(self, command: Process | None) -> list[Process]:
        found = below(os.getpid())
        if command and command.pid not in (process.pid for process in found):
            found += [command, *below(command.pid)]
        return found

    def find(self, command: Process | None) -> list[Process]:
        found = {process.pid: process for process in self.tree(command)}
        for pid in _own_pids():
            if pid not in found and (process := look(pid)) and self._is_ours(process, command):
                found[pid] = process
        found.pop(os.getpid(), None)  # it holds the lock too
        return [process for process in found.values() if process.who not in self._not_allowed]

    def send(self, process: Process, number: int) -> None:
        if not send(process, number):
            self._not_allowed.add(process.who)

    def _is_ours(self, process: Process, command: Process | None) -> bool:
        if command and process.session == command.pid:
            return True
        try:
            with open(f"/proc/{process.pid}/environ", "rb") as file:
                marked = self._mark in file.read().split(b"\0")
            return marked or self._lock in _open_files(process.pid)
        except OSError:  # gone meanwhile, or none of our business
            return False


class Watch:
    def __init__(self, folder: Path, task: str, limit: int) -> None:
        self._folder = folder
        self._remains = Remains(folder, task)
        self._usage = Usage(folder, limit)
        self._log = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        self._heard = _hear_signals()
        self._command: Process | None = None
        self._child: int | None = None
        self._status: int | None = None
        self._reason: str | None = None
        self._deadline: float | None = None
        self._look_at = 0.0

    def start(self, order: Record, lock: int, become: Become) -> None:
        _reserve(self._folder / "exit.json")
        if (self._folder / "stop.json").exists():
            self._reason = "cancelled"
            return
        self._child, problem = start(order, self._folder, lock, self._log, become)
        self._command = look(self._child)
        if problem:
            self._reason = "start_failed"
            os.write(self._log, f"drybench: {problem}\n".encode())

    def take_over(self) -> None:
        """From a watcher that was killed."""
        self._reason = "watcher_died"
        self._command = find(read(self._folder / "command.json"))
        if (self._folder / "stop.json").exists():
            self._stop()

    def until_it_ended(self) -> None:
        if self._command is not None:
            with suppress(ProcessLookupError):
                ended = open_process(self._command.pid)
                while not self._wait(self._pause(), ended):
                    self._look()
                os.close(ended)
        self._reap()

    def clear_away(self, politely: bool = True) -> None:
        """Room counts as free only when nothing of the task is left."""
        since, asked = time.monotonic(), set[tuple[int, int]]()
        while left := self._remains.find(self._living()):
            late = time.monotonic() - since
            if late > GIVE_UP:
                return
            for process in left:
                if not politely or late > LEFT_BEHIND:
                    self._remains.send(process, signal.SIGKILL)
                elif process.who not in asked:
                    asked.add(process.who)
                    self._remains.send(process, signal.SIGTERM)
            self._wait(0.05)
            self._reap()

    def say_how_it_ended(self) -> None:
        self._bound_log()
        code = None if self._status is None else os.waitstatus_to_exitcode(self._status)
        number = -code if code is not None and code < 0 else None
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        exit_code = 128 + number if number else code
        end = {"format": 1, "exit_code": exit_code, "signal": number, "reason": self._reason, "ended_at": at}
        while self._folder.exists():
            try:
                write(self._folder / "exit.json", end, lasting=True)
                break
            except OSError:  # a disk that takes nothing may take it later
                time.sleep(1)

    def _living(self) -> Process | None:
        found = look(self._command.pid) if self._command else None
        return found if found and self._command and found.who == self._command.who else None

    def _pause(self) -> float:
        until = self._look_at if self._deadline is None else min(self._look_at, self._deadline)
        return max(0.0, until - time.monotonic())

    def _wait(self, seconds: float, ended: int | None = None) -> bool:
        """Until a signal, or this long; True when the command has ended."""
        poller = select.poll()
        for descriptor in (self._heard, ended):
            if descriptor is not None:
                poller.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poller.poll(seconds * 1000)}
        if self._heard in ready:
            heard = os.read(self._heard, SMALL)
            if signal.SIGTERM in heard:
                self._stop()
            if signal.SIGCHLD in heard and ended not in ready:
                self._reap()
        return ended in ready

    def _look(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self.clear_away(politely=False)
        elif now >= self._look_at:
            self._bound_log()
            if self._usage.is_over(self._remains.tree(self._living())):
                self._reason = "out_of_memory"
                self.clear_away(politely=False)
            self._look_at = time.monotonic() + self._usage.pause

    def _stop(self) -> None:
        """The first time the command's own process group is asked; later ones only shorten its time."""
        grace = (read(self._folder / "stop.json") or {}).get("grace", GRACE)
        by = time.monotonic() + grace
        if self._deadline is None and (command := self._living()):
            for process in [*map(look, _own_pids())]:
                if process and process.group == process.session == command.pid:
                    self._remains.send(process, signal.SIGTERM)
        self._deadline = min(by, self._deadline or by)

    def _reap(self) -> None:
        """The command's status, and the orphans that came to us as their subreaper."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._child:
                    self._status = ended[1]

    def _bound_log(self) -> None:
        if os.fstat(self._log).st_size > LOG_LIMIT + len(LOG_FULL):
            os.ftruncate(self._log, LOG_LIMIT)
            os.write(self._log, LOG_FULL)


def below(root: int) -> list[Process]:
    """The living descendants of a process."""
    found: list[Process] = []
    ahead = [root]
    while ahead:
        for pid in _children(ahead.pop()):
            if process := look(pid):
                found.append(process)
                ahead.append(pid)
    return found


def start(order: Record, folder: Path, lock: int, log: int, become: Become) -> tuple[int, str]:
    """The command's pid, and what kept it from becoming the command."""
    heard, said = os.pipe()  # closed by exec, so the end of the file says that it went well
    child = os.fork()
    if not child:
        _become(order, folder, lock, log, said, become)
    os.close(said)
    with open(heard, encoding="utf-8") as file:
        return child, file.read()


def main(folder: Path) -> None:
    order: Record | None = json.loads(sys.stdin.buffer.read())
    if os.fork():
        os._exit(0)  # the watcher is nobody's child, so that no bench has to reap it
    watch(folder, order)


def watch(folder: Path, order: Record | None, become: Become | None = None) -> None:
    """`become` is what becomes the command, in place of exec."""
    _point_to(os.devnull, 0)
    _point_to(folder / "watcher.log", 2)
    if _take(folder / "watching") is None:
        _answer(_the_other_one(folder))
        return
    earlier = read(folder / "watcher.json")
    if (folder / "exit.json").exists() or not (earlier or order):
        _answer(earlier)
        return
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    limit = (order or earlier or {}).get("memory", 0)
    watching = Watch(folder, folder.name, limit)
    lock = _take(folder / "lock")
    me = {**identity(os.getpid()), "memory": limit}
    write(folder / "watcher.json", me, lasting=True)
    if order is None or earlier or lock is None:
        watching.take_over()
    else:
        watching.start(order, lock, become or _execute)
    _answer(me)
    watching.until_it_ended()
    watching.clear_away()
    watching.say_how_it_ended()


def _take(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _the_other_one(folder: Path) -> Record | None:
    """Who watches already; it may just have begun."""
    deadline = time.monotonic() + 1
    while (record := read(folder / "watcher.json")) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return record


def _answer(record: Record | None) -> None:
    """To the engine, which waits for the end of this; it may be gone already."""
    with suppress(BrokenPipeError):
        os.write(1, json.dumps(record).encode())
    _point_to(os.devnull, 1)


def _point_to(path: str | Path, standard: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(descriptor, standard)
    os.close(descriptor)


def _become(order: Record, folder: Path, lock: int, log: int, said: int, become: Become) -> NoReturn:
    """The command itself, in a session of its own."""
    command: list[str] = order["command"]
    try:
        os.setsid()
        for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.set_inheritable(lock, True)
        _be_taken_first()
        write(folder / "command.json", identity(os.getpid()))
        os.umask(0o022)
        os.chdir(order["workdir"])
        become(order, lock)
    except OSError as problem:
        found: object = problem.filename  # exec names the last one it tried, in bytes
        os.write(said, f"{found if isinstance(found, str) else command[0]}: {problem.strerror}".encode())
    except Exception as problem:
        os.write(said, f"the order cannot be carried out: {problem!r}".encode())
    finally:
        os._exit(127)


def _execute(order: Record, lock: int) -> None:
    os.execvpe(order["command"][0], order["command"], order["env"])


def _be_taken_first() -> None:
    """Only upwards: where the bench itself is to be taken early, its tasks are too."""
    path = Path("/proc/self/oom_score_adj")
    if int(path.read_text()) < OOM_SCORE:
        path.write_text(str(OOM_SCORE))


def _reserve(path: Path) -> Path:
    """A record's place on the disk, of the size of every record."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    if not new.exists():
        new.touch(0o600)
        new.write_bytes(b" " * RECORD)
    return new


def _hear_signals() -> int:
    """Signals as bytes of a pipe. The handlers do nothing, and exec puts them back for the command."""
    heard, said = os.pipe()
    os.set_blocking(said, False)
    signal.set_wakeup_fd(said, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: None)
    return heard


def _children(pid: int) -> Iterator[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(FileNotFoundError, ProcessLookupError):  # this thread has ended
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    yield from map(int, file.read().split())


def _own_pids() -> Iterator[int]:
    me = os.geteuid()
    for name in os.listdir("/proc"):
        with suppress(FileNotFoundError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == me:
                yield int(name)


def _open_files(pid: int) -> Iterator[str]:
    """By their names only: to touch one could wait for a share that is away."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(f"/proc/{pid}/fd/{name}")


def _proportional(process: Process) -> int:
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) << 10
    except OSError:  # gone meanwhile, or it keeps its memory to itself
        pass
    return process.resident if look(process.pid) else 0


def _syscall(number: int, *arguments: int | None) -> int:
    result = libc.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
