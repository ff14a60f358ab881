"""Errands whose worker is killed at any call: nothing is left undone, and nobody is paged twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from actions.catalog import find
from actions.control.requests import Subject
from actions.errands import (
    pagerduty_acknowledge,
    pagerduty_escalate,
    pagerduty_lift,
    pagerduty_page,
    pagerduty_resolve,
    status_page_publish,
)
from actions.steps.pagerduty_incidents import AlertIds, Page
from actions.tools.outside import Draft
from tests.support.kills import KillCase, carry_on
from tests.support.worlds.clock import Clock
from tests.support.worlds.pagerduty import PagerDutyWorld, WorldErrands
from tests.support.worlds.pages import at
from tests.support.worlds.planned import Company
from tests.support.worlds.status_page import PageErrands, PageWorld

INCIDENT = "i1"
PAGE = Page(key="mayday i1", summary="Sign-in fails", severity="critical", since=at(1))
ALERTS = AlertIds(("P0", "P1"), at(0) - timedelta(minutes=5))
DRAFT = Draft(INCIDENT, "Search is down", "investigating", "We look into it.", components={"c2n6": "major_outage"})


def in_pagerduty(request: Any, *, paged: bool = False) -> Callable[[], Company]:
    """Two alerts are open, and a page of Mayday's own where it is `paged`; then the errand is asked for."""
    procedure = find(NAMES[type(request)])

    def asked() -> Company:
        world = PagerDutyWorld(Clock(at(1)))
        for id in ALERTS.ids:
            world.opens(id)
        if paged:
            world.trigger(PAGE.key, PAGE.summary)
        world.changes = ()
        here = Company(world, toolbox=WorldErrands)
        here.begin(procedure, request, Subject("main"))
        return here

    return asked


def on_the_page() -> Company:
    here = Company(PageWorld(), toolbox=PageErrands)
    here.begin(find("status page publish"), status_page_publish.Publish(INCIDENT, DRAFT), Subject("main"))
    return here


def alert_by_alert(before: Company, here: Company, after: Company) -> list[str]:
    """Nothing of it can be taken back; each alert is as it was or as it was to be."""
    old, now, new = (one.world.picture()["incidents"] for one in (before, here, after))
    return [f"{id}: {now[id]}" for id in now if now[id] not in (old.get(id), new[id])]


NAMES = {
    pagerduty_acknowledge.Acknowledge: "pagerduty acknowledge",
    pagerduty_resolve.Resolve: "pagerduty resolve",
    pagerduty_escalate.Escalate: "pagerduty escalate",
    pagerduty_lift.Lift: "pagerduty lift",
    pagerduty_page.Declare: "pagerduty page",
}
REQUESTS = (
    pagerduty_acknowledge.Acknowledge(INCIDENT, ALERTS),
    pagerduty_resolve.Resolve(INCIDENT, ALERTS),
    pagerduty_escalate.Escalate(INCIDENT, "P0"),
    pagerduty_lift.Lift(PAGE, 3),
    pagerduty_page.Declare(INCIDENT, PAGE),
)
CASES = (
    *(
        KillCase(NAMES[type(one)], in_pagerduty(one, paged=isinstance(one, pagerduty_lift.Lift)), alert_by_alert)
        for one in REQUESTS
    ),
    KillCase("status page publish", on_the_page),
)


def test_left_in_peace_each_errand_changes_what_it_was_asked_for_and_no_more() -> None:
    changed = {}
    for case in CASES:
        here = case.asked()
        carry_on(here)
        changed[case.procedure] = here.world.changes
    assert changed == {
        "pagerduty acknowledge": ("acknowledge P0", "acknowledge P1"),
        "pagerduty resolve": ("resolve P0", "resolve P1"),
        "pagerduty escalate": ("escalate P0 2",),
        "pagerduty lift": ("escalate Q2 3",),
        "pagerduty page": ("trigger mayday i1",),
        "status page publish": ("publish of i1",),
    }
