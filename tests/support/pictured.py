"""The journal of the demo's recovery, with what its questions and its report say by the procedure as it is now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from actions.catalog import find
from actions.control.requests import summary
from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Ask, Procedure
from actions.engine.put_question import put
from actions.engine.standstill import standstill
from actions.tools.names import Names
from bot.views.run_header import HeaderData
from tests.support.paths import DATA
from tests.support.worlds.company import SITE
from workers.runner.scope import scope_of

_RETOLD = (Kind.REQUESTED, Kind.ASKED, Kind.FINISHED)
_FILE = DATA / "pictured_run.json"


def entries() -> list[Entry]:
    """What was asked, shown and reported is told anew from the facts that the run found; all else as recorded."""
    told: list[Entry] = []
    for e in json.loads(_FILE.read_text())["entries"]:
        at = datetime.fromisoformat(e["at"])
        entry = Entry(e["run"], e["n"], at, Kind(e["kind"]), e["step"], e["data"], e["prev"], e["hash"])
        told.append(_as_now(told, entry) if entry.kind in _RETOLD else entry)
    return told


def _as_now(before: list[Entry], entry: Entry) -> Entry:
    if entry.kind is Kind.REQUESTED:
        procedure = find(entry.data["procedure"])
        request = facts_of.from_json(procedure.request, entry.data["request"])
        return replace(entry, data={**entry.data, "summary": summary(procedure, request, entry.data["service"])})
    run = fold(before)
    procedure = find(run.procedure)
    scope = scope_of(procedure, run, {"now": entry.at, "site": SITE, "names": Names(run.id)})
    scope["standstill"] = standstill(procedure, before)
    said = _report(procedure, scope) if entry.kind is Kind.FINISHED else _question(procedure, entry, scope)
    return replace(entry, data={**entry.data, **said})


def _question(procedure: Procedure, entry: Entry, scope: dict[str, Any]) -> dict[str, Any]:
    assert entry.step is not None
    ask = procedure.steps[entry.step]
    assert isinstance(ask, Ask)
    facts = [name for name in injection.fact_types(procedure) if name in ask.recheck]
    return put(procedure, ask, scope, facts, entry.at)[1]


def _report(procedure: Procedure, scope: dict[str, Any]) -> dict[str, Any]:
    assert procedure.report is not None
    return {"report": [facts_of.to_json(sheet) for sheet in injection.call(procedure.report, scope)]}


def seen(last: int = 0) -> HeaderData:
    """The run after so many entries, or after all."""
    told = entries()[: last or None]
    run = fold(told)
    return HeaderData(find(run.procedure), run, told, told[-1].at)
