"""Breaking the glass: whoever asked goes on without a second person, after a time, for a reason on the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actions.engine.errors import Refused
from actions.engine.run_parts import Question
from actions.redact import redact
from actions.wording import shortened

_LONGEST_REASON = 500


@dataclass(frozen=True)
class BreakGlass:
    """The wish to go on alone. `after` is how long a question must have been open; None where settings forbid it."""

    reason: str
    after: timedelta | None


def must_be_open(glass: BreakGlass, question: Question, now: datetime) -> None:
    """Let through who says why, once nobody answered the question for long enough.

    Raises:
        Refused: the settings forbid it, it is too early, or there is no reason.
    """
    if glass.after is None or glass.after <= timedelta(0):
        raise Refused(
            "The settings do not let anybody go on alone.",
            code="MD-RUN-013",
            hint="Ask a second person who may approve. The setting is operators.glass_minutes.",
        )
    opens = question.asked_at + glass.after if question.asked_at else None
    if opens is None or now < opens:
        when = f" It opens at {opens:%H:%M:%S} UTC." if opens else ""
        raise Refused(
            "It is too early to go on alone.",
            code="MD-RUN-014",
            detail=f"Others have {_spell(glass.after)} to answer.{when}",
            hint="Call the people who may approve; mayday operator list names them.",
        )
    if not glass.reason.strip():
        raise Refused("Going on alone needs a reason.", code="MD-RUN-015", hint="Say in a sentence why it cannot wait.")


def broken(glass: BreakGlass, question: Question, now: datetime) -> dict[str, Any]:
    """What the answer keeps of it: the reason, and how many seconds the question had waited."""
    waited = (now - question.asked_at).total_seconds() if question.asked_at else 0.0
    return {"reason": shortened(redact(glass.reason.strip()), _LONGEST_REASON), "waited_seconds": round(waited, 1)}


def in_words(broken: dict[str, Any]) -> str:
    """That somebody went on alone, when, and why: the first line of a thread, a report, a document."""
    at = datetime.fromisoformat(broken["at"])
    return (
        f"Approved by one person alone: {broken['name']} broke the glass at {at:%H:%M} UTC. Reason: {broken['reason']}"
    )


def _spell(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"
