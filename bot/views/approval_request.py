"""How a question looks in a direct message to somebody who may approve: the card, *Approve…*, the way to its thread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.journal import Entry
from actions.engine.procedure import MayAnswer
from bot.runs.button_target import ButtonTarget
from bot.views import decision_card
from bot.views.mrkdwn import Block, actions, button, escape, section, small, until
from bot.views.question import outcome
from bot.views.steps import sentence

APPROVE = "Approve…"


@dataclass(frozen=True)
class ApprovalRequest:
    """A question that waits for a second person: who asks for what, the address of its thread, empty while none stands.

    `reminder` says that it is told for the second time.
    """

    asked: Entry
    settled: Entry | None
    who: str
    link: str
    reminder: bool = False


def blocks(request: ApprovalRequest) -> list[Block]:
    """Open, with the buttons of those answers that a second person gives; or as it was decided, without."""
    asked = request.asked
    still = "Still waiting for you or another approver: " if request.reminder and request.settled is None else ""
    made = [
        section(f"*{still}{escape(sentence(asked.data['title']))}*\n{request.who}"),
        *decision_card.blocks(asked.data.get("card") or ()),
    ]
    if request.settled is not None:
        return [*made, section(outcome(request.settled)), *_foot([_thread(request.link)])]
    return [*made, *actions(_buttons(asked)), *_foot([_thread(request.link), _open_until(asked)])]


def text(request: ApprovalRequest) -> str:
    """The message as a notification reads it."""
    title = escape(sentence(str(request.asked.data["title"])))
    return f"{title} {outcome(request.settled) if request.settled else 'It waits for your approval.'}"


def _buttons(asked: Entry) -> list[Block]:
    """The first such answer is the approval; others are named. The numbers are those of the buttons in the thread."""
    options: list[dict[str, Any]] = asked.data["options"]
    second = [(i, one) for i, one in enumerate(options) if one.get("who") == MayAnswer.SECOND]
    names = [APPROVE, *(f"{one['label']}…" for _, one in second[1:])]
    return [
        button(name, f"answer:{i}", ButtonTarget(asked.run, asked.n, str(one["label"])).value(), style)
        for name, (i, one), style in zip(names, second, ["primary", *[""] * len(second)], strict=False)
    ]


def _foot(parts: list[str]) -> list[Block]:
    told = " · ".join(filter(None, parts))
    return [small(told)] if told else []


def _thread(link: str) -> str:
    return f"<{link}|Open the thread>, where the rest stands" if link else ""


def _open_until(asked: Entry) -> str:
    ends = asked.data.get("expires_at")
    return f"open until {until(datetime.fromisoformat(ends), asked.at)}" if ends else ""
