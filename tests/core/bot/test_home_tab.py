"""The home tab: what it shows within Slack's limits, whom it is published to, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from actions.engine.rights import Speaker
from actions.incidents import on_call
from actions.incidents.incident_actions import declare
from actions.settings.services import ServiceTable, SiteTable
from actions.stack.choose import chosen
from actions.stack.stack import Service, ServiceKind, Site
from actions.store import notes
from actions.tools.outside import OnCall
from actions.watch import service_condition
from actions.watch.run_records import Records
from actions.watch.service_condition import Condition, Health
from bot.commands.addressed_commands import addressed
from bot.commands.parse_command import ProcedureCommand, meaning
from bot.context import BotContext
from bot.slack.home_data import home_data
from bot.slack.home_tab import Home
from bot.views import home_dialogs
from bot.views.home_view import HomeData, OpenItem, SiteHome, view
from lab.slack.blocks import check_view
from lab.slack.company import Company
from lab.slack.plain import Plain
from tests.core.workers.test_condition import NOW, SEEN
from tests.support.bot_world import PITR, SERVICE, Clock, Office, PlayedWorker, office_in
from tests.support.recorded import recorded, told_as


@dataclass
class Tabs:
    """Slack's home tabs as a small world: what each person sees, and Slack's own hash of it."""

    clock: Clock
    seen: dict[str, tuple[str, Any]] = field(default_factory=dict)
    published: list[tuple[str, float]] = field(default_factory=list)
    fate: Callable[[str], str] = lambda user: ""

    def publish(self, user: str, view: Any, hash: str | None) -> str:
        check_view(view)
        fate = self.fate(user)
        if fate == "limited":
            raise SlackApiError("x", {"status": 429, "error": "ratelimited", "headers": {"Retry-After": "7"}})
        if fate:
            raise SlackApiError("x", {"status": 200, "error": fate})
        if hash and hash != self.seen[user][0]:
            raise SlackApiError("x", {"status": 200, "error": "hash_conflict"})
        self.published.append((user, self.clock.now.timestamp()))
        self.seen[user] = (f"h{len(self.published)}", view)
        return self.seen[user][0]

    def hash(self, user: str) -> str:
        return self.seen[user][0] if user in self.seen else ""

    def text(self, user: str) -> str:
        return "\n".join(Plain(Company()).blocks(self.seen[user][1]["blocks"]))


class TabsClient(WebClient):
    """The part of Slack's API that publishes home tabs."""

    def __init__(self, tabs: Tabs) -> None:
        super().__init__(token="xoxb-test")
        self._tabs = tabs

    def views_publish(self, *, user_id: str, view: Any, hash: str | None = None, **_more: Any) -> Any:
        return {"view": {"hash": self._tabs.publish(user_id, view, hash)}}

    def files_upload_v2(self, **_sent: Any) -> Any:
        raise ConnectionError("what becomes of pictures is told in test_stack_pictures")


class Scene:
    """An office, its home tabs, and people who look."""

    def __init__(self) -> None:
        self.office: Office = office_in()
        self.tabs = Tabs(self.office.clock)
        self.home = self.another()

    def another(self) -> Home:
        return Home(self.office.bot, client=TabsClient(self.tabs))

    def opens(self, user: str) -> int:
        self.home.opened(user, self.tabs.hash(user))
        return self.home.tick()

    def changes(self) -> None:
        now = self.office.clock()
        service_condition.keep(self.office.store, replace(SEEN, seen_at=now, health=Health(SERVICE, "unhealthy")))

    def later(self, seconds: float) -> int:
        self.office.clock.on(seconds)
        return self.home.tick()


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    service_condition.keep(scene.office.store, SEEN)
    return scene


def run_in(office: Office) -> PlayedWorker:
    office.store.open_run("r1", {**recorded()[0]["data"], "procedure": PITR.name}, claims=True, key="k")
    return PlayedWorker(office.store, "r1")


