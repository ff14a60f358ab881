"""A procedure: a recovery as a table of steps, each a look, an act, a loop, a child run or an ask."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from actions.engine.child import Child
from actions.engine.claims import Claim, Wanted, claims_of, wanted_by
from actions.engine.each import Each
from actions.engine.facts import volatile
from actions.engine.lanes import Lane
from actions.engine.reading import OfferedCommand, Words
from actions.engine.roles import ActRole as ActRole
from actions.engine.roles import FactRole as FactRole
from actions.engine.sheets import CardRow
from actions.engine.sheets import Sheet as Sheet
from actions.engine.shown import Shown, ShownBy


class Risk(StrEnum):
    """What a procedure can do to data, which decides who must agree."""

    READS = "reads"
    CHANGES = "changes"
    DESTRUCTIVE = "destructive"


class MayAnswer(StrEnum):
    """Who may choose an option."""

    REQUESTER = "requester"  # who asked, or anybody who may approve
    SECOND = "second approver"  # somebody who may approve and did not ask


class OptionEffect(StrEnum):
    """Where an option leads."""

    ON = "on"
    BACK = "back"  # undo what was done; the run ends discarded
    AGAIN = "again"  # the same, and a new run of the same procedure is asked for with the typed text
    FAIL = "fail"  # what was to be done by hand has failed, in the words of whoever says so
    HOLD = "hold"  # nowhere: the countdown stops, and the question waits for people
    UNDO = "undo"  # as `back`; the run ends undone


class Outcome(StrEnum):
    """How a run ended."""

    RECOVERED = "recovered"
    DONE = "done"
    UNDONE = "undone"
    DISCARDED = "discarded"
    REFUSED = "refused"


@dataclass(frozen=True)
class Option:
    """One answer to a question: its button's label, where it leads, who may give it.

    `types` is what the person has to type to choose it: `service` for the service's name, `when` for a
    new target, `note` for a few words, nothing where a click is enough. `does` says what will happen then: a sentence
    or two, or a function of facts that gives them.
    """

    label: str
    leads: OptionEffect = OptionEffect.ON
    who: MayAnswer = MayAnswer.REQUESTER
    types: str = ""
    danger: bool = False
    does: str | Callable[..., str] = ""
    text: str = ""  # what it stands for, in place of a typed text


@dataclass(frozen=True)
class Look:
    """Finds a fact and changes nothing; may be repeated. What it returns is kept under `gives`.

    One that takes minutes calls `progress`, where Stop and `limit` take hold. By its `role` others find the fact.
    """

    title: str
    look: Callable[..., Any]
    gives: str
    limit: timedelta = timedelta(hours=12)
    role: FactRole | None = None


@dataclass(frozen=True)
class Act:
    """Changes something. `verify` is true only through the act's own effect; `undo` may be repeated.

    `limit` is how long the act may take. With `point_of_no_return` nothing is undone once it has begun. One that is
    `spare` fails no run, and Stop leaves out it alone: what was not done is the first thing that the report says.
    An `undo` that only `tidies` comes after all those that bring the service back.

    `by_hand` stands in for `do` where a person does it: it gives the instruction. `verify` has to hold after that, too.
    `leaves_out` says why it is not carried out this time; empty where it is. By its `role` others find it.
    """

    title: str
    do: Callable[..., None] | None
    verify: Callable[..., bool]
    undo: Callable[..., None] | None = None
    limit: timedelta = timedelta(minutes=5)
    point_of_no_return: bool = False
    spare: bool = False
    tidies: bool = False
    by_hand: Callable[..., str] | None = None
    leaves_out: Callable[..., str] | None = None
    role: ActRole | None = None


@dataclass(frozen=True)
class Ask:
    """Waits for people. The answer is kept as a fact under `gives`.

    `card` gives the few rows that people decide on, `sheets` all that there is to read; the journal keeps both.
    `recheck` names the facts that are looked up again once somebody has answered: if one of them has changed, or
    `exceeds` what was shown, the answer is void and the question is put again. Where `applies` says no, nobody is
    asked and the first option stands. `leaves_out` gives the labels of options that make no sense this time, `adds`
    options that it has more, `offers` what may be looked at beside it.

    Nobody answering within `expires` leads back; where `silence` leads on, it is a countdown: the first option stands
    at its end, unless somebody answers before, or holds it. `lasts` gives how long, where that is no constant.

    An answer `stands` for so long, and for no retry: as long as the act with the title `until` is not done, an older
    one is void too. Once acts that follow the question have begun, only the facts in `still` are looked up again.

    Where an answer leads to another time, the facts in `reaches` are looked up for that one first: it is void where
    they are refused, and nothing was given up for it.
    """

    title: str
    options: tuple[Option, ...]
    gives: str
    sheets: Callable[..., tuple[Sheet, ...]] | None = None
    expires: timedelta = timedelta(minutes=60)
    recheck: tuple[str, ...] = ()
    applies: Callable[..., bool] | None = None
    leaves_out: Callable[..., tuple[str, ...]] | None = None
    offers: Callable[..., tuple[OfferedCommand, ...]] | None = None
    stands: timedelta | None = None
    until: str = ""
    still: tuple[str, ...] = ()
    silence: OptionEffect = OptionEffect.BACK
    lasts: Callable[..., timedelta] | None = None
    reaches: tuple[str, ...] = ()
    card: Callable[..., tuple[CardRow, ...]] | None = None
    adds: Callable[..., tuple[Option, ...]] | None = None


Step = Look | Act | Each | Child | Ask


@dataclass(frozen=True)
class Answer:
    """What somebody chose, as a fact that later steps can take.

    `seen` are the facts that were looked up again before it counted, by name, as JSON: how things stood then.
    """

    option: str
    by: str
    text: str = ""
    seen: Mapping[str, Any] = volatile(default_factory=dict)


@dataclass(frozen=True)
class Procedure:
    """A recovery as data. `request` is the frozen dataclass of what was asked; `summary` may name its fields.

    `claims` says that a run of it holds its service, so that no other may begin meanwhile; or it names what a run holds
    and how. One that `yields` gives way to a run that has its service for itself: it may not begin beside it, and is
    stopped where it stands when one begins. `report` gives what is read at the end, `says` the words for its ends: by
    outcome (they may name {service}), or of a function for the end that it promises. It is `about` services of one
    kind, or a site as a whole where that is empty. An errand (`lane`) claims nothing and needs no Docker. `shown` is
    how much of a run people see without asking, or a function of its origin that says so.

    `public` is what customers read on the status page, by the kind of update (started, finished, failed), where it is
    more than that people are at work. It may name {subject}, what customers call the service, and of a run that goes
    back to a moment {to} and {lost}.

    `there` is the field of the request that names a second site: steps take the tools of that one as `there`, all
    others are of the run's own. A claim of another site names its field too, and never yields. `near` allows both to
    be one site. `there_about` is the field that names the service there which the run is about too, and claims.
    One about a `standby` means that of the service that was named, or the only one.
    What a `private` one finds is for the person who asked alone, who has to be one that may approve.
    """

    name: str
    summary: str
    words: Words
    request: type
    risk: Risk
    steps: tuple[Step, ...]
    report: Callable[..., tuple[Sheet, ...]] | None = None
    ends: Outcome = Outcome.DONE
    claims: bool | tuple[Wanted, ...] = True
    yields: bool = False
    rto: timedelta | None = None
    lane: Lane = Lane.RECOVERY
    about: str = ""
    says: Mapping[Outcome, str] | Callable[..., str] | None = None
    public: Mapping[str, str] | None = None
    shown: Shown | ShownBy = Shown.THREAD
    there: str = ""
    there_about: str = ""
    near: bool = False
    standby: bool = False
    private: bool = False

    @cached_property
    def table(self) -> str:
        """A short hash of the table of steps: a run goes on only with the table that it began with."""
        rows = "\n".join(map(_row, self.steps))
        return hashlib.sha256(rows.encode()).hexdigest()[:12]

    def claims_for(self, run: str, site: str, service: str, lenders: Sequence[str] = ()) -> tuple[Claim, ...]:
        """What a run of it claims of its own site. `lenders` are the runs that opened it, the oldest first."""
        wanted = [one for one in wanted_by(self.claims, self.yields) if not one.site]
        return claims_of(wanted, site, service, run, lenders)

    def shown_for(self, origin: Mapping[str, Any]) -> Shown:
        """How a run that came from there is shown."""
        return self.shown if isinstance(self.shown, Shown) else self.shown(origin)

    def giving(self, fact: str) -> int:
        """The position of the look or ask that gives a fact."""
        return next(i for i, step in enumerate(self.steps) if getattr(step, "gives", None) == fact)

    def titled(self, title: str) -> int:
        """The position of the step with that title."""
        return next(i for i, step in enumerate(self.steps) if step.title == title)

    @property
    def plan_length(self) -> int:
        """How many leading looks make the plan: all steps before the first ask or act."""
        return next((i for i, step in enumerate(self.steps) if not isinstance(step, Look)), len(self.steps))


def _row(step: Step) -> str:
    """What makes a step another step for a run that is under way."""
    over = f" over {step.over}" if isinstance(step, (Each, Child)) and step.over else ""
    return f"{type(step).__name__} {step.title}{over}" + (" by hand" if getattr(step, "by_hand", None) else "")
