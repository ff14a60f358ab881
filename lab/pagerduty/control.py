"""The control API under /practice, which the command line and tests use, and the page that says what this is."""

from __future__ import annotations

import html
import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from lab.pagerduty.errors import PracticeError
from lab.pagerduty.faults import MODES
from lab.pagerduty.practice import PagerDutyStandIn, act, page, seen
from lab.pagerduty.things import Json

Handler = Callable[[PagerDutyStandIn, Json], Json]
STAND_IN = "A practice stand-in for PagerDuty. Nobody is paged from here."


def fault(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    mode = asked.get("mode")
    if mode not in MODES:
        raise PracticeError("unknown_fault", f"There is no fault {mode!r}.", f"Use one of: {', '.join(MODES)}")
    stand_in.account.faults.set(mode)
    return {"ok": True, "mode": mode}


def absent(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    """Who is on call nowhere now; an empty list brings everybody back."""
    people = [stand_in.account.company.person(str(one)) for one in asked.get("people") or ()]
    stand_in.account.absent = {person.id for person in people if person}
    stand_in.account.changed()
    return {"ok": True, "absent": sorted(stand_in.account.absent)}


def rotate(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    """A second secret signs beside the first (`secret`, else a new one); `finish` takes the older away."""
    found = stand_in.account.subscriptions.get(str(asked.get("subscription") or ""))
    if found is None:
        raise PracticeError("no_such_subscription", "There is no such subscription.", "See: mayday lab pagerduty")
    if asked.get("finish"):
        found.secrets = found.secrets[:1]
        return {"ok": True}
    found.secrets = [str(asked.get("secret") or secrets.token_urlsafe(48)), *found.secrets]
    stand_in.account.changed()
    return {"ok": True, "secret": found.secrets[0]}


def deliveries(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    """The last tries to deliver webhooks, oldest first."""
    wanted = str(asked.get("incident") or "")
    return {"ok": True, "deliveries": [one for one in stand_in.delivery.log if wanted in ("", one["incident"])]}


def health(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    return {
        "ok": True,
        "stand_in": "PagerDuty",
        "fault": stand_in.account.faults.mode,
        **stand_in.account.tally.as_json(),
    }


POSTS: dict[str, Handler] = {"/page": page, "/act": act, "/fault": fault, "/absent": absent, "/rotate": rotate}
GETS: dict[str, Handler] = {"/state": seen, "/deliveries": deliveries, "/health": health}


def routes(stand_in: PagerDutyStandIn) -> list[Route]:
    posts = [
        Route("/practice" + path, _endpoint(stand_in, handler), methods=["POST"]) for path, handler in POSTS.items()
    ]
    gets = [Route("/practice" + path, _endpoint(stand_in, handler)) for path, handler in GETS.items()]
    return [*posts, *gets, Route("/", _front_page), Route("/web/incidents/{id}", _incident_page(stand_in))]


def _endpoint(stand_in: PagerDutyStandIn, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
            # A foreign web page can post plain forms to this machine, but not JSON.
            return JSONResponse({"ok": False, "error": "json_wanted", "detail": "Post JSON.", "hint": ""}, 415)
        body = await request.json() if request.method == "POST" and await request.body() else {}
        try:
            return JSONResponse(handler(stand_in, {**request.query_params, **body}))
        except PracticeError as refusal:
            return JSONResponse(refusal.as_json(), 409)

    return handle


async def _front_page(_request: Request) -> Response:
    return HTMLResponse(f"<!doctype html><title>Practice PagerDuty</title><h1>{STAND_IN}</h1>")


def _incident_page(stand_in: PagerDutyStandIn) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        incident = stand_in.account.incident(str(request.path_params["id"]))
        if incident is None:
            return HTMLResponse(
                f"<!doctype html><title>Not found</title><p>{STAND_IN}</p><p>No such incident.</p>", 404
            )
        title = html.escape(f"#{incident.number} {incident.title}")
        notes = "".join(f"<li>{html.escape(note.content)}</li>" for note in incident.notes)
        return HTMLResponse(
            f"<!doctype html><title>{title}</title><p>{STAND_IN}</p><h1>{title}</h1>"
            f"<p>{incident.status}, urgency {incident.urgency}</p><ul>{notes}</ul>"
        )

    return handle
