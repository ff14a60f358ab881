"""The one door for requests: whoever asks, a run begins with a procedure, a typed request, a subject and an origin.

Who may ask, and what was meant, has been decided before; nothing is read from words here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from actions.engine.claims import ALL, wanted_by
from actions.engine.errors import Refused
from actions.engine.facts import to_json
from actions.engine.ids import ERRAND, RUN, new_id
from actions.engine.journal import Kind
from actions.engine.ledger import Ledger
from actions.engine.procedure import Lane, Procedure
from actions.engine.rights import Speaker
from actions.engine.transaction import Draft


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
) -> OpenedRun:
    """Write a request into a new journal, once for each key.

    `origin` says where it came from; the `incident` in it is told of the run, with what `linked` adds to that.

    Raises:
        Refused: its second site is its own.
        Busy: another run holds the service.
    """
    _must_be_two(procedure, request, subject)
    run = new_id(store.clock(), ERRAND if procedure.lane is Lane.ERRAND else RUN)
    data = requested(procedure, request, by, subject, {**origin, "key": key})
    tells = _linked(run, data, linked or {})
    # What is about a site as a whole claims all that is on it.
    own = subject.service or ALL
    claims = [
        replace(one, service=one.service or own, site=str(getattr(request, one.site)) if one.site else "")
        for one in wanted_by(procedure.claims, procedure.yields)
    ]
    name, new = store.open_run(run, data, claims=claims, key=key, tells=tells)
    return OpenedRun(name, new, data["summary"])


def _must_be_two(procedure: Procedure, request: Any, subject: Subject) -> None:
    if procedure.there and str(getattr(request, procedure.there)) in ("", subject.site):
        raise Refused(
            f"{procedure.name} needs a second site beside {subject.site}.",
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
    }


def summary(procedure: Procedure, request: Any, service: str) -> str:
    """The procedure's own sentence, with what was asked in it."""
    asked = {f.name: _shown(getattr(request, f.name)) for f in dataclasses.fields(request)}
    return procedure.summary.format_map({"service": service, **asked})


def _shown(value: Any) -> str:
    """A field of a request as people read it: by its own `__str__`, else its own text."""
    return str(value if "__str__" in vars(type(value)) else getattr(value, "text", value))


def _linked(run: str, data: Mapping[str, Any], more: Mapping[str, str]) -> tuple[str, Draft] | None:
    """What the incident's own journal tells of the run."""
    said = {"run": run, "procedure": data["procedure"], "by": data["by"], "name": data["name"], **more}
    incident = str(data["origin"].get("incident") or "")
    return (incident, (Kind.LINKED, None, said)) if incident else None
