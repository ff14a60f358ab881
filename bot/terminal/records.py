"""The same words in a terminal: runs, one run's story, the journals' chains, the doctor's findings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from actions.engine.errors import NOT_READ, Refused
from actions.engine.journal import Entry, first_broken
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.engine.status import labels_of, state_of
from actions.findings import Finding
from actions.store.anchors import AnchorFile, cut_short
from actions.store.claims_check import wrong_claims
from actions.store.journal_heads import contradiction
from actions.store.store import Store
from actions.wording import counted
from bot.terminal import run_shown

_LOOKS = 5


def show_json(value: Any) -> None:
    """One JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def aligned(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    """Labels, or commands, with what belongs to them. A line is never broken, so that it can be copied."""
    known = list(rows)
    width = max((len(label) for label, _ in known), default=0)
    for label, value in known:
        console.print(f"{label:<{width}}  {value}", markup=False)


_LISTED = 50


def list_runs(store: Store, as_json: bool) -> None:
    """The runs, newest first, with their state."""
    names = store.readable(store.runs(limit=_LISTED + 1))
    found = [store.run(run) for run in names[:_LISTED]]
    if as_json:
        return show_json(listed(found))
    out = Console(highlight=False, soft_wrap=True)
    if not found:
        out.print("There was no run yet. How one begins: mayday recover help")
        return None
    print_runs(out, found)
    if len(names) > _LISTED:
        out.print(f"These are the newest {_LISTED}; mayday show RUN tells of any other.", markup=False)
    return None


def listed(found: Sequence[Run]) -> list[dict[str, Any]]:
    """Runs for JSON."""
    return [
        {
            "run": r.id,
            "procedure": r.procedure,
            "service": r.service,
            "state": state_of(r),
            "requester": r.requester,
            "requested_at": r.requested_at,
            "parent": r.parent,
        }
        for r in found
    ]


"""Runs that a list has at most."""
_WIDE = 80


def print_runs(console: Console, found: Sequence[Run]) -> None:
    """Runs for people, one line of at most 80 characters each; the table is as narrow as its longest words."""
    rows = [(r.id, _what(r), r.service, str(state_of(r)), f"{r.requested_at:%m-%d %H:%M}") for r in found]
    titles = ("run", "what", "service", "state", "UTC")
    widths = [max(len(row[i]) for row in (titles, *rows)) for i in range(len(titles))]
    over = sum(widths) + 2 * (len(widths) - 1) - _WIDE
    # A run's id is typed, a state has to be read whole; the longer of the other two gives way.
    while over > 0 and max(widths[1], widths[2]) > len(titles[2]):
        i = 1 if widths[1] >= widths[2] else 2
        widths[i], over = widths[i] - 1, over - 1
    for row in (titles, *rows):
        cells = (_fitted(cell, width) for cell, width in zip(row, widths, strict=True))
        console.print("  ".join(cells).rstrip(), markup=False)


def _what(run: Run) -> str:
    return f"{run.procedure}, child of {run.parent}" if run.parent else run.procedure


def _fitted(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"


def show_run(store: Store, procedure: Procedure | None, run: str, as_json: bool) -> None:
    """One run's story from its journal."""
    told, state = store.entries(run), store.run(run)
    if as_json:
        return show_json(
            {
                "run": run,
                "state": state_of(state),
                "labels": labels_of(state),
                "question": run_shown.question_json(state),
                "entries": [asdict(entry) for entry in told],
            }
        )
    console = Console(highlight=False, soft_wrap=True)
    for entry in told:
        run_shown.line(console, entry)
    of = f", a child of run {state.parent}" if state.parent else ""
    console.print(f"run {run} is {state_of(state)}{of}", markup=False)
    run_shown.end(console, procedure, told)
    return None


def verify_journals(store: Store, run: str | None, as_json: bool, anchors: str = "") -> int:
    """Check the chain of one run or incident, or of all, their notes and their claims; the exit code tells."""
    lost = [(name, why) for name, why in _held_against_notes(store, anchors) if run in (None, name, "")]
    runs = [run] if run else store.journals()
    broken: list[dict[str, Any]] = [{"run": name, "entry": None, "at": None, "why": why} for name, why in lost]
    known = {name for name, _why in lost}
    for name in runs:
        try:
            told, wrong_head = _held_against_head(store, name)
        except NOT_READ:
            told, wrong_head = [], "it cannot be read: somebody changed it in the store"
        if not told and not wrong_head and not lost:
            raise Refused(f"There is no journal {name}.", code="MD-CMD-026", hint="mayday runs lists the runs.")
        if wrong := first_broken(told):
            broken.append({"run": name, "entry": wrong[0].n, "at": wrong[0].at, "why": wrong[1]})
        elif wrong_head and name not in known:
            broken.append({"run": name, "entry": None, "at": None, "why": wrong_head})
    claims = wrong_claims(store, run or "")
    if as_json:
        show_json({"journals": len(runs), "broken": broken, "claims": [asdict(claim) for claim in claims]})
    else:
        console = Console(highlight=False)
        for found in broken:
            where = f"entry {found['entry']} of {found['at']} is broken: " if found["entry"] else ""
            console.print(f"{found['run']}: {where}{found['why']}.", markup=False)
        for claim in claims:
            console.print(f"{claim.run}: {claim.why}.\n      {claim.do}", markup=False)
        beside = f" {counted(len(claims), 'claim')} not as the journals tell." if claims else ""
        console.print(f"{counted(len(runs), 'journal')} checked, {len(broken)} broken.{beside}")
    return 1 if broken or claims else 0


def _held_against_notes(store: Store, path: str) -> Iterator[tuple[str, str]]:
    """What the notes outside of the store say that the store does not; a file that cannot be used is said too."""
    if not path:
        return
    file = AnchorFile(Path(path))
    try:
        found = file.read()
    except OSError as trouble:
        yield path, f"the notes of the journals' heads cannot be read ({trouble.strerror or type(trouble).__name__})"
        return
    if found is not None:
        yield from ((path, f"line {number} was not signed by this installation") for number in found.forged)
        yield from cut_short(found, store.entries)


def _held_against_head(store: Store, name: str) -> tuple[list[Entry], str]:
    """A journal's entries, and in which way the table of journals says something else."""
    told, wrong = store.entries(name), ""
    for _ in range(_LOOKS):
        wrong = contradiction(store.head(name), told)
        if not wrong:
            break
        # Somebody may have written between the two looks; what is still so at the last one stays so.
        told = store.entries(name)
    return told, wrong


def show_findings(found: Sequence[Finding], as_json: bool) -> int:
    """What the doctor found; the exit code tells whether all is well."""
    if as_json:
        show_json([asdict(finding) for finding in found])
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in found:
            mark = "[green]well[/]" if finding.ok else "[red]ill [/]"
            console.print(f"{mark}  {finding.name}: ", end="")
            console.print(finding.seen, markup=False)
            if finding.do and not finding.ok:
                console.print(f"      {finding.do}", markup=False)
    return 0 if all(finding.ok for finding in found) else 1
