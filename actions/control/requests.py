"""The one door for requests: whoever asks, a run begins with a procedure, a typed request, a subject and an origin.

Who may ask, and what was meant, has been decided before; nothing is read from words here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from actions.engine.claims import ALL, Mode, Wanted, wanted_by
from actions.engine.due_times import DueTime
from actions.engine.errors import Refused
from actions.engine.facts import to_json
from actions.engine.ids import ERRAND, RUN, new_id
from actions.engine.journal import Kind
from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.store.ledger import Ledger
from actions.store.transaction import Draft, Lease


@dataclass(frozen=True)
class Subject:
    """What a run is about: a service on a site, or the site as a whole where no service is named."""

    site: str
    service: str = ""

    @property
    def name(self) -> str:
        """The name under which journals and claims know it; no service has a space in its name."""
        return self.service or f"site {self.site}"


@dataclass(frozen=True)
class OpenedRun:
    """A run that was asked for; `new` is False where the same request had come before."""

    id: str
    new: bool
    summary: str


@dataclass(frozen=True)
class ChildPlace:
    """What a child is opened for: the step of its parent, the item there, and how many were opened for that before.

    `says` is told of it in the parent's journal, by whoever holds the parent's `lease`.
    """

    parent: Run
    lease: Lease
    step: int
    item: str
    before: int = 0
    says: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for whoever opens it again, after whatever death."""
        return f"child {self.parent.id} {self.step} {self.before} {self.item}"


def open_run(
    store: Ledger,
    procedure: Procedure,
    request: Any,
    *,
    by: Speaker,
    subject: Subject,
    origin: Mapping[str, str],
    key: str,
    linked: Mapping[str, str] | None = None,
    beside: Sequence[str] = (),
    due: DueTime | None = None,
) -> OpenedRun:
    """Write a request into a new journal, once for each key, and once for the due time of a schedule.

    A run that has its service for itself has those `beside` for itself too: who writes into several servers.
    `origin` says where it came from; the `incident` in it is told of the run, with what `linked` adds to that.

    Raises:
        Refused: its second site is its own.
        Busy: another run holds the service.
    """
    _must_be_two(procedure, request, subject)
    run = new_id(store.clock(), ERRAND if procedure.lane is Lane.ERRAND else RUN)
    data = requested(procedure, request, by, subject, {**origin, "key": key})
    tells = _linked(run, data, linked or {})
    claims = _claims(procedure, request, subject, beside)
    name, new = store.open_run(run, data, claims=claims, key=key, tells=tells, due=due)
    return OpenedRun(name, new, data["summary"])


def open_child(
    store: Ledger,
    procedure: Procedure,
    request: Any,
    *,
    subject: Subject,
    place: ChildPlace,
    beside: Sequence[str] = (),
) -> OpenedRun:
    """Write the request of a child into a new journal, once for its place, and into its parent's that it began.

    It is asked for by whoever asked for the parent, and comes from where that came from. `beside` is as of `open_run`.

    Raises:
        Busy: another run holds the service, or another child of the parent.
        Fenced: the parent is carried out by another worker by now.
        Refused: it needs a second site, and none is named.
    """
    _must_be_two(procedure, request, subject)
    run = new_id(store.clock(), ERRAND if procedure.lane is Lane.ERRAND else RUN)
    parent, first = place.parent, store.entries(place.parent.id)[0].data
    own = {"parent": parent.id, "step": str(place.step), "item": place.item, "key": place.key}
    # Not its thread: a child has one of its own.
    carried = {name: parent.origin[name] for name in ("sink", "channel", "incident") if parent.origin.get(name)}
    origin = {**carried, **own, "lenders": " ".join((*parent.lenders, parent.id))}
    by = Speaker(parent.requester, str(first.get("name") or parent.requester), may_ask=True, may_approve=False)
    data = requested(procedure, request, by, subject, origin)
    began = (Kind.BEGAN, place.step, {**place.says, "item": place.item, "child": run, "procedure": procedure.name})
    tells = (*_linked(run, data, {}), (parent.id, began))
    name, new = store.open_run(
        run, data, claims=_claims(procedure, request, subject, beside), key=place.key, tells=tells, lease=place.lease
    )
    return OpenedRun(name, new, data["summary"])


def _claims(procedure: Procedure, request: Any, subject: Subject, beside: Sequence[str] = ()) -> list[Wanted]:
    """What is about a site as a whole claims all that is on it; of a second site that of the service there."""
    own = subject.service or ALL
    about = str(getattr(request, procedure.there_about)) if procedure.there_about else own
    claims = [
        replace(one, service=one.service or about, site=str(getattr(request, one.site)))
        if one.site
        else replace(one, service=one.service or own)
        for one in wanted_by(procedure.claims, procedure.yields)
    ]
    alone = Wanted(Mode.EXCLUSIVE, own) in claims
    return [*claims, *(Wanted(Mode.EXCLUSIVE, name) for name in beside if alone)]


def _must_be_two(procedure: Procedure, request: Any, subject: Subject) -> None:
    none = ("",) if procedure.near else ("", subject.site)
    if procedure.there and str(getattr(request, procedure.there)) in none:
        raise Refused(
            f"{procedure.name} needs a second site beside {subject.site}.",
            code="MD-RUN-040",
            detail=f"The second one that was named is '{getattr(request, procedure.there)}'. Nothing was begun.",
            hint="Name another site of the settings: [[sites]], docs/configuration.md.",
        )


def requested(
    procedure: Procedure, request: Any, by: Speaker, subject: Subject, origin: Mapping[str, str]
) -> dict[str, Any]:
    """What the journal of a run begins with."""
    return {
        "procedure": procedure.name,
        "table": procedure.table,
        # An errand is about an incident, which may be about no service; it changes nothing of the stack.
        "service": subject.service if procedure.lane is Lane.ERRAND else subject.name,
        "site": subject.site,
        "by": by.id,
        "name": by.name,
        "request": to_json(request),
        "summary": summary(procedure, request, subject.name),
        "origin": dict(origin),
        "shown": procedure.shown_for(origin),
    }


def summary(procedure: Procedure, request: Any, service: str) -> str:
    """The procedure's own sentence, with what was asked in it."""
    asked = {f.name: _shown(getattr(request, f.name)) for f in dataclasses.fields(request)}
    return procedure.summary.format_map({"service": service, **asked})


def _shown(value: Any) -> str:
    """A field of a request as people read it: by its own `__str__`, else its own text."""
    return str(value if "__str__" in vars(type(value)) else getattr(value, "text", value))


def _linked(run: str, data: Mapping[str, Any], more: Mapping[str, str]) -> tuple[tuple[str, Draft], ...]:
    """What the incident's own journal tells of the run."""
    said = {"run": run, "procedure": data["procedure"], "by": data["by"], "name": data["name"], **more}
    incident = str(data["origin"].get("incident") or "")
    return ((incident, (Kind.LINKED, None, said)),) if incident else ()
