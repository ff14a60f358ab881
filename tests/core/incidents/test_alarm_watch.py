"""Alarms of an instruction that waits for a person, and of each server of each site."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.engine.facts import to_json
from actions.engine.journal import Kind
from actions.engine.put_question import BY_HAND
from actions.incidents.site_watch import SiteWatch
from actions.store import notes
from actions.watch import service_condition
from actions.watch.service_condition import Condition, Health, Reachable
from tests.support.bot_world import SERVICE
from tests.support.worlds.pages import at, event
from tests.support.worlds.post import Post, Tower, find


@pytest.fixture
def tower(post: Post) -> Tower:
    post.hears(event("triggered", "P0"))
    return Tower(post)


def test_an_instruction_that_nobody_carries_out_is_paged_like_a_question_and_taken_back_with_its_answer(
    tower: Tower,
) -> None:
    worker = tower.post.recovers()
    worker.write(Kind.BEGAN, 3, title="turn the switch")
    worker.write(Kind.ASKED, 3, title="turn the switch", options=[to_json(o) for o in BY_HAND], plan="", hand=True)
    assert tower.looks(9) == []
    assert tower.looks(2) == ["r1 approval"]
    said = str(tower.post.store.note("alarm", "mayday r1 approval"))
    assert "waits for something that a person has to do by hand: turn the switch" in said
    assert "second person" not in said
    assert "r1 approval again" in tower.looks(10)
    done = {"title": "turn the switch", "option": "Done", "leads": "on", "gives": "", "by": "U1", "name": "Olga"}
    worker.write(Kind.ANSWERED, 3, **done, text="It is turned.", plan="", hand=True)
    worker.write(Kind.DONE, 3, title="turn the switch", seconds=1.0)
    worker.ends("discarded")
    assert tower.looks() == []


def test_an_instruction_for_one_item_of_a_loop_is_paged_too(tower: Tower) -> None:
    worker = tower.post.recovers()
    items = [{"name": "east", "value": "east", "wave": 0, "needs": [], "by_hand": "Call them.", "spare": False}]
    worker.write(Kind.BEGAN, 3, title="tell the regions", items=items)
    hand = {"options": [to_json(o) for o in BY_HAND], "plan": "", "hand": True, "item": "east"}
    worker.write(Kind.ASKED, 3, title="tell the regions: east", **hand)
    assert tower.looks(11) == ["r1 approval"]


def test_every_server_of_every_site_is_paged_about_under_its_own_name(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    tower = Tower(post)
    sites = (("main", ("nself-postgres", "billing-db")), ("east", ("nself-postgres",)))
    watches = tuple(SiteWatch(post.store, find, name, servers, at=f" @ {name}") for name, servers in sites)
    tower.watch = replace(tower.watch, sites=watches)
    notes.worker_lives(post.store, "e", {"sites": ["east"]})
    for site, service in (("main", "billing-db"), ("east", "nself-postgres")):
        seen = Condition(service, site, post.clock(), Health(service, "healthy"), reachable=Reachable(at(1)))
        service_condition.keep(post.store, seen)
    assert tower.looks() == ["site east recoverability", "site main recoverability of billing-db"]
    said = str(post.store.note("alarm", "mayday site main recoverability of billing-db"))
    assert "no moment of billing-db can be reached" in said
    assert "/backup run base billing-db @ main" in said
    assert "run base @ east" in str(post.store.note("alarm", "mayday site east recoverability"))
    assert "site east worker" in tower.looks(2)


def test_a_recovery_of_one_server_says_nothing_of_what_is_lost_of_another(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    tower = Tower(post)
    tower.watch = replace(tower.watch, sites=(SiteWatch(post.store, find, "main", (SERVICE, "billing-db")),))
    for service in (SERVICE, "billing-db"):
        seen = Condition(service, "main", post.clock(), Health(service, "healthy"), reachable=Reachable(at(1)))
        service_condition.keep(post.store, seen)
    assert tower.looks() == ["site main recoverability", "site main recoverability of billing-db"]
    post.recovers()
    assert tower.looks() == ["site main recoverability of billing-db"]
