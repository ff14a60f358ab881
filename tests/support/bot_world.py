"""A small world for the tests of the words: a catalog of two procedures, a store, a clock, a played worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind
from actions.engine.procedure import Act, Ask, FactRole, Look, MayAnswer, Option, OptionEffect, Outcome, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.settings.outside import SlackSettings
from actions.settings.people import PeopleSettings
from actions.settings.settings import Settings
from actions.store import tables
from actions.store.store import Store
from actions.store.transaction import Lease
from bot.context import BotContext
from bot.slack.people import SlackPeople

CHANNEL = "C0OPSEMERG"
START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SERVICE = "nself-postgres"


@dataclass(frozen=True)
class Wish:
    """What a test's procedure is asked for."""

    when: str


def read(text: str, asker: Asker) -> Wish:
    if not text:
        raise RecoveryError("No moment was given.", hint="Write for example 14:30.")
    return Wish(text)


def read_nothing(text: str, asker: Asker) -> Wish:
    return Wish("now")


def look() -> str:
    return "seen"


def do() -> None: ...


def verify() -> bool:
    return True


CUT_OVER = (
    Option("Cut over", who=MayAnswer.SECOND, types="service", danger=True),
    Option("Another time", leads=OptionEffect.AGAIN, types="when"),
    Option("Discard", leads=OptionEffect.BACK),
)
START_OPTIONS = (
    Option("Pause writers and restore"),
    Option("Restore, keep serving"),
    Option("Cancel", OptionEffect.BACK),
)
PITR = Procedure(
    name="postgres pitr",
    summary="Bring {service} back to {when}.",
    words=Words("recover postgres pitr", "<when>", ("/recover postgres pitr 14:30",), read),
    request=Wish,
    about="postgres",
    risk=Risk.DESTRUCTIVE,
    steps=(
        Look("read the recovery window", look, "window"),
        Look("choose a base backup", look, "backup"),
        Ask("restore beside the live data?", START_OPTIONS, "start"),
        Act("pause the writers", do, verify, undo=do),
        Act("replay to the target", do, verify, undo=do),
        Ask("cut over?", CUT_OVER, "cut"),
        Act("swap the data directories", do, verify, point_of_no_return=True),
        Look("note where the old data lies", look, "old", role=FactRole.KEPT),
        Look("see that WAL arrives", look, "arrival", role=FactRole.ARRIVAL),
    ),
    ends=Outcome.RECOVERED,
    rto=timedelta(minutes=30),
)
VERIFY = Procedure(
    name="postgres verify",
    summary="Check {service}.",
    words=Words("recover postgres verify", "", ("/recover postgres verify",), read_nothing),
    request=Wish,
    about="postgres",
    risk=Risk.READS,
    steps=(Look("check", look, "checked"),),
    claims=False,
)
WINDOW = Procedure(
    name="window",
    summary="What can be reached.",
    words=Words("recover window", "", ("/recover window",), read_nothing),
    request=Wish,
    about="postgres",
    risk=Risk.READS,
    steps=(Look("read", look, "window"),),
    claims=False,
)
CATALOG = (PITR, VERIFY, WINDOW)


