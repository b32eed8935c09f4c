"""`Bench`: ask for runs and sessions, follow them, fetch what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from uuid import uuid4

from drybench_client import errors
from drybench_client.answers import Inspected, Run, Session
from drybench_client.calling import Calling
from drybench_client.finding import find
from drybench_client.receipts import Reproducing
from drybench_client.schedules import Scheduling
from drybench_client.sweeps import Sweeping

_WHOLE_ID = 32
_PAGE = 100
_LONG = 20.0  # seconds that the bench holds its answer back while nothing happens
_PAUSE = 0.5  # between two looks, where the bench cannot be asked to tell
_RESTART = 300.0  # seconds that a wait goes on while the bench is away: a machine may start again


class Bench(Sweeping, Scheduling, Reproducing):
    """A bench, by its address and a token, or by the data directory of one's own.

    With nothing given: DRYBENCH_URL and DRYBENCH_TOKEN (set in every session), else DRYBENCH_DATA,
    else the place where `drybench up` keeps its data.
    """

    def __init__(self, url: str | None = None, token: str | None = None, data: str | Path | None = None) -> None:
        self._place = find(url, token, data)
        self._calling = Calling(self._place)
        self._tells_news = True

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._calling.close()

    def submit(
        self,
        notebook: str | Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        environment: str | None = None,
        size: str | None = None,
        timeout: float | None = None,
        requirements: str | Path | None = None,
        tell: str | None = None,
        alone: bool = False,
        cwd: str | Path | None = None,
    ) -> Run:
        """Ask for a run of a notebook file; Refused says what is wrong with it.

        On the bench's own machine the run finds what lies beside the notebook, unless it is sent `alone`.
        `timeout` is in seconds, for the whole run; `requirements` is a requirements.txt, or the text of one.
        `tell` is failure, success, both or never: when you are told of its end; else it is as usual.
        """
        asked = {"name": name, "environment": environment, "size": size, "timeout": timeout, "alone": alone, "cwd": cwd}
        asked |= {"requirements": requirements, "tell": tell}
        return self._send_notebook("/runs", Path(notebook), self._request(notebook, parameters, **asked))

    def inspect(self, notebook: str | Path) -> Inspected:
        """The parameters and the kernel that a notebook file asks for."""
        return self._send_notebook("/notebooks/inspect", Path(notebook), {})

    def get(self, run: str | Run) -> Run:
        return self._calling.json("GET", f"/runs/{self._run_id(run)}")

    def runs(self, most: int | None = None, *, state: str | None = None) -> Iterator[Run]:
        """One's own, the newest first; all, or those that are waiting, running, done, failed, stopped or lost."""
        return self._items("/runs", most, state=state)

    def cancel(self, run: str | Run) -> Run:
        """Ask it to end; what it did so far is kept."""
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/cancel", headers=_key())

    def notebook(self, run: str | Run) -> bytes:
        """The executed notebook, as far as it got."""
        return self._calling.bytes(f"/runs/{self._run_id(run)}/notebook")

    def log(self, run: str | Run, *, follow: bool = False) -> Iterator[bytes]:
        """What the run said; with `follow` until it has ended, also across a restart of the bench."""
        id, since, until = self._run_id(run), 0, _from_now(_RESTART)
        while True:
            before = since
            try:
                with self._calling.stream(f"/runs/{id}/log", since=since, follow=int(follow)) as blocks:
                    for block in blocks:
                        since, until = since + len(block), _from_now(_RESTART)
                        yield block
                if since == before and (not follow or self.get(id)["phase"] == "ended"):
                    return
            except errors.BenchAway:
                if not follow or time.monotonic() > until:
                    raise
            if since == before:
                time.sleep(_PAUSE)

    def wait(self, run: str | Run, *, tell: Callable[[Run], None] | None = None, timeout: float | None = None) -> Run:
        """Until it has ended, or TimeoutError. `tell` gets every look at it. A restart of the bench is waited for."""
        id, seen = self._run_id(run), None
        until, patience = _from_now(timeout), _from_now(_RESTART)
        while True:
            try:
                seen, patience = self._news(id, seen, until - time.monotonic()), _from_now(_RESTART)
            except errors.BenchAway:
                if time.monotonic() > patience:
                    raise
                time.sleep(_PAUSE)
            else:
                if tell:
                    tell(seen)
                if seen["phase"] == "ended":
                    return seen
            if time.monotonic() > until:
                raise TimeoutError(f"Run {id} has not ended within {timeout:g} s; it goes on.")

    def start_session(
        self,
        environment: str | None = None,
        *,
        name: str | None = None,
        app: str | None = None,
        size: str | None = None,
    ) -> Session:
        """Ask for a session; its `url` leads to it, or to the page that shows it starting."""
        request = {"environment": environment, "name": name, "app": app, "size": size}
        wanted = {key: value for key, value in request.items() if value is not None}
        return self._calling.json("POST", "/sessions", json=wanted, headers=_key())

    def sessions(self) -> Iterator[Session]:
        return self._items("/sessions", None)

    def stop_session(self, session: str | Session) -> Session:
        """By its id or its name."""
        return self._calling.json("POST", f"/sessions/{self._session_id(session)}/stop", headers=_key())

    def _news(self, id: str, known: Run | None, left: float) -> Run:
        """The run as soon as it is no longer what is known of it, at the latest after some seconds."""
        if known is None:
            return self.get(id)
        if self._tells_news:
            asked = {"known": f"{known['phase']}:{known['cell']}", "seconds": max(0, min(left, _LONG))}
            try:
                return self._calling.json("GET", f"/runs/{id}/wait", params=asked)
            except errors.NotFound:  # by an older bench; whether the run itself is gone shows below
                self._tells_news = False
        time.sleep(max(0, min(left, _PAUSE)))
        return self.get(id)

    def _request(self, notebook: str | Path, parameters: Mapping[str, Any] | None, **asked: Any) -> dict[str, Any]:
        """What goes with a notebook. Where the bench is on this machine it finds what lies beside the notebook."""
        here = self._place.here and not asked.get("alone")
        folder = str(Path(notebook).absolute().parent) if here else None
        cwd = str(Path(asked["cwd"]).absolute()) if asked.get("cwd") else None
        needs = asked.get("requirements")
        asked["requirements"] = _text(needs) if isinstance(needs, Path) else needs
        asked["tell"] = {"on": asked["tell"]} if asked.get("tell") else None
        request = {"parameters": dict(parameters or {}), **asked, "folder": folder, "cwd": cwd}
        return {key: value for key, value in request.items() if value is not None and value is not False}

    def _send_notebook(self, path: str, file: Path, request: Mapping[str, Any], **fields: Mapping[str, Any]) -> Any:
        try:
            content = file.read_bytes()
        except OSError as error:
            why = error.strerror or "it cannot be read"
            step = "Give the path of a notebook file (.ipynb)."
            raise errors.Refused("file_unreadable", f"{file} cannot be read: {why}.", step) from None
        form = {name: _as_json(field) for name, field in {"request": request, **fields}.items()}
        files = {"notebook": (file.name, content, "application/x-ipynb+json")}
        return self._calling.json("POST", path, data=form, files=files, headers=_key())

    def _items(self, path: str, most: int | None, **chosen: str | None) -> Iterator[Any]:
        """Part by part, as far as they are asked for."""
        cursor, left = None, most
        while left is None or left > 0:
            asked = {"limit": min(left or _PAGE, _PAGE), "cursor": cursor, **chosen}
            params = {name: value for name, value in asked.items() if value is not None}
            part = self._calling.json("GET", path, params=params)
            items = part["items"] if left is None else part["items"][:left]
            yield from items
            left, cursor = left if left is None else left - len(items), part["next"]
            if not cursor:
                return

    def _run_id(self, run: str | Run) -> str:
        return _id_of(run, "run", lambda: self.runs(most=1000))

    def _session_id(self, session: str | Session) -> str:
        return _id_of(session, "session", self.sessions)


