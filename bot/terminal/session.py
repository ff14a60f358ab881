"""One command in a terminal: who speaks, what they speak with, what they see and where they type."""

from __future__ import annotations

import getpass
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import RecoveryError, Refused
from actions.settings.people import Operator
from actions.settings.settings import Settings
from actions.store.store import Store
from bot.context import BotContext
from bot.slack.client import client_for
from bot.slack.people import Person, SlackPeople
from bot.terminal.code_secrets import Keys
from bot.terminal.context import TerminalContext
from bot.terminal.one_time_codes import Codes
from bot.terminal.operators import operator_of, person_of, real_uid
from bot.terminal.reachability import ReachabilityCheck, sentence


@dataclass
class Session:
    """What a command works with. `out` is for what was asked for, `aside` for everything said beside it."""

    terminal: TerminalContext
    bot: BotContext
    as_json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    aside: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True, stderr=True))

    @property
    def store(self) -> Store:
        return self.bot.store

    @property
    def settings(self) -> Settings:
        return self.bot.settings

    @cached_property
    def look(self) -> ReachabilityCheck:
        """What is away. The first use begins to ask."""
        return ReachabilityCheck(self.settings, self.store)

    @cached_property
    def operator(self) -> Operator:
        """Who sits here.

        Raises:
            Refused: nobody whom the settings know.
        """
        return operator_of(self.settings.operators, self.terminal.who)

    @property
    def person(self) -> Person:
        return person_of(self.operator)

    @property
    def keys(self) -> Keys:
        return Keys(Path(self.settings.operators.keys), real_uid(self.terminal.who))

    @property
    def codes(self) -> Codes:
        """The one-time codes of who sits here."""
        return Codes(self.store, self.operator.id, self.settings.operators.lock)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and not self.as_json

    def tell(self, text: str) -> None:
        """Say something to a person; a program that reads JSON is not told."""
        if not self.as_json:
            self.aside.print(text, markup=False)

    def ask(self, what: str, flag: str, *, hidden: bool = False) -> str:
        """What somebody types, or the next line of a pipe.

        Raises:
            Refused: nobody is there to type; `flag` says it instead.
        """
        if self.as_json:
            raise _nobody(what, flag)
        if sys.stdin.isatty() and hidden:
            return getpass.getpass(f"{what}: ").strip()
        self.aside.print(f"{what}: ", end="", markup=False)
        line = sys.stdin.readline()
        if not line:
            self.aside.print()
            raise _nobody(what, flag)
        return line.strip()

    def typed_soon(self, seconds: float) -> str | None:
        """A line that was typed meanwhile, None where nobody did."""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return sys.stdin.readline() if ready else None

    def head(self) -> None:
        """The line at the head of a command that says what is away."""
        if not self.as_json:
            self.aside.print(sentence(self.look.parts()), style="dim", markup=False)


def _nobody(what: str, flag: str) -> Refused:
    return Refused(f"{what}: nobody is there to type it.", code="MD-CMD-027", hint=f"Say it with {flag}.")


@contextmanager
def session(ctx: typer.Context, config: Path | None, as_json: bool, *, head: bool = True) -> Iterator[Session]:
    """Open a session; a store that goes away in the middle of it is said in plain words."""
    terminal: TerminalContext = ctx.obj["terminal"]
    settings = terminal.settings(config)
    try:
        made = Session(terminal, _bot(terminal, settings), as_json)
        if head:
            made.head()
        yield made
    except SQLAlchemyError as error:
        seen = str(getattr(error, "orig", None) or type(error).__name__)
        raise RecoveryError(
            "The store does not answer.",
            code="MD-ST-007",
            detail=seen,
            hint="Look at who may write it, and whether its database is up.",
        ) from error


def _bot(terminal: TerminalContext, settings: Settings) -> BotContext:
    store = terminal.store(settings)
    client = client_for(settings.slack, timeout=2)
    people = SlackPeople(settings.people, client, store)
    enqueue = terminal.enqueue(settings, store)
    return BotContext(settings, store, terminal.catalog(), client, people, enqueue, terminal.clock)
