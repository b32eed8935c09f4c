"""Below BASE_URL/drybench/: what the page in the browser asks, for the session's owner only.

Sign-in and XSRF are jupyter_server's own. The page gets the bench's answers as they are, but never the token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ApiPath, ensure_async, to_os_path, url_path_join
from tornado.web import Application, HTTPError, authenticated

from drybench_session import typed
from drybench_session.bench import Answer, Bench
from drybench_session.errors import AskWrong, NoSuchNotebook, SessionError
from drybench_session.owners import only_the_owner

MOST_RUNS = 30  # in the list at the side; the bench's own page has them all
RUN_ID = r"([0-9a-f-]{1,40})"


def add_handlers(app: Application, url: str, token: str, environ: Mapping[str, str]) -> None:
    known = {
        "bench": Bench(url, token),
        "owner": environ.get("JUPYTERHUB_USER", ""),
        "environment": environ.get("DRYBENCH_ENVIRONMENT", "python"),
    }
    base = url_path_join(app.settings["base_url"], "drybench")
    routes = {"here": Here, "inspect": Inspect, "runs": Runs, f"runs/{RUN_ID}": Run}
    app.add_handlers(".*$", [(f"{base}/{path}", handler, known) for path, handler in routes.items()])
    app.settings.setdefault("page_config_data", {})["drybench"] = "here"


class _Handler(APIHandler):
    def initialize(self, bench: Bench, owner: str, environment: str) -> None:
        self.bench = bench
        self.owner = owner
        self.environment = environment

    async def answer(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        """Refusals, the bench's and ours, have one form: code, sentence, next step."""
        try:
            only_the_owner(self.current_user, self.owner)
            answer = await ask()
        except SessionError as error:
            answer = Answer(error.status, error.as_json())
        self.set_status(answer.status)
        self.finish(answer.said)

    def asked(self) -> dict[str, Any]:
        """What was sent, which names a notebook at the least."""
        try:
            asked: Any = self.get_json_body()
        except HTTPError as error:
            raise AskWrong(problem=str(error.log_message)) from None
        if not _is_object(asked) or not isinstance(asked.get("path"), str):
            raise AskWrong(problem="it names no notebook")
        return asked

    async def notebook(self, path: str) -> bytes:
        """By way of the contents manager, which knows what is in this session's folder and what is hidden."""
        if not path.endswith(".ipynb"):
            raise NoSuchNotebook(path=path, problem="it is no notebook (.ipynb)")
        manager: Any = self.contents_manager
        try:
            file: Any = await ensure_async(manager.get(path, content=True, type="file", format="text"))
        except HTTPError as error:
            raise NoSuchNotebook(path=path, problem=error.log_message or "it is not there") from None
        return file["content"].encode()

    def folder(self, path: str) -> str:
        return str(Path(to_os_path(ApiPath(path), self.contents_manager.root_dir)).parent)


class Here(_Handler):
    """What a form needs to know of this session and its bench."""

    @authenticated
    async def get(self) -> None:
        await self.answer(self._here)

    async def _here(self) -> Answer:
        environments = await self.bench.ask("GET", "/environments")
        if environments.status != 200:
            return environments
        return Answer(
            200,
            {
                "environment": self.environment,
                "environments": environments.said["items"],
                "sizes": await self.bench.items("/sizes"),
                "root": self.contents_manager.root_dir,
            },
        )


class Inspect(_Handler):
    """What parameters a notebook has."""

    @authenticated
    async def post(self) -> None:
        await self.answer(self._inspect)

    async def _inspect(self) -> Answer:
        path = self.asked()["path"]
        notebook = await self.notebook(path)
        return await self.bench.send_notebook("/notebooks/inspect", Path(path).name, notebook, {})


class Runs(_Handler):
    @authenticated
    async def get(self) -> None:
        await self.answer(lambda: self.bench.ask("GET", "/runs", params={"limit": MOST_RUNS}))

    @authenticated
    async def post(self) -> None:
        """Run this notebook: {path, key, request}, whose parameters are as they were typed."""
        await self.answer(self._submit)

    async def _submit(self) -> Answer:
        asked = self.asked()
        path, request = asked["path"], asked.get("request")
        if not _is_object(request):
            raise AskWrong(problem="it asks for nothing")
        notebook = await self.notebook(path)
        request = {**request, "folder": self.folder(path), "parameters": _values(request.get("parameters", {}))}
        return await self.bench.send_notebook("/runs", Path(path).name, notebook, request, str(asked.get("key", "")))


class Run(_Handler):
    """One, with all that is known of why it failed."""

    @authenticated
    async def get(self, id: str) -> None:
        await self.answer(lambda: self.bench.ask("GET", f"/runs/{id}"))


def _values(texts: Any) -> dict[str, Any]:
    if not _is_object(texts) or not all(isinstance(text, str) for text in texts.values()):
        raise AskWrong(problem="its parameters are no texts")
    return {name: typed.value(text) for name, text in texts.items()}


def _is_object(sent: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(sent, dict)