def test_who_opens_it_sees_runs_services_backups_and_who_is_on_call(scene: Scene) -> None:
    office = scene.office
    records = Records()
    records.hear(told_as("r0"))
    service_condition.keep(office.store, replace(SEEN, record=records.of("nself", "nself-postgres")))
    service_condition.keep(
        office.store, Condition("nself-redis", "main", NOW, Health("nself-redis", "stopped", "Exited (137)"))
    )
    on_call.keep(office.store, "main", [OnCall("P1", "Olga <Nowak>", "o@example.org", 1, "EP1")])
    run_in(office).looks(PITR, 0)
    assert scene.opens("U0ONCALL") == 1
    text = scene.tabs.text("U0ONCALL")
    for words in (
        "`r1` postgres pitr of nself-postgres",
        "asked by Olga Nowak",
        "*nself-postgres* healthy",
        "30 min · 5 min",
        "1 min · at least 11.2 s given up (r0",
        "Newest base backup",
        "Healthy, ",
        "*nself-redis* stopped (Exited (137))",
        "RTO 10 min, RPO 15 min",
        "1. Olga <Nowak>",
        "No worker is alive",
        "*Newest dump*: none",
    ):
        assert words in text, f"{words}\n{text}"


def test_without_knowledge_it_says_so(scene: Scene) -> None:
    empty = view(HomeData((), (SiteHome(),), NOW))
    text = "\n".join(Plain(Company()).blocks(empty["blocks"]))
    assert "No worker has looked at them yet." in text
    assert "not known" in text
    assert "*Open incidents*\nNone." in text or "Open incidents\nNone." in text


def test_an_old_look_is_not_taken_for_what_is(scene: Scene) -> None:
    scene.office.clock.on(600)
    scene.opens("U0ONCALL")
    assert "not seen since" in scene.tabs.text("U0ONCALL")


def test_incidents_stand_first_where_there_are_any(scene: Scene) -> None:
    olga = Speaker("U0ONCALL", "Olga Nowak", may_ask=True, may_approve=False)
    declare(scene.office.bot.store, "Database down", "critical", olga, key="declared")
    made = view(home_data(scene.office.bot))
    text = "\n".join(Plain(Company()).blocks(made["blocks"]))
    assert text.index("Database down") < text.index("Open runs")


def test_the_most_that_there_can_be_is_within_slacks_limits() -> None:
    long = "x" * 400
    services = tuple(replace(SEEN, service=f"db-{i}-{long}") for i in range(20))
    plain = tuple(Condition(f"s{i}-{long}", "main", NOW, Health("s", "stopped", long)) for i in range(300))
    standing = tuple(OpenItem(f"r{i}", f"https://x/{i}", long, NOW, long) for i in range(60))
    sites = (SiteHome("main", services + plain),)
    check_view(view(HomeData(standing, sites, NOW, standing, offers=(("Window", "recover window", ""),))))


def test_it_is_published_again_on_a_change_and_not_without_one(scene: Scene) -> None:
    assert scene.opens("U0ONCALL") == 1
    assert scene.later(30) == 0
    scene.changes()
    assert scene.later(1) == 1
    assert "unhealthy" in scene.tabs.text("U0ONCALL")
    assert scene.opens("U0ONCALL") == 0


def test_nobody_is_published_to_more_than_once_in_ten_seconds(scene: Scene) -> None:
    worker = run_in(scene.office)
    scene.opens("U0ONCALL")
    for i in range(60):
        worker.looks(PITR, i % 2)
        service_condition.keep(scene.office.store, replace(SEEN, health=Health(SERVICE, f"word{i}")))
        scene.later(1)
        scene.opens("U0ONCALL")
    moments = [at for user, at in scene.tabs.published if user == "U0ONCALL"]
    gaps = [b - a for a, b in pairwise(moments)]
    assert 5 <= len(gaps) <= 6
    assert min(gaps) >= 10


