"""What somebody typed becomes a run, a look, a word to a run, or an answer that helps."""

from __future__ import annotations

import re

import pytest
from redis.exceptions import ConnectionError as RedisAway

from actions.engine.errors import Refused
from actions.engine.facts import to_json
from actions.engine.ids import new_id
from actions.engine.journal import Kind
from actions.engine.put_question import BY_HAND
from actions.store import notes
from bot.context import BotContext
from bot.dispatch import SILENCE, hear
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import Origin
from bot.runs.run_control import answer, kept, settled_by, steer, typed_by
from tests.support.bot_world import CHANNEL, PITR, SERVICE, START, Office, PlayedWorker, office_in


@pytest.fixture
def office() -> Office:
    return office_in()


def say(office: Office, text: str, user: str = "U0ONCALL", key: str = "t1", thread: str = "") -> str:
    return hear(office.bot, text, Origin(key, user, "T1", CHANNEL, thread, user)).text


def only_run(office: Office) -> PlayedWorker:
    (run,) = office.store.runs()
    return PlayedWorker(office.store, run)


def press(office: Office, worker: PlayedWorker, n: int, label: str, user: str, text: str = "") -> None:
    answer(office.bot, ButtonTarget(worker.run, n, label), office.bot.people.approving(user, "T1").speaker, text)


def test_a_request_stands_in_the_journal_with_all_that_the_worker_needs(office: Office) -> None:
    notes.worker_lives(office.store, "w", {"sites": ["main"]})
    reply = hear(office.bot, "postgres pitr 14:30", Origin("t1", "U0ONCALL", "T1", CHANNEL))
    (first,) = office.store.entries(only_run(office).run)
    assert first.kind is Kind.REQUESTED
    assert first.data == {
        "procedure": "postgres pitr",
        "table": PITR.table,
        "service": SERVICE,
        "site": "main",
        "by": "U0ONCALL",
        "name": "Oncall",
        "request": {"when": "14:30"},
        "summary": f"Bring {SERVICE} back to 14:30.",
        "origin": {"sink": "slack", "channel": CHANNEL, "thread": "", "key": "t1"},
        "shown": "thread",
        "claims": [{"service": SERVICE, "mode": "exclusive"}],
    }
    assert reply.runs == (first.run,)
    assert "mayday worker" not in reply.text


def test_the_second_delivery_has_no_effect_and_no_answer(office: Office) -> None:
    assert say(office, "postgres pitr 14:30")
    assert hear(office.bot, "postgres pitr 14:30", Origin("t1", "U0ONCALL", "T1", CHANNEL)) == SILENCE
    assert len(office.store.runs()) == 1
    for text in ("status", "help", "nonsense words", "postgres pitr", "stop r1"):
        assert say(office, text, key=text)
        assert say(office, text, key=text) == ""


def test_without_a_worker_it_says_so_and_how_to_start_one(office: Office) -> None:
    assert "No worker is alive" in say(office, "postgres pitr 14:30")
    assert "mayday worker" in say(office, "status", key="t2")
    notes.worker_lives(office.store, "elsewhere", {"host": "far", "sites": ["other"]})
    assert "mayday worker" in say(office, "status", key="t3")


def test_somebody_without_rights_is_refused_and_nothing_is_written(office: Office) -> None:
    said = say(office, "postgres pitr 14:30", "U0WATCHER")
    assert "U0WATCHER may not ask for recoveries." in said
    assert "operator_groups" in said
    assert office.store.runs() == []


def test_an_error_of_the_arguments_comes_with_its_hint(office: Office) -> None:
    assert say(office, "postgres pitr") == "No moment was given.\nWrite for example 14:30."


def test_a_held_service_names_its_run_and_links_to_the_thread(office: Office) -> None:
    say(office, "postgres pitr 14:30")
    office.store.keep("slack", "identity", {"team": "T1", "user": "U", "bot": "B", "url": "https://x.slack.com/"})
    notes.keep_post(office.store, "t1", {"channel": CHANNEL, "ts": "17.000001", "thread": ""})
    said = say(office, "postgres pitr 14:40", "U0DBA", "t2")
    assert f"{SERVICE} is held by run {only_run(office).run}" in said
    assert f"https://x.slack.com/archives/{CHANNEL}/p17000001" in said
    assert say(office, "postgres verify", "U0DBA", "t3").startswith("Run `")


def test_users_text_is_data_in_every_answer(office: Office) -> None:
    said = say(office, "postgres pitr {service.__class__} <!channel> %s")
    assert "{service.__class__} @channel %s" in said
    assert "<!channel>" not in say(office, "destroy <!channel> {x}", key="t2")


def test_a_queue_that_is_away_does_not_hurt_whoever_wakes_a_worker(office: Office) -> None:
    def broken(_run: str) -> None:
        raise RedisAway("redis is away")

    bot = BotContext(
        office.bot.settings,
        office.store,
        office.bot.catalog,
        office.bot.client,
        office.bot.people,
        broken,
        office.clock,
    )
    bot.wake_worker("r1")


