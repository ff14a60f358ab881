"""What a run's state is made of: a question, a failure, an agreement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.errors import with_code
from actions.engine.procedure import MayAnswer, OptionEffect


@dataclass(frozen=True)
class Question:
    """An open or answered question: the entry that put it, its options as JSON, until when it holds (None: for ever).

    `hand` says that it is an instruction, to be done by a person, for that `item` where the step is a loop. `silence`
    is where it leads that nobody answers.
    """

    step: int
    n: int
    title: str
    options: tuple[dict[str, Any], ...]
    expires_at: datetime | None
    plan: str
    text: str = ""
    asked_at: datetime | None = None
    item: str = ""
    hand: bool = False
    silence: OptionEffect = OptionEffect.BACK

    @property
    def on_silence(self) -> dict[str, Any] | None:
        """The option that stands where nobody answers in time; None where the run goes back then.

        Silence is never a second person, and types nothing.
        """
        first = self.options[0] if self.options and self.silence is OptionEffect.ON else None
        if first is None or first["leads"] != OptionEffect.ON or first["types"] or first["who"] == MayAnswer.SECOND:
            return None
        return first


@dataclass(frozen=True)
class Failure:
    """Why a run waits for a person: what happened, what was seen, what to do next."""

    step: int
    message: str
    detail: str
    hint: str
    stopped: bool = False
    code: str = ""
    """Of the error; empty in journals of versions that had none."""

    @property
    def said(self) -> str:
        """What happened, as people read it."""
        return with_code(self.message, self.code)


@dataclass(frozen=True)
class Agreement:
    """Somebody answered a question so that the run goes on. `at` is None once the run was retried since."""

    by: str
    at: datetime | None
