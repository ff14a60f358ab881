"""What people may do to a run: who may choose an option, go on alone, or steer it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.break_glass import BreakGlass, must_be_open
from actions.engine.errors import Refused
from actions.engine.procedure import MayAnswer
from actions.engine.run import SYSTEM, Run
from actions.engine.run_parts import Question


@dataclass(frozen=True)
class Speaker:
    """A person, with what settings let them do, looked up at the moment they spoke.

    `via` says how they spoke where it was not in Slack, for the record. `unsure` says that Slack could not say all of
    what they may do, so that a missing right is no verdict.
    """

    id: str
    name: str
    may_ask: bool
    may_approve: bool
    via: str = ""
    unsure: bool = False

    def lacks(self, refused: Refused) -> Refused:
        """The refusal for a right that they lack; or, where that is not known, one that says so."""
        if not self.unsure:
            return refused
        return Refused(
            f"Slack could not say what {self.name} may do.",
            code="MD-SL-001",
            detail="Nothing was done.",
            hint="Try again in a minute, or use the terminal on the bot's host.",
        )


def may_choose(state: Run, option: dict[str, Any], speaker: Speaker) -> None:
    """Refuses a second approver who is no second person, and whoever may not choose this option."""
    if option["who"] == MayAnswer.SECOND:
        if speaker.id == state.requester:
            raise Refused(
                "Whoever asked for a recovery does not approve it alone.",
                code="MD-RUN-019",
                detail=f"{speaker.name} asked for run {state.id}.",
                hint="Ask a second person who may approve.",
            )
        if not speaker.may_approve:
            refused = Refused(
                f"{speaker.name} may not approve.", code="MD-RUN-020", hint="Ask somebody of the approvers."
            )
            raise speaker.lacks(refused)
        if not state.people - {speaker.id}:
            raise Refused(
                "One person does not approve both questions.",
                code="MD-RUN-021",
                detail=f"Nobody but {speaker.name} has agreed to run {state.id}, which no person asked for.",
                hint="Ask a second person who may approve.",
            )
    elif not speaker.may_approve:
        may_steer(state, speaker)


def may_go_alone(
    state: Run, question: Question, option: dict[str, Any], speaker: Speaker, now: datetime, glass: BreakGlass
) -> None:
    """Who asked may go on alone where the settings let them, once others had their time to answer."""
    if option["who"] != MayAnswer.SECOND:
        raise Refused(
            "That answer needs no second person.", code="MD-RUN-022", hint="Give it without breaking the glass."
        )
    if speaker.id != state.requester or not speaker.may_ask:
        raise Refused(
            f"{speaker.name} did not ask for run {state.id}, or may not ask any more.",
            code="MD-RUN-023",
            hint="Only who asked may go on alone; anybody else approves in the ordinary way.",
        )
    must_be_open(glass, question, now)


def may_steer(state: Run, speaker: Speaker) -> None:
    """Who asked may steer the run as long as they may ask; so may everybody who may approve.

    A run that no person asked for is anybody's who might have.
    """
    if not (speaker.may_approve or (speaker.may_ask and state.requester in (speaker.id, SYSTEM))):
        refused = Refused(
            f"{speaker.name} may not steer recoveries.",
            code="MD-RUN-024",
            detail=f"Run {state.id} goes on as it is.",
            hint="Ask the person on call, or somebody of the approvers.",
        )
        raise speaker.lacks(refused)
