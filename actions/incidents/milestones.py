"""What a run has reached, in one sentence each, for those who follow the incident elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Act, OptionEffect, Outcome, Procedure
from actions.incidents.pagerduty_events import MARK
from actions.incidents.recovery_runs import is_recovery
from actions.incidents.statuspage_drafts import Kind as DraftKind
from actions.wording import shortened

_ENDED = {
    "recovered": "Recovered",
    "done": "Done",
    "undone": "Taken back; the old world is as it was",
    "discarded": "Given up; nothing was swapped",
    "refused": "Refused; nothing was touched",
}
_DRAFTS: dict[str, DraftKind] = {"recovered": "finished", "done": "finished"}
_LONGEST = 1500


@dataclass(frozen=True)
class Milestone:
    """One of them: the entry that told it, the sentence, and the status-page draft that fits it, if any."""

    entry: Entry
    text: str
    draft: DraftKind | None = None

    @property
    def marked(self) -> str:
        """The sentence with the mark by which it is found again, and known as ours when it comes back."""
        return f"{self.text} {mark(self.entry)}"


def mark(entry: Entry) -> str:
    """What no two milestones have in common."""
    return f"{MARK}{entry.run}:{entry.n}]"


def milestones(told: Sequence[Entry], procedure: Procedure | None, after: int = 0) -> Iterator[Milestone]:
    """The milestones of a run's journal whose entries come after that position.

    What is known to be no recovery has none: that somebody looked or took a backup is no news of the incident. Of a
    procedure that is not known here nobody can say what it did, so no draft for the public fits it.
    """
    if procedure is not None and not is_recovery(procedure):
        return
    started = False
    for entry in told:
        found = _of(entry, procedure, started)
        started = started or entry.kind is Kind.BEGAN
        if found is not None and entry.n > after:
            yield found


def _of(entry: Entry, procedure: Procedure | None, started: bool) -> Milestone | None:
    data = entry.data
    who = data.get("name") or data.get("by") or "Somebody"
    match entry.kind:
        case Kind.ANSWERED if data.get("hand"):
            done = data.get("leads") == OptionEffect.ON
            said = f"{who} {'did by hand' if done else 'says that it cannot be done'}: {data.get('title')}."
            return Milestone(entry, shortened(f"{said} {data.get('text') or ''}", _LONGEST))
        case Kind.ANSWERED if data.get("leads") == OptionEffect.ON:
            return Milestone(entry, f"{who} approved: {data['option']}.")
        case Kind.EXPIRED if data.get("option"):
            return Milestone(entry, f"Nobody answered in time: {data['option']} stands.")
        case Kind.BEGAN if not started:
            return Milestone(entry, f"{_name(procedure)} has started.", "started" if procedure else None)
        case Kind.DONE if _is_cut_over(entry, procedure):
            return Milestone(entry, _no_return(entry, procedure))
        case Kind.FAILED if data.get("item"):
            return None  # Its neighbours go on; that the loop has failed is told once they have ended.
        case Kind.FAILED | Kind.UNDO_FAILED:
            said = f"{data.get('title')} failed: {data.get('error')} {data.get('hint') or ''}".strip()
            # What fails before anything was begun is no attempt that the public has to hear of.
            return Milestone(entry, shortened(said, _LONGEST), "failed" if started and procedure else None)
        case Kind.FINISHED:
            outcome = str(data["outcome"])
            words = str(data.get("words") or _ENDED.get(outcome, outcome)).rstrip(".")
            said = f"{words}. {data.get('error') or ''}".strip()
            return Milestone(entry, shortened(said, _LONGEST), _DRAFTS.get(outcome) if started and procedure else None)
        case _:
            return None


def _is_cut_over(entry: Entry, procedure: Procedure | None) -> bool:
    """Whether that was the act after which nothing leads back."""
    if procedure is None or entry.step is None or entry.step >= len(procedure.steps):
        return False
    step = procedure.steps[entry.step]
    return isinstance(step, Act) and step.point_of_no_return


def _no_return(entry: Entry, procedure: Procedure | None) -> str:
    if procedure is None or procedure.ends is Outcome.RECOVERED:
        return "Cut over: what was recovered is in service."
    return f"Done, and nothing leads back from here: {entry.data.get('title')}."


def _name(procedure: Procedure | None) -> str:
    return f"The recovery ({procedure.name})" if procedure else "The recovery"
