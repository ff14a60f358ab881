"""Another time, as it is pressed: read at once, kept as a request, and asked for just as it was looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.store.store import Store
from bot.dispatch import hear
from bot.runs.ask_again import open_again
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import Origin
from bot.runs.run_control import answer
from tests.support.bot_world import CHANNEL, PITR, START, Office, PlayedWorker, Wish, office_in

ONCALL = Speaker("U0ONCALL", "oncall", may_ask=True, may_approve=False)


def read_by_the_clock(text: str, asker: Asker) -> Wish:
    """As "20m ago": what it means depends on when it is read."""
    if not text.endswith("m ago"):
        raise RecoveryError("That is no moment.", hint="Write for example 20m ago.")
    return Wish((asker.now - timedelta(minutes=int(text.removesuffix("m ago")))).isoformat())


@pytest.fixture
def office() -> Office:
    return office_in((replace(PITR, words=replace(PITR.words, read=read_by_the_clock)),))


def asking(office: Office) -> tuple[PlayedWorker, ButtonTarget]:
    hear(office.bot, "/recover postgres pitr 30m ago", Origin("a", "U0ONCALL", "T1", CHANNEL))
    [run] = office.store.runs()
    worker = PlayedWorker(office.store, run)
    return worker, ButtonTarget(run, worker.asks(PITR, 5), "Another time")


def last(store: Store, run: str) -> dict[str, Any]:
    return store.entries(run)[-1].data


def test_a_typing_mistake_is_refused_at_once_and_the_question_stays(office: Office) -> None:
    worker, press = asking(office)
    with pytest.raises(RecoveryError, match="That is no moment"):
        answer(office.bot, press, ONCALL, "half past")
    assert office.store.run(worker.run).asking


def test_the_run_is_not_given_up_before_a_worker_has_looked(office: Office) -> None:
    worker, press = asking(office)
    answer(office.bot, press, ONCALL, "20m ago")
    at = (START - timedelta(minutes=20)).isoformat()
    assert last(office.store, worker.run)["request"] == {"when": at}
    state = office.store.run(worker.run)
    assert (state.recheck, state.undoing) == (5, None)
    worker.write(Kind.VOIDED, 5, changed=[], why="'20m ago' cannot be reached", redo=[])
    assert office.store.run(worker.run).again is None


def test_the_new_run_has_the_moment_that_was_looked_at_however_late_it_begins(office: Office) -> None:
    worker, press = asking(office)
    answer(office.bot, press, ONCALL, "20m ago")
    worker.write(Kind.RECHECKED, 5, title="look", seen={})
    wanted = office.store.run(worker.run).again
    assert wanted is not None
    worker.ends("discarded", again=wanted)
    office.clock.on(600)
    opened = open_again(office.bot, office.store.run(worker.run), wanted, CHANNEL, "1.2")
    assert opened is not None
    assert office.store.run(opened.run).request == {"when": (START - timedelta(minutes=20)).isoformat()}


def test_a_journal_of_before_says_only_what_was_typed_and_is_given_up_at_once(office: Office) -> None:
    worker, press = asking(office)
    said = {"option": "Another time", "leads": "again", "by": "U0ONCALL", "name": "oncall", "text": "20m ago"}
    worker.write(Kind.ANSWERED, 5, **said, gives="cut", plan="abc")
    state = office.store.run(worker.run)
    assert state.again == {"text": "20m ago", "by": "U0ONCALL"}
    assert state.undoing is not None
    assert press.label == "Another time"
