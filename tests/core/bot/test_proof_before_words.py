"""No word of success stands anywhere before its proof, at any moment of a real recovery's journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from actions import catalog
from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.incidents.milestones import milestones
from actions.incidents.story_lines import story_lines
from bot.slack.run_thread import story
from bot.views.run_header import HeaderData
from tests.support.recorded import told_as

TOLD = list(told_as("r1"))
PROVEN = next(e.n for e in TOLD if e.kind is Kind.DONE and e.data.get("title") == "prove that it is writable")
ENDED = next(e.n for e in TOLD if e.kind is Kind.FINISHED)
AFTER_THE_END = re.compile(r"\b(recovered\b(?! is in service)|, kept\b)", re.IGNORECASE)
AFTER_THE_PROOF = re.compile(r"\bis in service\b|\bwritable\b", re.IGNORECASE)


def said(told: list[Entry]) -> Iterator[str]:
    """All that anybody reads of a run as its journal stands: thread, timeline, notes for PagerDuty."""
    run = fold(told)
    procedure = catalog.known(run.procedure)
    seen = HeaderData(procedure, run, told, told[-1].at + timedelta(seconds=1))
    for item in story(seen):
        # The table of the steps names what is still to come.
        blocks = [block for block in item.blocks if block["type"] != "plan"]
        yield f"{item.text} {blocks}"
    yield from (line.text for line in story_lines(told, "Olga"))
    yield from (one.text for one in milestones(told, procedure))


def test_a_recovery_is_called_recovered_only_when_it_has_ended() -> None:
    for n in range(1, ENDED):
        early = [text for text in said(TOLD[:n]) if AFTER_THE_END.search(text)]
        assert early == [], f"after entry {n}, {TOLD[n - 1].data.get('title')}"
    assert any(AFTER_THE_END.search(text) for text in said(TOLD))


def test_nothing_is_in_service_before_it_was_proven_to_be_writable() -> None:
    for n in range(1, PROVEN):
        doing = TOLD[n - 1].data.get("title")
        early = [text for text in said(TOLD[:n]) if AFTER_THE_PROOF.search(text)]
        assert [text for text in early if "Prove that it is writable*" not in text] == [], f"after entry {n}, {doing}"


def test_the_end_stands_below_every_step_of_its_thread() -> None:
    run = fold(TOLD)
    items = story(HeaderData(catalog.known(run.procedure), run, TOLD, TOLD[-1].at))
    below = [item.n for item in items[1:]]
    assert below == sorted(below)
    assert items[-1].n == ENDED
