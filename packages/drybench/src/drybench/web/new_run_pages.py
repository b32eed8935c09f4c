"""New run: a form made from a notebook."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import DrybenchError, Refused
from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.run_form import RunForm, filled, wanted
from drybench.web.showing import inspected
from drybench.web.templating import page
from drybench.web.uploads import closed_form, sent_notebook

router = APIRouter(include_in_schema=False, route_class=PageRoute, dependencies=[Depends(closed_form)])


@router.get("/runs/new")
def new(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    return _form(request, portal, asker, RunForm())


@router.post("/runs/new/parameters")
async def parameters(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    """The form again, with fields for the parameters of the notebook that was just chosen."""
    form = filled(await request.form())
    try:
        sent = await sent_notebook(request)
        found = await run_in_threadpool(inspected, portal, sent.notebook, sent.name)
        form = form.with_notebook(found, sent.name)
    except Refused as refusal:
        return _form(request, portal, asker, form.refused(refusal))
    return _form(request, portal, asker, form)


@router.post("/runs/new")
async def submit(request: Request, portal: Here, asker: ForAll) -> Response:
    """With script the answer is put into the page, so the chosen file stays chosen when something is wrong."""
    fields = await request.form()
    form = filled(fields)
    try:
        sent = await sent_notebook(request)
        found = await run_in_threadpool(inspected, portal, sent.notebook, sent.name)
        form = form.with_notebook(found, sent.name)
        run = await run_in_threadpool(
            portal.runs.submit, asker.person, wanted(form, sent), form.key or None, asker.origin
        )
    except DrybenchError as refusal:
        if not isinstance(refusal, Refused) and refusal.status >= 500:
            raise
        return _form(request, portal, asker, form.refused(refusal))
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"hx-redirect": f"/runs/{run.id}"})
    return RedirectResponse(f"/runs/{run.id}", 303)


def _form(request: Request, portal: Here, asker: ForAll, form: RunForm) -> HTMLResponse:
    return page(
        request,
        "run_new.html",
        status=form.refusal.status if form.refusal else 200,
        asker=asker,
        form=form,
        environments=portal.catalogue.environments(),
        sizes=portal.catalogue.sizes(),
        limit=portal.settings.runs.notebook_limit,
        timeout=portal.settings.runs.timeout,
    )
