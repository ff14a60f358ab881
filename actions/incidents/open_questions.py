"""What the journals of an incident leave open, as questions. People add theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from actions.clock.times import span_rounded_up, span_words
from actions.incidents.incident import Incident
from actions.incidents.objective_results import Promise
from actions.incidents.run_story import RunStory


def questions(incident: Incident | None, runs: Sequence[RunStory], promises: Sequence[Promise]) -> Iterator[str]:
    """The open questions, those that every incident has last."""
    if incident is not None and incident.open:
        yield "The incident is still open. What is left to do?"
    if incident is not None and not incident.roles:
        yield "Nobody took a role. Who led it?"
    for promise in promises:
        if promise.verdict == "missed":
            yield f"{promise.what}: the promise of {span_words(promise.promised)} was missed. What would have kept it?"
        elif promise.verdict == "not known":
            least = promise.actual
            known = f"it was {promise.bound} {span_rounded_up(least)}" if least else "it was not counted"
            yield f"{promise.what}: {known}. How much is missing?"
    for run in runs:
        yield from _of_run(run)
    yield "What caused it, and what would have shown it earlier?"


def _of_run(run: RunStory) -> Iterator[str]:
    name = run.run.id
    if run.run.finished is None:
        yield f"Run {name} has not ended; it is {run.state}. What becomes of it?"
    if run.run.glass:
        yield f"Run {name} went on without a second person. Who looks at it now?"
    for step in run.steps:
        if step.ended in ("failed", "could not be taken back"):
            yield f"'{step.title}' {step.ended} in run {name}: {step.said} Will it happen again?"
    if run.actual is not None:
        yield from _given_up(name, run.lost)
    for line in dict.fromkeys(line for verdict in run.verdicts for line in verdict.lines):
        yield f"Found in run {name}: {line}. Is it should be?"
    if kept := run.kept:
        yield f"Run {name} kept the old data in {kept['path']}. Does anybody need something of it?"


def _given_up(run: str, lost: dict[str, Any]) -> Iterator[str]:
    if lost.get("counted") and lost.get("commits"):
        commits = f"{lost['commits']} commit{'s were' if lost['commits'] != 1 else ' was'}"
        yield f"{commits} given up in run {run}. Who has to be told, and what has to be entered again?"
