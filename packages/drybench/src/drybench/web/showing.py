"""What a page and its JSON twin both show of a session or a run. Read from ledger and run folder, in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drybench.errors import RecordUnreadable
from drybench.model import App, Environment, Run, Session
from drybench.phases import Outcome, Phase
from drybench.runs.causes import Cause, cause
from drybench.runs.notebooks import kernel_of, language_of, read_notebook
from drybench.runs.parameters import read_parameters
from drybench.web.portal import Portal
from drybench.web.shapes import EnvironmentJson, InspectedJson, ParameterJson, RunJson, SessionJson

_BAD = frozenset({Outcome.FAILED, Outcome.LOST})


@dataclass(frozen=True)
class ShownRun:
    run: Run
    ahead: int
    cause: Cause | None


@dataclass(frozen=True)
class ShownSession:
    session: Session
    what: str  # JupyterLab in Python
    ahead: int
    url: str
    cause: Cause | None
    others: Sequence[tuple[App, str]]  # its other apps, each with its address


def shown_session(portal: Portal, session: Session) -> ShownSession:
    task = session.task
    why = None
    if task.outcome in _BAD:
        why = cause(task.reason, exit_code=task.exit_code, memory=task.memory, refusal=task.detail)
    others = [(app, url) for app, url in portal.sessions.apps(session) if app.name != session.app]
    ahead, url = portal.sessions.ahead(session), portal.sessions.url(session)
    return ShownSession(session, _what(portal, session), ahead, url, why, others)


def shown_run(portal: Portal, run: Run, whole: bool = False) -> ShownRun:
    """`whole` opens the run's own record for what it says of a failure; a list goes without."""
    return ShownRun(run, portal.runs.ahead(run), _cause(portal, run, whole))


def session_json(portal: Portal, session: Session) -> SessionJson:
    shown = shown_session(portal, session)
    return SessionJson.of(session, shown.url, shown.ahead, shown.cause, portal.sessions.apps(session))


def run_json(portal: Portal, run: Run, whole: bool = False) -> RunJson:
    shown = shown_run(portal, run, whole)
    return RunJson.of(run, f"{portal.addresses.public}/runs/{run.id}", shown.ahead, shown.cause)


def environment_json(portal: Portal, environment: Environment) -> EnvironmentJson:
    return EnvironmentJson.of(environment, portal.catalogue.kernels(environment))


def inspected(portal: Portal, notebook: bytes, name: str) -> InspectedJson:
    read = read_notebook(notebook, portal.settings.runs.notebook_limit, name)
    parameters = read_parameters(read)
    return InspectedJson(
        parameters=[ParameterJson.of(parameter) for parameter in parameters],
        has_cell=parameters.has_cell,
        note=parameters.note,
        kernel=kernel_of(read),
        language=language_of(read),
    )


def _what(portal: Portal, session: Session) -> str:
    """By their titles, or their names where the bench does not have them any more."""
    offered = (offer.environment for offer in portal.catalogue.offered() if offer.startable)
    there = next((one for one in offered if one.name == session.environment), None)
    titles = {app.name: app.title for app in there.apps} if there else {}
    return f"{titles.get(session.app, session.app)} in {there.title if there else session.environment}"


def cause_of(portal: Portal, run: Run) -> Cause | None:
    """All that is known of why it did not get done."""
    return _cause(portal, run, whole=True)


def _cause(portal: Portal, run: Run, whole: bool) -> Cause | None:
    task = run.task
    if task.phase is not Phase.ENDED or task.outcome not in _BAD:
        return None
    result, timeout = None, None
    if whole:
        result = _result(portal, run)
        timeout = portal.run_folders.run_json(run.id).get("timeout")
    return cause(
        task.reason,
        result,
        timeout=timeout,
        memory=task.memory,
        used=task.memory_used,
        sizes=portal.catalogue.sizes(),
        exit_code=task.exit_code,
        by=task.stopped_by,
        machine=task.machine,
        refusal=task.detail,
    )


def _result(portal: Portal, run: Run) -> Mapping[str, Any] | None:
    try:
        return portal.run_folders.result(run.id, run.attempt)
    except RecordUnreadable:
        return None
