"""An approval that waits is brought to PagerDuty's next level: once, on the record, else there is a second page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.catalog import find
from actions.control import answers
from actions.engine.journal import Kind
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.incidents.alarms import RunFacts
from actions.incidents.page_escalation import NOTE, lifted, lifter
from actions.store import notes
from actions.store.ledger import LEASE_SECONDS
from bot.slack.outbox import ThreadPlace
from bot.slack.thread_drawing import draw, place_of
from bot.slack.watched_journals import Watched
from tests.support.bot_world import PITR, PlayedWorker, office_in
from tests.support.worlds.pagerduty import Killed, WorldErrands
from tests.support.worlds.pages import at
from tests.support.worlds.post import Post, Tower, due
from workers.runner.leased_runner import LeasedRunner

KEY = "mayday r1 approval"
ADA = Speaker("U2", "Ada", may_ask=True, may_approve=True)


class Waiting(Tower):
    """A recovery whose approval nobody gives, watched by somebody who can lift pages."""

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self.rung: list[str] = []
        self.watch.lift = lifter(post.store, post.world, "main", self.rung.append)
        self.run: PlayedWorker = post.recovers()
        self.run.asks(PITR, 5)

    def works(self) -> Run:
        """A worker carries out the newest errand that was enqueued."""
        LeasedRunner(self.post.store, find, WorldErrands(self.post.world), f"w{len(self.rung)}").carry_out(
            self.rung[-1]
        )
        return self.post.store.run(self.rung[-1])

    def page(self) -> Any:
        return next(p for p in self.post.world.incidents.values() if p.key == KEY)

    def escalations(self) -> list[str]:
        return [call for call in self.post.world.calls if call.startswith("escalate")]


@pytest.fixture
def waiting(post: Post) -> Waiting:
    post.polls()
    return Waiting(post)


def test_the_page_goes_to_the_next_level_at_once_and_to_it_alone_however_often_one_looks(waiting: Waiting) -> None:
    assert waiting.looks(9) == []
    assert waiting.looks(2) == ["r1 approval"]
    errand = waiting.works()
    assert (waiting.page().level, waiting.page().assignees) == (2, ("Ben Okoro",))
    assert waiting.post.world.incidents["P0"].level == 1, "what people have in hand stays with them"
    for _ in range(3):
        assert "r1 approval again" not in waiting.looks(5)
    assert waiting.rung == [errand.id]
    assert len(waiting.escalations()) == 1
    told = [e.data["said"] for e in waiting.post.store.entries(errand.id) if e.data.get("said")]
    assert told[-1] == "paged Ben Okoro"
    assert errand.id in [linked.run for linked in waiting.post.one.runs]


def test_where_the_next_level_could_not_be_paged_there_is_a_second_page_until_it_is(waiting: Waiting) -> None:
    waiting.post.world.fate = lambda call: "no" if call.startswith("escalate") else None
    waiting.looks(11)
    assert waiting.works().failure is not None
    assert "r1 approval again" in waiting.looks(10)
    waiting.post.world.fate = lambda call: None
    answers.retry(waiting.post.store, waiting.rung[-1], ADA)
    waiting.works()
    assert waiting.page().level == 2
    assert "r1 approval again" not in waiting.looks()


def test_without_the_rest_api_nothing_is_lifted_and_the_second_page_comes(waiting: Waiting) -> None:
    waiting.watch.lift = lifter(waiting.post.store, None, "main", waiting.rung.append)
    waiting.looks(11)
    assert "r1 approval again" in waiting.looks(10)
    assert waiting.rung == []


def test_somebody_whom_pagerduty_reached_already_is_not_paged_again(waiting: Waiting) -> None:
    waiting.looks(11)
    waiting.post.world.change(waiting.page().id, level=3)
    assert waiting.works().finished == "done"
    assert waiting.escalations() == []


def test_a_page_that_is_over_before_the_worker_comes_lifts_nobody(waiting: Waiting) -> None:
    waiting.looks(11)
    waiting.run.ends("discarded")
    waiting.looks()
    assert waiting.works().finished == "refused"
    assert waiting.escalations() == []


def test_each_wait_is_lifted_for_itself(waiting: Waiting) -> None:
    waiting.looks(11)
    waiting.works()
    waiting.run.write(Kind.RECHECKED, 5)
    waiting.run.asks(PITR, 5)
    assert "r1 approval" not in waiting.looks()
    waiting.looks(11)
    waiting.works()
    assert len(waiting.rung) == len(waiting.escalations()) == 2


@pytest.mark.deep
@pytest.mark.parametrize("how", ["kill before", "kill after"])
def test_a_worker_killed_at_any_call_pages_the_level_once(how: str) -> None:
    for at_call in range(1, 7):
        post = Post()
        post.world.opens("P0")
        post.polls()
        waiting = Waiting(post)
        waiting.looks(11)
        at = len(post.world.calls) + at_call
        post.world.fate = lambda _call, n=at, w=post.world: how if len(w.calls) == n else None
        try:
            waiting.works()
        except Killed:
            post.clock.advance(LEASE_SECONDS + 1)
            waiting.works()
        unheard = how == "kill before" and post.world.calls[at - 1 : at] == waiting.escalations()[:1]
        assert waiting.page().level == 2
        assert len(waiting.escalations()) == 1 + unheard


def test_a_watch_that_died_before_it_noted_the_errand_asks_for_no_second_one(waiting: Waiting) -> None:
    waiting.looks(11)
    waiting.post.store.keep(NOTE, KEY, "")
    waiting.looks(1)
    assert len(set(waiting.rung)) == 1


@pytest.mark.parametrize(("was", "expected"), [(False, ["r1 approval", "r1 approval again"]), (True, ["r1 approval"])])
def test_the_second_page_is_for_a_level_that_was_not_reached(was: bool, expected: list[str]) -> None:
    run = RunFacts("r1", "Bring it back", at(0), asked_at=at(5), serving=True, lifted=was)
    assert due(run, 25) == expected


def test_its_line_stands_in_the_thread_of_the_run() -> None:
    # The office first: it begins with an empty store.
    bot, post = office_in().bot, Post()
    post.world.opens("P0")
    post.polls()
    waiting = Waiting(post)
    waiting.looks(11)
    waiting.works()
    store = waiting.post.store
    bot = replace(bot, store=store)
    entries = store.entries(waiting.rung[-1])
    assert place_of(bot, entries[0]) is None
    notes.keep_post(store, "r1:1", {"channel": "C1", "ts": "1.1", "thread": ""})
    assert place_of(bot, entries[0]) == ThreadPlace("C1", "1.1")
    [line] = draw(bot, Watched(entries[-1].n, entries), store.clock(), True)
    assert "Page the next level" in line.text
    assert "paged Ben Okoro" in line.text
    assert lifted(store, KEY, next(e.at for e in store.entries("r1") if e.kind is Kind.ASKED))