@dataclass
class Clock:
    """A time that only moves when told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def settings_for(api: str = "http://127.0.0.1:9/api/", **more: Any) -> Settings:
    slack = SlackSettings(
        channel=CHANNEL,
        base_url=api,
        bot_token=SecretStr("xoxb-practice"),
        app_token=SecretStr("xapp-practice"),
        signing_secret=SecretStr("practice-signing-secret"),
        **more,
    )
    people = PeopleSettings(operator_groups=("S0OPERATORS",), approver_groups=("S0APPROVERS",))
    return Settings(slack=slack, people=people)


def store_in(folder: Path, clock: Callable[[], datetime]) -> Store:
    return Store(f"sqlite:///{folder / 'mayday.db'}", clock)


@cache
def in_memory() -> Store:
    return Store("sqlite://", Clock())


def emptied(clock: Callable[[], datetime]) -> Store:
    """A store in memory, for one thread; what must outlive a process uses a file (`store_in`).

    It is the same one for every test, emptied: a new one has SQLAlchemy compile all its statements anew.
    """
    store = in_memory()
    store.clock = clock
    with store.engine.begin() as db:
        for table in tables.metadata.sorted_tables:
            db.execute(table.delete())
    return store


@dataclass
class Directory:
    """Slack's users and groups as a small world: `away` makes every question fail, `says` one with Slack's own word."""

    groups: dict[str, list[str]] = field(
        default_factory=lambda: {"S0OPERATORS": ["U0ONCALL", "U0DBA"], "S0APPROVERS": ["U0APPROVER", "U0DBA"]}
    )
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    away: bool = False
    says: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, what: str) -> Any:
        self.asked.append(what)
        if self.away:
            raise ConnectionError("Slack is away")
        if what in self.says:
            data = {"ok": False, "error": self.says[what]}
            response = SlackResponse(
                client=None,
                http_verb="POST",
                api_url="",
                req_args={},
                data=data,
                headers={},
                status_code=429 if self.says[what] == "ratelimited" else 200,
            )
            raise SlackApiError("refused", response)
        if what.startswith("S"):
            return {"users": self.groups[what]}
        return {
            "user": {"id": what, "real_name": what.removeprefix("U0").title(), "tz": "UTC", **self.users.get(what, {})}
        }


class DirectoryClient(WebClient):
    """The part of Slack's API that knows people."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(token="xoxb-test")
        self.directory = directory

    def usergroups_users_list(self, *, usergroup: str, **_more: Any) -> Any:
        return self.directory.answer(usergroup)

    def users_info(self, *, user: str, **_more: Any) -> Any:
        return self.directory.answer(user)


@dataclass
class Office:
    """A bot with everything at hand."""

    bot: BotContext
    clock: Clock
    directory: Directory
    rung: list[str]

    @property
    def store(self) -> Store:
        return self.bot.store


def office_in(catalog: tuple[Procedure, ...] = CATALOG) -> Office:
    clock, directory, rung = Clock(), Directory(), list[str]()
    store, settings = emptied(clock), settings_for()
    client = DirectoryClient(directory)
    people = SlackPeople(settings.people, client, store)
    return Office(BotContext(settings, store, catalog, client, people, rung.append, clock), clock, directory, rung)


class PlayedWorker:
    """Writes the entries that a worker would, for one run."""

    def __init__(self, store: Store, run: str) -> None:
        self.store, self.run = store, run
        self.lease: Lease | None = None

    def write(self, kind: Kind, step: int | None = None, **data: Any) -> int:
        if self.lease is None:
            self.lease = self.store.acquire(self.run, "played")
        assert self.lease is not None
        return self.store.append(self.lease, kind, step, data).n

    def looks(self, procedure: Procedure, *steps: int) -> None:
        for i in steps:
            step: Any = procedure.steps[i]
            self.write(Kind.DONE, i, title=step.title, seconds=0.4, gives=step.gives, fact={"n": i}, said=f"look {i}")

    def acts(self, procedure: Procedure, *steps: int) -> None:
        for i in steps:
            title = procedure.steps[i].title
            self.write(Kind.BEGAN, i, title=title)
            self.write(Kind.DONE, i, title=title, seconds=2.5)

    def asks(self, procedure: Procedure, i: int, **more: Any) -> int:
        step: Any = procedure.steps[i]
        options = [
            {
                "label": o.label,
                "leads": str(o.leads),
                "who": str(o.who),
                "types": o.types,
                "danger": o.danger,
                "gives": step.gives,
            }
            for o in step.options
        ]
        sheets = [
            {"title": "Plan", "rows": [["target", "14:30 UTC"], ["lost", "3 messages"]], "notes": ["Look <well>"]}
        ]
        expires = (self.store.clock() + timedelta(minutes=60)).isoformat()
        data = {"title": step.title, "options": options, "expires_at": expires, "plan": "abc", "sheets": sheets, **more}
        return self.write(Kind.ASKED, i, **data)

    def ends(self, outcome: str, **more: Any) -> None:
        report = [{"title": "Report", "rows": [["messages", "12"]], "notes": []}]
        self.write(Kind.FINISHED, None, **{"outcome": outcome, "seconds": 75.0, "report": report, **more})