def test_only_those_who_looked_lately_are_published_to(scene: Scene) -> None:
    scene.opens("U0ONCALL")
    scene.office.clock.on(3 * 3600)
    scene.opens("U0DBA")
    scene.changes()
    assert scene.later(3600) == 1
    assert scene.tabs.published[-1][0] == "U0DBA"


def test_a_bot_that_began_anew_knows_who_looked_before(scene: Scene) -> None:
    scene.opens("U0ONCALL")
    scene.home = scene.another()
    scene.changes()
    assert scene.later(20) == 1


def test_who_sees_nothing_yet_is_published_to_though_nothing_changed(scene: Scene) -> None:
    scene.opens("U0ONCALL")
    scene.tabs.seen.clear()  # As when the app was removed and installed again.
    scene.office.clock.on(11)
    assert scene.opens("U0ONCALL") == 1


def test_a_lost_race_is_made_up_for(scene: Scene) -> None:
    scene.opens("U0ONCALL")
    scene.tabs.seen["U0ONCALL"] = ("another bot's", scene.tabs.seen["U0ONCALL"][1])
    scene.changes()
    assert scene.later(11) == 0
    assert scene.later(11) == 1
    assert "unhealthy" in scene.tabs.text("U0ONCALL")


def test_a_limit_is_waited_for_and_a_refusal_is_not_repeated(scene: Scene) -> None:
    scene.tabs.fate = lambda _user: "limited"
    assert scene.opens("U0ONCALL") == 0
    scene.tabs.fate = lambda _user: ""
    assert scene.later(3) == 0
    assert scene.later(5) == 1
    scene.tabs.fate = lambda _user: "not_enabled"
    scene.changes()
    assert scene.later(20) == 0
    scene.tabs.fate = lambda user: pytest.fail("asked again")
    assert scene.later(20) == 0


def test_the_dialog_offers_what_changes_something_and_reads_what_was_filled_in() -> None:
    dialog = home_dialogs.recover([("recover postgres pitr", "<when>")])
    check_view(dialog)
    check_view(home_dialogs.recover([]))
    chosen = {"selected_option": {"value": "recover postgres pitr"}}
    values = {home_dialogs.WHICH: {"value": chosen}, home_dialogs.TEXT: {"value": {"value": "14:30"}}}
    assert home_dialogs.filled({"state": {"values": values}}) == ("recover postgres pitr", "14:30")
    assert home_dialogs.bare("`a` &lt;b&gt;") == "a <b>"


def test_no_worker_is_said_only_where_there_is_none(scene: Scene) -> None:
    notes.worker_lives(scene.office.store, "w", {"sites": ["main"]})
    assert home_data(scene.office.bot).sites[0].worker
    scene.office.clock.on(timedelta(minutes=1).total_seconds())
    assert not home_data(scene.office.bot).sites[0].worker


def test_of_several_servers_each_press_says_which_one_it_means(scene: Scene) -> None:
    bot = scene.office.bot
    table = {"kind": "postgres", "archive": "/b/wal", "bases": "/b/base", "database": "b"}
    several = (ServiceTable(name="nself-postgres"), *(ServiceTable(name=f"db-{n}", **table) for n in range(9)))
    given = bot.settings.model_copy(update={"services": several})
    verify = replace(PITR, name="postgres verify", words=replace(PITR.words, command="recover postgres verify"))
    catalog = tuple(replace(one, about="postgres") for one in (PITR, verify))
    made = home_data(replace(bot, settings=given, catalog=catalog))
    assert made.offers[:2] == (
        ("Verify nself-postgres", "recover postgres nself-postgres verify", ""),
        ("Verify db-0", "recover postgres db-0 verify", ""),
    )
    check_view(view(made))
    for _label, command, _sure in made.offers:
        found = meaning(f"/{command}", catalog, stack=given.stack())
        assert isinstance(found, ProcedureCommand)
        assert chosen(given.stack(), "postgres", found.service).service in command