def test_an_id_can_be_read_out_on_the_phone() -> None:
    ids = {new_id(START) for _ in range(200)}
    assert all(re.fullmatch(r"r1122-[abcdefghjkmnpqrstuvwxyz2-9]{4}", i) for i in ids)
    assert len(ids) > 190


def test_status_and_runs_tell_what_is_and_what_was(office: Office) -> None:
    assert "No run is under way." in say(office, "status")
    assert "There was no run yet." in say(office, "runs", key="a")
    say(office, "postgres pitr 14:30", key="b")
    worker = only_run(office)
    worker.looks(PITR, 0)
    assert f"`{worker.run}` postgres pitr · Choose a base backup" in say(office, "status", key="c")
    assert "Read the recovery window · 0.4 s — look 0" in say(office, f"runs {worker.run}", key="d")
    assert "There is no run r9" in say(office, "runs r9", key="e")


def test_stop_by_word_means_the_run_of_the_thread(office: Office) -> None:
    say(office, "postgres pitr 14:30")
    worker = only_run(office)
    notes.keep_post(office.store, "t1", {"channel": CHANNEL, "ts": "17.1", "thread": ""})
    assert "Which run?" in say(office, "stop", key="a")
    assert "may not steer" in say(office, "stop", "U0WATCHER", key="b", thread="17.1")
    assert "next safe place" in say(office, "stop", key="c", thread="17.1")
    assert office.store.run(worker.run).stop_asked == "U0ONCALL"
    assert office.rung == [worker.run]


def test_the_requester_cannot_approve_alone_and_the_typed_name_must_fit(office: Office) -> None:
    say(office, "postgres pitr 14:30", "U0DBA")
    worker = only_run(office)
    n = worker.asks(PITR, 5)
    with pytest.raises(Refused, match="does not approve it alone"):
        press(office, worker, n, "Cut over", "U0DBA", SERVICE)
    with pytest.raises(Refused, match="does not match"):
        press(office, worker, n, "Cut over", "U0APPROVER", "redis")
    with pytest.raises(Refused, match="may not approve"):
        press(office, worker, n, "Cut over", "U0ONCALL", SERVICE)
    press(office, worker, n, "Cut over", "U0APPROVER", SERVICE)
    assert office.rung == [worker.run]


def test_the_same_persons_second_press_is_silent_and_another_persons_is_told_who_was_first(office: Office) -> None:
    say(office, "postgres pitr 14:30")
    worker = only_run(office)
    n = worker.asks(PITR, 5)
    press(office, worker, n, "Cut over", "U0APPROVER", SERVICE)
    press(office, worker, n, "Cut over", "U0APPROVER", SERVICE)
    with pytest.raises(Refused) as refused:
        press(office, worker, n, "Cut over", "U0DBA", SERVICE)
    assert "Approver chose Cut over." in refused.value.detail
    assert [e.kind for e in office.store.entries(worker.run)].count(Kind.ANSWERED) == 1


def test_undo_after_the_point_of_no_return_says_where_the_old_data_lies(office: Office) -> None:
    say(office, "postgres pitr 14:30")
    worker = only_run(office)
    lies = {"path": "/data/postgres.before-r1", "text": "/data/postgres.before-r1, until 6 December"}
    worker.acts(PITR, 6)
    worker.write(Kind.DONE, 7, title="x", seconds=1, gives="old", fact=lies)
    with pytest.raises(Refused) as refused:
        steer(office.bot, "undo", worker.run, office.bot.people.approving("U0DBA", "T1").speaker)
    assert "can no longer be undone" in refused.value.message
    assert "/data/postgres.before-r1" in refused.value.detail
    assert kept(PITR, office.store.run(worker.run)) == lies["text"]


@pytest.mark.parametrize("value", ["", "x", "r1|x|Cut over", "r1|2|", "|2|Cut over"])
def test_a_button_that_is_none_of_ours_is_refused(value: str) -> None:
    with pytest.raises(Refused):
        ButtonTarget.of(value)


def test_what_was_done_by_hand_is_answered_like_a_question_and_wants_a_note(office: Office) -> None:
    say(office, "postgres pitr 14:30")
    worker = only_run(office)
    options = [{**to_json(option), "gives": ""} for option in BY_HAND]
    n = worker.write(Kind.ASKED, 3, title="switch it on", options=options, plan="p", sheets=[], hand=True)
    button = ButtonTarget(worker.run, n, "Done")
    assert typed_by(office.bot, button) == "note"
    person = office.bot.people.approving("U0ONCALL", "T1").speaker
    with pytest.raises(Refused, match="no note"):
        answer(office.bot, button, person)
    entry = answer(office.bot, button, person, "it blinks")
    assert entry is not None
    assert (entry.data["hand"], entry.data["text"], entry.data["by"]) == (True, "it blinks", "U0ONCALL")
    assert answer(office.bot, button, person, "it blinks") is None
    assert "chose Done" in settled_by(office.bot, button)
