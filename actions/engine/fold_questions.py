"""Folding what was asked and answered: what each entry about a question makes of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from actions.engine.journal import Entry
from actions.engine.procedure import OptionEffect, Outcome
from actions.engine.run import Run
from actions.engine.run_parts import Agreement, Question


def asked(run: Run, e: Entry) -> Run:
    """A question is open."""
    assert e.step is not None
    d = e.data
    question = Question(
        e.step,
        e.n,
        d["title"],
        tuple(d["options"]),
        datetime.fromisoformat(d["expires_at"]) if d.get("expires_at") else None,
        d["plan"],
        d.get("text", ""),
        e.at,
        d.get("item", ""),
        bool(d.get("hand")),
        OptionEffect(d.get("silence") or OptionEffect.BACK),
    )
    return replace(run, question=question, answered=None, recheck=None)


def answered(run: Run, e: Entry) -> Run:
    """Somebody answered. To go on, or to try another time, has to be looked at before it counts."""
    d = e.data
    if d.get("hand"):
        return replace(run, answered=d)
    if d["leads"] == OptionEffect.AGAIN and "request" in d:
        # The other time is looked at first; until then nothing is given up for it.
        return replace(run, answered=d, recheck=e.step, again=_again(d))
    if d["leads"] != OptionEffect.ON:
        again = _again(d) if d["leads"] == OptionEffect.AGAIN else None
        undoing = Outcome.UNDONE if d["leads"] == OptionEffect.UNDO else Outcome.DISCARDED
        return replace(run, answered=d, undoing=undoing, again=again)
    fact = {"option": d["option"], "by": d["by"], "text": d.get("text", "")}
    started = run.started_at or e.at
    glass = {**d["glass"], "name": d.get("name") or d["by"], "at": e.at.isoformat()} if d.get("glass") else run.glass
    facts = {**run.facts, d["gives"]: fact}
    agreed = {**run.agreed, e.step: Agreement(d["by"], e.at)} if e.step is not None else run.agreed
    return replace(run, answered=d, recheck=e.step, facts=facts, started_at=started, glass=glass, agreed=agreed)


def _again(d: dict[str, Any]) -> dict[str, Any]:
    request = {"request": d["request"]} if "request" in d else {}
    return {"text": d.get("text", ""), "by": d["by"], **request}


def held(run: Run, e: Entry) -> Run:
    """The countdown is over for good; the question stays open."""
    asked = run.question
    if asked is None or run.answered is not None:
        return run
    options = tuple(option for option in asked.options if option["leads"] != OptionEffect.HOLD)
    return replace(run, question=replace(asked, expires_at=None, options=options))


def expired(run: Run, e: Entry) -> Run:
    """Nobody answered. An answer or a hold that was written before this counts all the same."""
    asked = run.question
    if run.answered is not None or (asked is not None and asked.expires_at is None):
        return run
    if e.data.get("leads") != OptionEffect.ON:
        return replace(run, undoing=Outcome.DISCARDED, answered={"option": "expired"})
    facts = {**run.facts, e.data["gives"]: {"option": e.data["option"], "by": "", "text": ""}}
    return replace(run, answered=e.data, recheck=e.step, facts=facts, started_at=run.started_at or e.at)


def rechecked(run: Run, e: Entry) -> Run:
    """The answer stands."""
    assert e.step is not None
    if (run.answered or {}).get("leads") == OptionEffect.AGAIN:
        return replace(run, recheck=None, undoing=Outcome.DISCARDED)
    gives, seen = str((run.answered or {}).get("gives") or ""), e.data.get("seen") or {}
    facts = {**run.facts, gives: {**run.facts[gives], "seen": seen}} if seen and gives in run.facts else run.facts
    return replace(run, recheck=None, done=run.done | {e.step}, question=None, answered=None, facts=facts)


def voided(run: Run, e: Entry) -> Run:
    """The looks that the question stood on are looked again, then it is put anew."""
    glass = None if (run.answered or {}).get("glass") else run.glass
    agreed = {step: one for step, one in run.agreed.items() if step != e.step}
    done = run.done - set(e.data["redo"])
    cleared = replace(run, recheck=None, question=None, answered=None, again=None)
    return replace(cleared, done=done, glass=glass, agreed=agreed)
