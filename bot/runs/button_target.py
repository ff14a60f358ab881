"""What a button points at."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Refused

BUTTON = "|"
"""What separates the parts of a button's value: run, question, label."""


@dataclass(frozen=True)
class ButtonTarget:
    """What a button points at. Everything else is looked up when it is pressed."""

    run: str
    question: int
    label: str

    @classmethod
    def of(cls, value: str) -> ButtonTarget:
        """The pointer that a button carries.

        Raises:
            Refused: it is none of ours.
        """
        run, _, rest = value.partition(BUTTON)
        question, _, label = rest.partition(BUTTON)
        if not (run and question.isdigit() and label):
            raise Refused(
                "That button is not known here.", code="MD-CMD-001", hint="Look at the newest message of the thread."
            )
        return cls(run, int(question), label)

    def value(self) -> str:
        """The pointer as a button carries it."""
        return BUTTON.join((self.run, str(self.question), self.label))
