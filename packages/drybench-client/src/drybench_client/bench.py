"""`Bench`: ask for runs and sessions, follow them, fetch what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Unpack, cast
from uuid import uuid4

from drybench_client import errors, values
from drybench_client.answers import Inspected, Run, Session
from drybench_client.asking import Options, request_of
from drybench_client.calling import Calling
from drybench_client.environments import Equipping
from drybench_client.finding import find
from drybench_client.looking import Looking
from drybench_client.receipts import Reproducing
from drybench_client.results import Results
from drybench_client.schedules import Scheduling
from drybench_client.sharing import Sharing
from drybench_client.sweeps import Sweeping

_WHOLE_ID = 32
_PAGE = 100
_LONG = 20.0  # seconds that the bench holds its answer back while nothing happens
_PAUSE = 0.5  # between two looks, where the bench cannot be asked to tell
_RESTART = 300.0  # seconds that a wait goes on while the bench is away: a machine may start again


class Bench(Looking, Sweeping, Scheduling, Sharing, Results, Reproducing, Equipping):
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
        self, notebook: str | Path, parameters: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> Run:
        """Ask for a run of a notebook file; Refused says what is wrong with it.

        On the bench's own machine the run finds what lies beside the notebook, unless it is sent `alone`.
        """
        return self._send_notebook("/runs", Path(notebook), self._request(notebook, parameters, **options))

    def run(self, notebook: str | Path, parameters: Mapping[str, Any] | None = None, **options: Unpack[Options]) -> Run:
        """Submit it and wait, with a progress bar where somebody looks; the run's `values` are what it returned."""
        return self.wait(self.submit(notebook, parameters, **options), progress=True)

    def inspect(self, notebook: str | Path) -> Inspected:
        """The parameters and the kernel that a notebook file asks for."""
        return self._send_notebook("/notebooks/inspect", Path(notebook), {})

    def get(self, run: str | Run) -> Run:
        return self._calling.json("GET", f"/runs/{self._run_id(run)}")

    def runs(
        self, most: int | None = None, *, state: str | None = None, tag: str | None = None,
        starred: bool = False, search: str | None = None,
    ) -> Iterator[Run]:  # fmt: skip
        """One's own, the newest first; all, or those that are waiting, running, done, failed, stopped or lost."""
        return self._items("/runs", most, state=state, tag=tag, starred="true" if starred else None, search=search)

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

    def wait(
        self,
        run: str | Run,
        *,
        progress: bool = False,
        tell: Callable[[Run], None] | None = None,
        timeout: float | None = None,
    ) -> Run:
        """Until it has ended, or TimeoutError. `tell` gets every look at it. A restart of the bench is waited for.

        With `progress` a bar shows how far it is, on a terminal or in a notebook.
        """
        from drybench_client.progress import Bar

        id, until = self._run_id(run), _from_now(timeout)
        with Bar(progress) as bar:
            for seen in self._looks(id, until):
                bar.run(seen)
                if tell:
                    tell(seen)
                if seen["phase"] == "ended" and seen.get("settled", True):
                    return seen
        raise TimeoutError(f"Run {id} has not ended within {timeout:g} s; it goes on.")

    def start_session(
        self,
        environment: str | None = None,
        *,
        name: str | None = None,
        app: str | None = None,
        size: str | None = None,
        gpus: Sequence[int | str] = (),
    ) -> Session:
        """Ask for a session; its `url` leads to it, or to the page that shows it starting.

        `gpus` beside those of the size: the least memory of each, in bytes or as "8 GiB", "any".
        """
        asked = values.gpus(gpus) or None
        request = {"environment": environment, "name": name, "app": app, "size": size, "gpus": asked}
        wanted = {key: value for key, value in request.items() if value is not None}
        return self._calling.json("POST", "/sessions", json=wanted, headers=_key())

    def sessions(self) -> Iterator[Session]:
        return self._items("/sessions", None)

    def get_session(self, session: str | Session) -> Session:
        return self._calling.json("GET", f"/sessions/{self._session_id(session)}")

    def restart_session(self, session: str | Session) -> Session:
        """One that has ended, with the environment and the size that it had."""
        return self._calling.json("POST", f"/sessions/{self._session_id(session)}/start", headers=_key())

    def stop_session(self, session: str | Session) -> Session:
        """By its id or its name."""
        return self._calling.json("POST", f"/sessions/{self._session_id(session)}/stop", headers=_key())

    def remove_session(self, session: str | Session) -> None:
        """One that has ended goes off the list."""
        self._calling.bytes(f"/sessions/{self._session_id(session)}", "DELETE")

    def _looks(self, id: str, until: float) -> Iterator[Run]:
        """One at once, and then whenever there is something new, as long as there is time."""
        seen, patience = None, _from_now(_RESTART)
        while True:
            try:
                seen, patience = self._news(id, seen, until - time.monotonic()), _from_now(_RESTART)
                yield seen
            except errors.BenchAway:
                if time.monotonic() > patience:
                    raise
                time.sleep(_PAUSE)
            if time.monotonic() > until:
                return

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

    def _request(
        self, notebook: str | Path, parameters: Mapping[str, Any] | None, **asked: Unpack[Options]
    ) -> dict[str, Any]:
        return request_of(notebook, parameters, asked, self._place.here)

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
