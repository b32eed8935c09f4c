"""A small server that speaks the API, for what the client does when a bench misbehaves."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.datastructures import UploadFile

from tests.waiting import PATIENCE, wait_for

ID = "0192f0c0a1b27c3d8e4f" + "00aabbccddee"
OTHER = "0192f0c0a1b27c3d8e4f" + "00aabb112233"


ALPHA: dict[str, Any] = {
    "name": "alpha",
    "type": "float",
    "kind": "number",
    "takes": "a number from 0 to 1",
    "default": "0.5",
    "start": "0.5",
    "label": "how much",
    "help": "how much; 0..1",
    "choices": [],
    "minimum": 0,
    "maximum": 1,
    "step": None,
    "optional": False,
}


def a_run(**more: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "name": "analysis",
        "person": "ada",
        "kind": "notebook",
        "phase": "waiting",
        "wanted": "run",
        "outcome": None,
        "reason": None,
        "detail": "",
        "sentence": "",
        "next_step": "",
        "ahead": 0,
        "cell": 0,
        "cells": 0,
        "failed_cell": None,
        "environment": "python",
        "size": "default",
        "parameters": {},
        "attempt": 1,
        "created_at": "2026-11-21T08:00:00Z",
        "started_at": None,
        "ended_at": None,
        "task": "t" * 32,
        "url": f"http://localhost:1/runs/{ID}",
        "app": "lab",
        **more,
    }


ENDED = {"phase": "ended", "outcome": "done", "cell": 2, "cells": 2}


class SmallBench:
    """Answers by what the test puts into it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.requests: list[dict[str, Any]] = []
        self.notebooks: list[tuple[str, bytes]] = []
        self.looks: list[dict[str, Any]] = [ENDED]  # one for each look at the run; the last one stays
        self.tells_news = True
        self.known: list[str] = []  # what somebody who waits for news said to know
        self.all = [ID, OTHER]
        self.states = {"done": [OTHER]}
        self.most = 2  # of a list in one answer
        self.trouble: list[Response] = []  # answered first
        self.log = b"hello\n"
        self.app = FastAPI()
        self._watch()
        self._asking()
        self._runs()
        self._sessions()

    def look(self) -> dict[str, Any]:
        return a_run(**(self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]))

    def _watch(self) -> None:
        @self.app.middleware("http")
        async def keep(request: Request, go_on: Any) -> Response:
            self.asked.append((request.method, request.url.path.removeprefix("/api/v1")))
            self.headers.append(dict(request.headers))
            return self.trouble.pop(0) if self.trouble else await go_on(request)

    def _asking(self) -> None:
        app = self.app

        @app.post("/api/v1/runs", status_code=201)
        async def submit(request: Request) -> dict[str, Any]:
            await self._keep_form(request)
            return a_run()

        @app.post("/api/v1/notebooks/inspect")
        async def inspect(request: Request) -> dict[str, Any]:
            await self._keep_form(request)
            return {"parameters": [ALPHA], "has_cell": True, "note": "", "kernel": "python3", "language": "python"}

    def _runs(self) -> None:
        app = self.app

        @app.get("/api/v1/runs")
        def runs(limit: int, cursor: str | None = None, state: str | None = None) -> dict[str, Any]:
            if state is not None:
                return {"items": [a_run(id=id) for id in self.states.get(state, ())], "next": None}
            first = int(cursor or 0)
            part = self.all[first : first + min(limit, self.most)]
            more = first + len(part) < len(self.all)
            return {"items": [a_run(id=id) for id in part], "next": str(first + len(part)) if more else None}

        @app.get("/api/v1/runs/{id}")
        def run(id: str) -> dict[str, Any]:
            return {**self.look(), "id": id}

        @app.get("/api/v1/runs/{id}/wait")
        async def wait(id: str, known: str, seconds: float) -> Any:
            if not self.tells_news:
                return problem(404, "no_such_page")
            self.known.append(known)
            if len(self.looks) == 1 and self.looks[0].get("phase") != "ended":
                await asyncio.sleep(min(seconds, 0.5))  # nothing happens
            return {**self.look(), "id": id}

        @app.post("/api/v1/runs/{id}/cancel", status_code=202)
        def cancel(id: str) -> dict[str, Any]:
            return a_run(id=id, wanted="stop")

        @app.get("/api/v1/runs/{id}/notebook")
        def notebook(id: str) -> Response:
            return Response(b'{"cells": []}')

        @app.get("/api/v1/runs/{id}/log")
        def log(id: str, since: int, follow: bool) -> StreamingResponse:
            return StreamingResponse(iter([self.log[since : since + 4]]))

    def _sessions(self) -> None:
        app = self.app

        @app.get("/api/v1/sessions")
        def sessions() -> dict[str, Any]:
            return {"items": [a_run(name="python"), a_run(id=OTHER, name="python-2")], "next": None}

        @app.post("/api/v1/sessions", status_code=201)
        async def start(request: Request) -> dict[str, Any]:
            self.requests.append(await request.json())
            return a_run(name="python")

        @app.post("/api/v1/sessions/{id}/stop", status_code=202)
        def stop(id: str) -> dict[str, Any]:
            return a_run(id=id, wanted="stop", phase="running")

    async def _keep_form(self, request: Request) -> None:
        async with request.form() as form:
            file = form["notebook"]
            assert isinstance(file, UploadFile)
            self.notebooks.append((file.filename or "", await file.read()))
            self.requests.append(json.loads(str(form["request"])))

    @contextmanager
    def listening(self, unix: Path | None = None) -> Iterator[str]:
        """At a free port, whose address is given, or at a Unix socket."""
        at = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        at.bind(str(unix) if unix else ("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(self.app, log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [at]})
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield "" if unix else f"http://127.0.0.1:{at.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            at.close()


def problem(status: int, code: str = "some_code") -> JSONResponse:
    return JSONResponse({"code": code, "sentence": f"What {code} says.", "next_step": "Do this."}, status)