def test_a_command_that_does_not_say_the_kind_has_the_name_at_its_end() -> None:
    two = Site("main", services=(Service("a", ServiceKind.POSTGRES), Service("b", ServiceKind.POSTGRES)))
    assert [said for said, _ in addressed("backup run base", "postgres", two)] == [
        "backup run base a",
        "backup run base b",
    ]
    assert addressed("backup run base", "postgres", Site("main", services=two.services[:1])) == [
        ("backup run base", "")
    ]
    assert addressed("recover all", "", two) == [("recover all", "")]


def with_an_east(office: Office) -> BotContext:
    """The same bot, whose settings tell of a second site."""
    settings = office.bot.settings.model_copy(update={"sites": (SiteTable(name="east"),)})
    return replace(office.bot, settings=settings)


def test_of_several_sites_each_is_shown_by_its_name(scene: Scene) -> None:
    office, bot = scene.office, with_an_east(scene.office)
    service_condition.keep(
        office.store, Condition("nself-redis", "east", NOW, Health("nself-redis", "stopped", "lost"))
    )
    on_call.keep(office.store, "main", [OnCall("P1", "Olga", "o@example.org", 1, "EP1")])
    on_call.keep(office.store, "east", [OnCall("P2", "Kim", "k@example.org", 1, "EP2")])
    notes.worker_lives(office.store, "w", {"sites": ["main"]})
    run_in(office)
    made = view(home_data(bot))
    check_view(made)
    text = "\n".join(Plain(Company()).blocks(made["blocks"]))
    main, east = text.index("*Site main*"), text.index("*Site east*")
    assert main < text.index("*nself-postgres* healthy") < east < text.index("*nself-redis* stopped (lost)")
    assert east < text.index("main:\n1. Olga") < text.index("east:\n1. Kim")
    assert "No worker is alive on east, so runs wait" in text
    assert "postgres pitr of nself-postgres @ nself" in text


def test_one_site_is_not_named(scene: Scene) -> None:
    run_in(scene.office)
    text = "\n".join(Plain(Company()).blocks(view(home_data(scene.office.bot))["blocks"]))
    assert "Site main" not in text
    assert "@ main" not in text


def test_who_is_on_call_everywhere_stands_there_once(scene: Scene) -> None:
    for site in ("main", "east"):
        on_call.keep(scene.office.store, site, [OnCall("P1", "Olga", "o@example.org", 1, "EP1")])
    text = "\n".join(Plain(Company()).blocks(view(home_data(with_an_east(scene.office)))["blocks"]))
    assert text.count("1. Olga") == 1
    assert "main:" not in text


def test_what_does_not_fit_is_said_not_to_be_all() -> None:
    sites = tuple(SiteHome(f"s{i}", tuple(replace(SEEN, service=f"db-{n}") for n in range(9))) for i in range(5))
    made = view(HomeData((), sites, NOW))
    check_view(made)
    assert "There is more than fits here" in str(made["blocks"][-1])


def test_a_run_is_not_hidden_behind_errands(scene: Scene) -> None:
    run_in(scene.office)
    for number in range(30):
        scene.office.store.open_run(f"e{number}", {**recorded()[0]["data"]}, claims=False, key=f"errand {number}")
    assert [run.id for run in home_data(scene.office.bot).runs] == ["r1"]


@pytest.mark.parametrize("fate", ["limited", ""])
def test_a_clock_that_was_set_back_leaves_no_tab_as_it_is_for_an_hour(scene: Scene, fate: str) -> None:
    scene.tabs.fate = lambda _user: fate
    scene.opens("U0ONCALL")
    scene.tabs.fate = lambda _user: ""
    scene.office.clock.on(-3600)
    scene.changes()
    assert scene.later(1) == 1