def _id_of(thing: str | Mapping[str, Any], what: str, those: Callable[[], Iterator[Any]]) -> str:
    """A whole id, or the one that begins or ends so or has that name."""
    if not isinstance(thing, str):
        return cast("str", thing["id"])
    if len(thing) == _WHOLE_ID and thing.isalnum():
        return thing
    found = [it for it in those() if what == "session" and it["name"] == thing] or [
        it for it in those() if thing and (it["id"].startswith(thing) or it["id"].endswith(thing))
    ]
    if len(found) == 1:
        return found[0]["id"]
    if found:
        step = "Give more of it: " + ", ".join(it["id"] for it in found[:5])
        raise errors.Refused("not_unique", f"{len(found)} {what}s have {thing} in their id.", step)
    raise errors.NotFound("not_found", f"You have no {what} {thing}.", f"`drybench {what}s` lists them.")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        step = "Give the path of a requirements.txt in UTF-8."
        raise errors.Refused("file_unreadable", f"{file} cannot be read: {error}.", step) from None


def _as_json(request: Mapping[str, Any]) -> str:
    try:
        return json.dumps(request, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        step = "Give text, numbers, true, false, null, and lists and objects of these."
        raise errors.Refused("parameters_wrong", f"A parameter is not plain JSON: {error}.", step) from None


def _key() -> dict[str, str]:
    """So that asking again, when a connection broke, asks for nothing twice."""
    return {"Idempotency-Key": uuid4().hex}


def _from_now(seconds: float | None) -> float:
    return float("inf") if seconds is None else time.monotonic() + seconds
