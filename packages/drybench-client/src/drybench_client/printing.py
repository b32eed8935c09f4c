"""Calm text for people, JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from drybench_client.answers import Gpu, Inspected, Run, Session
from drybench_client.looking import AskedGpu, Environment, Size
from drybench_client.results import File, Retention

_WIDEST = 48  # letters of a column that could be long
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def show_json(answer: Mapping[str, Any]) -> None:
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def show_run_state(run: Run) -> None:
    print(f"Run {short(run)} ({plain(run['name'])}): {state(run)}")


def show_asked(run: Run) -> None:
    show_run_state(run)
    print(f"See it at {run['url']} or by: drybench show {short(run)}")


def show_ended(run: Run) -> None:
    show_run_state(run)
    say_error(run["sentence"], run["next_step"])


def show_session_state(session: Session) -> None:
    print(f"Session {short(session)} ({plain(session['name'])}): {state(session)}")


def show_started(session: Session) -> None:
    show_session_state(session)
    show_address(session)


def show_address(session: Session) -> None:
    print(f"Open it at {session['url']}")


def show_runs(runs: Sequence[Run], only: str | None = None) -> None:
    rows = [(short(run), run["name"], state(run), age(run["created_at"]), run["environment"]) for run in runs]
    nothing = f"No run is {only}. All of them: drybench runs" if only else "No runs yet: drybench run NOTEBOOK"
    table(("ID", "NAME", "STATE", "AGE", "ENVIRONMENT"), rows, nothing)


def show_sessions(sessions: Sequence[Session]) -> None:
    """The age is that of the last start: a session keeps its name and loses what its kernels held."""
    rows = [
        (
            it["name"],
            state(it),
            age(it["started_at"] or it.get("asked_at", it["created_at"])),
            it["environment"],
            it["url"],
        )
        for it in sessions
    ]
    table(("NAME", "STATE", "AGE", "ENVIRONMENT", "ADDRESS"), rows, nothing="No sessions: drybench start")


def show_run(run: Run) -> None:
    parameters = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in run["parameters"].items()]
    lines = [
        ("Name", run["name"]),
        ("State", state(run)),
        ("Cause", run["sentence"]),
        ("Next step", run["next_step"]),
        ("Cells", f"{run['cell']} of {run['cells']}" if run["cells"] else ""),
        ("Parameters", ", ".join(parameters)),
        ("Environment", run["environment"]),
        ("Size", run["size"]),
        ("GPUs", gpus(run.get("gpus", ()))),
        ("Asked for", _local(run["created_at"])),
        ("Started", _local(run["started_at"])),
        ("Ended", _local(run["ended_at"])),
        ("Page", run["url"]),
        ("ID", run["id"]),
    ]
    facts(lines)


def facts(lines: Sequence[tuple[str, str]]) -> None:
    """One a line; what there is nothing to say of is left out."""
    for title, words in lines:
        if words:
            print(f"{title:<13}{plain(words)}")


def gpus(asked: Iterable[AskedGpu | Gpu]) -> str:
    """As in "24 GiB, any"."""
    return ", ".join(memory(one["vram"]) if one["vram"] else "any" for one in asked)


def memory(count: int) -> str:
    """In the unit that it was most likely written in."""
    unit, name = (10**9, "GB") if count % 10**9 == 0 else (1 << 30, "GiB")
    return f"{count / unit:.4g} {name}"


def show_files(files: Sequence[File]) -> None:
    table(("FILE", "BYTES"), [(it["path"], f"{it['size']:,}") for it in files], nothing="It made no files.")


def show_retention(retention: Retention) -> None:
    rules = [("Your wish", retention["days"]), ("The keeper", retention["bench_days"])]
    facts([(who, f"{days} days after its end" if days else "for ever") for who, days in rules])
    rows = [(it["id"][-8:], it["name"], _local(it["at"])) for it in retention["going"]]
    table(("ID", "NAME", "GOES AT"), rows, nothing="Nothing goes within the next thirty days.")


def show_environments(environments: Sequence[Environment], sizes: Sequence[Size]) -> None:
    rows = [(it["name"], it["title"], ", ".join(it["kernels"]), it["size"]) for it in environments]
    table(("ENVIRONMENT", "TITLE", "KERNELS", "SIZE"), rows, nothing="There is no environment.")
    print()
    held = [
        (it["name"], f"{it['cores']:g}", f"{it['memory'] / 2**30:.1f} GiB", gpus(it["gpus"]) or "-") for it in sizes
    ]
    table(("SIZE", "CORES", "MEMORY", "GPUS"), held, nothing="There is no size.")


def show_inspected(inspected: Inspected) -> None:
    print(f"Kernel: {plain(inspected['kernel'] or 'the environment chooses')}")
    found, note = inspected["parameters"], inspected["note"]
    rows = [(it["name"], _cut(it["takes"]), _cut(it["default"]), it["label"]) for it in found]
    table(("PARAMETER", "TAKES", "DEFAULT", "LABEL"), rows, nothing=note or "It takes no parameters.")
    if found and note:
        print(plain(note))


def say(words: str) -> None:
    """Beside the result: what it says goes to people, never into a pipe."""
    print(words, file=sys.stderr)


def say_error(sentence: str, next_step: str = "") -> None:
    for line in (sentence, next_step):
        if line:
            say(plain(line))


class Progress:
    """One line that changes, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = ""
        self._terminal = sys.stderr.isatty()

    def say(self, words: str) -> None:
        words = plain(words)
        if self._terminal and words != self._shown:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
            self._shown = words

    def end(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = ""


def state(task: Run | Session) -> str:
    """In a few words, as the pages have it."""
    if task["phase"] == "ended":
        return task["outcome"] or "ended"
    if task["wanted"] == "stop":
        return "stopping"
    if task["phase"] == "waiting" and task["ahead"]:
        return f"waiting, {task['ahead']} ahead"
    cells, cell = cast("int", task.get("cells", 0)), cast("int", task.get("cell", 0))
    if task["phase"] == "running" and cells:
        return f"cell {cell} of {cells}"
    return f"{task['phase']}: {task['detail']}" if task["detail"] else task["phase"]


def short(task: Run | Session) -> str:
    """The end of an id: its beginning is the time, which neighbours share."""
    return task["id"][-8:]


def plain(text: str) -> str:
    """What somebody else wrote moves no cursor here."""
    return _CONTROLS.sub(" ", text)


def file_name(name: str) -> str:
    """For a file in this folder: a run may be called anything."""
    return plain(name).replace("/", "_").replace("\\", "_").lstrip(".")[:100].strip() or "run"


def _cut(text: str) -> str:
    """On one line, and short enough for a column; the JSON has it whole."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    if not rows:
        print(plain(nothing))
        return
    lines = [titles, *([plain(word) for word in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def age(time: str) -> str:
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _local(time: str | None) -> str:
    return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S}" if time else ""
