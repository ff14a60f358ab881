"""Questions whose answers are checked at once: asked of a person, or given by options, with every wrong one told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from actions.engine.errors import Refused

T = TypeVar("T")
Reads = Callable[[str, bool], str]
"""Reads a line that somebody types after a prompt; True hides it. Raises EOFError where nobody is there any more."""


@dataclass(frozen=True)
class InitQuestion:
    """What is asked, with the option or variable that answers it, and what is taken where nothing is said."""

    what: str
    option: str
    default: str = ""
    hidden: bool = False


@dataclass
class Interview:
    """Asks a person through `reads`; without one only options count, and `problems` keeps what is wrong with them."""

    say: Callable[[str], None]
    reads: Reads | None = None
    problems: list[str] = field(default_factory=list)

    def ask(self, question: InitQuestion, given: str | None, check: Callable[[str], T]) -> T | None:
        """The checked answer: of the option where it is right, else of the person; None where there is none."""
        if given is not None or self.reads is None:
            try:
                return check(question.default if given is None else given)
            except Refused as wrong:
                self._wrong(question, wrong)
        return self._asked(question, check) if self.reads is not None else None

    def heading(self, text: str) -> None:
        """The title of the questions that follow, for whoever is asked them."""
        if self.reads is not None:
            self.say(f"\n{text}")

    def _asked(self, question: InitQuestion, check: Callable[[str], T]) -> T:
        assert self.reads is not None
        default = f" [{question.default}]" if question.default else ""
        while True:
            said = self.reads(f"{question.what}{default}: ", question.hidden).strip()
            try:
                return check(said or question.default)
            except Refused as wrong:
                self.say(_words(wrong))

    def _wrong(self, question: InitQuestion, wrong: Refused) -> None:
        if self.reads is None:
            self.problems.append(f"{question.option}: {_words(wrong, ' ')}")
        else:
            self.say(f"{question.option}: {_words(wrong)}")

    def end(self) -> None:
        """Raises Refused where answers are wrong or missing; nothing was written by then.

        Raises:
            Refused: some are; all of them are told.
        """
        if self.problems:
            raise Refused(
                "Answers are missing or wrong. Nothing was written.",
                code="MD-CMD-042",
                detail="\n".join(self.problems),
                hint="Give each by its option or variable (mayday init --help), or sit at a terminal and be asked.",
            )


def _words(wrong: Refused, between: str = "\n") -> str:
    """Without the code: it is no error to mistype an answer."""
    return between.join(part for part in (wrong.message, wrong.detail, wrong.hint) if part)  # without its code
