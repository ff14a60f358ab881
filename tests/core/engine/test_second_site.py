"""A step that concerns two sites acts on each where it belongs, and one that cannot be reached leaves both alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from actions.control import answers
from actions.engine.claims import Claim, Mode, Wanted
from actions.engine.errors import Busy, Refused
from actions.engine.injection import Miswired, check
from actions.engine.journal import Kind
from actions.engine.procedure import Look, Outcome
from actions.settings.settings import Settings
from actions.stack.stack import ServiceKind
from actions.tools.docker import Docker
from actions.tools.registry import ERRAND_TOOLS, TOOLS, SiteTools
from bot.commands.parse_command import ProcedureCommand
from bot.runs import requests
from bot.runs.requests import Origin
from bot.slack.people import Person
from tests.support.bot_world import office_in
from tests.support.worlds.company import Killed
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.two_sites import APP, MOVE, Pair, TwoSites
from workers.runner.scope import nowhere


@pytest.fixture
def sites() -> TwoSites:
    return TwoSites()


def test_each_site_is_changed_by_its_own_tools(sites: TwoSites) -> None:
    run = sites.ask().id
    assert sites.work(run) == "asking"
    assert sites.states() == ("running", "exited")
    sites.answer(run, "Move")
    assert sites.work(run) == "asking"
    assert sites.states() == ("exited", "running")
    assert sites.here.changes[-1] == f"stop {APP}"
    assert sites.east.changes == (f"start {APP}",)


def test_what_was_done_on_both_sites_is_undone_on_both(sites: TwoSites) -> None:
    run = sites.ask().id
    sites.work(run)
    sites.answer(run, "Move")
    sites.work(run)
    sites.answer(run, "Back")
    assert sites.work(run) == "finished"
    assert sites.run(run).finished is Outcome.DISCARDED
    assert sites.states() == ("running", "exited")


def failure(sites: TwoSites, run: str) -> str:
    """What the journal says of how a run failed."""
    last = sites.store.entries(run)[-1]
    assert last.kind is Kind.FAILED
    return str(last.data["error"])


def places_of(sites: TwoSites, run: str) -> list[str]:
    found: list[str] = []
    sites.here.at_place = sites.east.at_place = sites.store.at_place = found.append
    sites.work(run)
    return found


def asked() -> tuple[TwoSites, str]:
    sites = TwoSites()
    run = sites.ask().id
    sites.work(run)
    sites.answer(run, "Move")
    return sites, run


def test_a_worker_that_dies_anywhere_between_two_sites_is_followed_by_one_that_ends_it() -> None:
    places = places_of(*asked())
    assert any(APP in place for place in places)
    for n in range(len(places)):
        sites, run = asked()
        seen: list[str] = []

        def die(place: str, at: int = n, seen: list[str] = seen) -> None:
            seen.append(place)
            if len(seen) == at + 1:
                raise Killed

        sites.here.at_place = sites.east.at_place = sites.store.at_place = die
        with pytest.raises(Killed):
            sites.work(run)
        sites.here.at_place = sites.east.at_place = sites.store.at_place = lambda place: None
        sites.clock.advance(60)
        sites.work(run)
        assert sites.states() == ("exited", "running"), places[n]
        assert sites.east.changes.count(f"start {APP}") == 1, places[n]


def test_a_site_of_which_the_settings_do_not_tell_is_refused_before_anything_is_touched(sites: TwoSites) -> None:
    run = sites.ask("west").id
    sites.work(run)
    assert failure(sites, run).startswith("There is no site 'west'.")
    assert (sites.here.changes, sites.east.changes) == ((), ())


def test_a_second_site_that_is_away_is_waited_for_and_then_said_and_a_retry_goes_on(sites: TwoSites) -> None:
    sites.away = "east"
    run = sites.ask().id
    sites.work(run)
    assert failure(sites, run).startswith("The Docker of east did not answer.")
    assert (sites.here.changes, sites.east.changes) == ((), ())
    sites.away = ""
    answers.retry(sites.store, run, ONCALL)
    assert sites.work(run) == "asking"


def test_whoever_has_the_tools_of_one_site_alone_refuses_the_second() -> None:
    with pytest.raises(Refused, match="'east' cannot be reached from here"):
        nowhere("east")


@pytest.mark.parametrize("to", ["main", ""])
def test_a_second_site_that_is_the_runs_own_is_refused(sites: TwoSites, to: str) -> None:
    with pytest.raises(Refused, match="needs a second site beside main"):
        sites.ask(to)
    assert sites.store.runs() == []


def test_who_wants_what_is_held_on_the_second_site_is_told_of_which_site_it_is(sites: TwoSites) -> None:
    sites.ask("west", "k1", site="east")
    with pytest.raises(Busy) as busy:
        sites.ask("east", "k2")
    assert busy.value.what == f"{APP} @ east"
    assert busy.value.message.startswith(f"{APP} @ east is held by run r")


def test_a_run_claims_on_both_sites_and_lets_go_of_both(sites: TwoSites) -> None:
    run = sites.ask().id
    assert sites.store.claims("east") == [Claim("east", APP, run, Mode.EXCLUSIVE)]
    assert sites.store.entries(run)[0].data["claims"] == [
        {"service": APP, "mode": "exclusive"},
        {"service": APP, "mode": "exclusive", "site": "east"},
    ]
    with pytest.raises(Busy) as busy:
        sites.ask("main", "k2", site="east")
    assert busy.value.run == run
    assert busy.value.what == f"{APP} @ main"
    sites.work(run)
    sites.answer(run, "Cancel")
    sites.work(run)
    assert (sites.store.claims("main"), sites.store.claims("east")) == ([], [])
    sites.ask("main", "k2", site="east")


MOVE_ALL = replace(MOVE, about=ServiceKind.HASURA)


@dataclass(frozen=True)
class Counted:
    """A request whose site is a number."""

    service: str
    to: int


def look_here(service: str, docker: Docker) -> Pair:
    return Pair(("", ""), ("", ""))


def look_there_wrongly(service: str, there: Docker) -> Pair:
    return Pair(("", ""), ("", ""))


def looking(look: Callable[..., Any], **more: Any) -> Any:
    return replace(MOVE, steps=(Look("look", look, gives="pair"),), **more)


@pytest.mark.parametrize(
    ("procedure", "why"),
    [
        (replace(MOVE, there=""), "nobody gives 'there' at this point"),
        (replace(MOVE, there="where"), "a site is named by 'where', which is no text of its request"),
        (replace(MOVE, request=Counted), "a site is named by 'to', which is no text of its request"),
        (replace(MOVE, claims=(Wanted(Mode.SHARED, site="where"),)), "a site is named by 'where'"),
        (replace(MOVE, claims=(Wanted(Mode.YIELDING, site="to"),)), "only what is claimed of its own site can yield"),
        (looking(look_here), "and no step takes 'there'"),
        (looking(look_there_wrongly), "'there' is "),
    ],
)
def test_a_table_whose_second_site_cannot_be_meant_is_found_at_import(procedure: Any, why: str) -> None:
    with pytest.raises(Miswired, match=why):
        check(procedure, TOOLS)


def test_a_table_with_a_second_site_fits_and_no_errand_has_one() -> None:
    check(MOVE, TOOLS)
    assert TOOLS["there"] is SiteTools
    with pytest.raises(Miswired):
        check(MOVE, ERRAND_TOOLS)


def test_people_name_the_second_site_as_they_like_and_the_journal_as_the_settings_do() -> None:
    office = office_in((MOVE_ALL,))
    told = {**office.bot.settings.model_dump(), "sites": [{"name": "East", "docker_host": "tcp://127.0.0.1:1"}]}
    bot = replace(office.bot, settings=Settings.model_validate(told))
    ask = partial(requests.open_run, bot, origin=Origin("k1", "U1", "T1", "C1"), person=Person(ONCALL))
    with pytest.raises(Refused, match="There is no site 'west'") as refused:
        ask(ProcedureCommand(MOVE_ALL, "west"))
    assert refused.value.detail == "Sites: main, East."
    assert bot.store.runs() == []
    run = bot.store.run(ask(ProcedureCommand(MOVE_ALL, "east")).run)
    assert run.request["to"] == "East"
    assert {claim.site for claim in (*bot.store.claims("main"), *bot.store.claims("East"))} == {"main", "East"}
