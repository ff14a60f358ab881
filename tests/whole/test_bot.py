"""The words against the practice Slack: a real Bolt app, the real protocol, a played worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from actions.engine.journal import Kind
from actions.store import notes
from actions.store.store import Store
from bot.bot_service import BotService
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import PITR, SERVICE, PlayedWorker
from tests.support.practice_bot import connected_bot, eventually, labels, lines, running_bot, slack, store
from tests.support.waiting import now

__all__ = ["slack", "store"]
pytestmark = pytest.mark.whole


@pytest.fixture
def bot(slack: RunningPracticeSlack, store: Store) -> Iterator[BotService]:
    with connected_bot(slack, store) as bot:
        yield bot


def planned(slack: RunningPracticeSlack, store: Store) -> tuple[str, PlayedWorker]:
    """A run whose first question stands in its thread."""
    said = slack.say("/recover postgres pitr 14:30")
    assert said["run"], said
    worker = PlayedWorker(store, said["run"])
    worker.looks(PITR, 0, 1)
    worker.asks(PITR, 2)
    eventually(lambda: "Cancel" in labels(slack))
    return said["thread"], worker


def test_a_command_leads_to_a_thread_with_plan_question_lines_and_report(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    thread, worker = planned(slack, store)
    assert slack.click("Pause writers and restore")["ok"]
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 2)
    worker.acts(PITR, 3, 4)
    worker.asks(PITR, 5)
    eventually(lambda: "Cut over" in labels(slack))
    assert slack.click("Cut over", "approver", typed="wrong")["error"] == "validation"
    assert "does not approve" in str(slack.click("Cut over", "oncall", typed=SERVICE))
    assert slack.click("Cut over", "approver", typed=SERVICE)["ok"]
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 5)
    worker.acts(PITR, 6)
    worker.ends("recovered")
    eventually(lambda: report(slack, thread, worker) and labels(slack, thread) == ["Steps"])
    eventually(lambda: "Recovered" in lines(slack, thread)[0])
    told = lines(slack, thread)
    assert [t.split("\n")[0] for t in told[1:-1]] == [
        "*Plan*",
        "*Restore beside the live data?*",
        "*Plan*",
        "*Recovered* · 1:15 of 30:00, kept",
    ]
    assert "*messages* 12" in told[-2]
    assert "@oncall chose *Pause writers and restore*" in told[2]
    assert "@approver chose *Cut over*" in told[3]
    assert steps_of(report(slack, thread, worker)) == [
        "1 Read the recovery window",
        "2 Choose a base backup",
        "3 Restore beside the live data?",
        "4 Pause the writers",
        "5 Replay to the target",
        "6 Cut over?",
        "7 Swap the data directories",
    ]


def report(slack: RunningPracticeSlack, thread: str, worker: PlayedWorker) -> str:
    """The file of a run's report; empty while it is not there."""
    files = [file for message in slack.thread(thread)["messages"] for file in message["files"]]
    name = f"report-{worker.run}.txt"
    return "".join(str(file["content"]) for file in files if file["name"].endswith(name))


def steps_of(told: str) -> list[str]:
    """The finished steps in a report's file."""
    return [line.removeprefix("✓ ").partition(" · ")[0] for line in told.splitlines() if line.startswith("✓ ")]


def test_the_header_carries_the_key_of_the_command_and_the_run(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    said = slack.say("/recover postgres pitr 14:30")
    header = slack.thread(said["thread"])["messages"][0]
    assert header["metadata"]["event_type"] == "mayday"
    carried = header["metadata"]["event_payload"]
    assert carried == {"run": said["run"], "key": said["trigger_id"], "entry": 1, "request": said["trigger_id"]}
    assert said["answers"][0].startswith(f"Run `{said['run']}`")


def test_reads_answer_only_the_person_who_asked(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    assert "No run is under way." in slack.say("/recover status", "watcher")["answers"][0]
    assert "pitrr" in (said := slack.say("/recover postgres pitrr 14:30"))["answers"][0]
    assert "Did you mean /recover postgres pitr 14:30?" in said["answers"][0]
    assert "/drill can do nothing yet" in slack.say("/drill chaos")["answers"][0]
    assert "postgres pitr" in slack.say("/recover help")["answers"][0]
    assert slack.threads() == []


def test_somebody_without_rights_gets_nowhere(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    assert "may not ask" in slack.say("/recover postgres pitr 14:30", "watcher")["answers"][0]
    assert "may not ask" in slack.say("/recover postgres pitr 14:30", "guest")["answers"][0]
    assert store.runs() == []
    _, worker = planned(slack, store)
    assert "may not steer" in slack.click("Pause writers and restore", "watcher")["answers"][0]
    assert store.run(worker.run).answered is None


def test_a_second_command_for_a_held_service_says_who_holds_it_and_where(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    first = slack.say("/recover postgres pitr 14:30")
    second = slack.say("/recover postgres pitr 14:40", "dba")
    assert second["run"] is None
    assert f"held by run {first['run']}" in second["answers"][0]
    assert f"p{first['thread'].replace('.', '')}" in second["answers"][0]


def test_everything_delivered_twice_happens_once(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    slack.fault("twice")
    _, worker = planned(slack, store)
    assert len(store.runs()) == 1
    slack.say("@Mayday postgres verify")
    eventually(lambda: len(store.runs()) == 2)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    time.sleep(1.0)
    assert len(store.runs()) == 2
    assert [e.kind for e in store.entries(worker.run)].count(Kind.ANSWERED) == 1
    headers = [t for t in slack.threads() if t["run"]]
    assert len(headers) == 2


def test_two_approvers_at_once_have_one_effect(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    _, worker = planned(slack, store)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 2)
    worker.asks(PITR, 5)
    eventually(lambda: "Cut over" in labels(slack))
    answers: list[Any] = []
    both = [
        threading.Thread(target=lambda who=who: answers.append(slack.click("Cut over", who, typed=SERVICE)))
        for who in ("approver", "dba")
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    told = [e for e in store.entries(worker.run) if e.kind is Kind.ANSWERED and e.step == 5]
    assert len(told) == 1
    assert sum(1 for a in answers if a["ok"]) == 1
    assert any("answered already" in str(a) or "no longer open" in str(a) or "no such" in str(a) for a in answers)


def test_an_expired_question_cannot_be_answered(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    _, worker = planned(slack, store)
    message = next(m for m in slack.thread()["messages"] if "Cancel" in [b["label"] for b in m["buttons"]])
    worker.write(Kind.EXPIRED, 2)
    worker.ends("discarded")
    eventually(lambda: labels(slack) == ["Steps"])
    assert "Nobody answered in time" in "\n".join(lines(slack))
    assert message["buttons"][0]["value"].startswith(worker.run)
    assert slack.click("Pause writers and restore")["error"] == "no such button now"


def whole_run(store: Store, worker: PlayedWorker, pause: float = 0.0) -> None:
    """Everything after the first answer, as the worker writes it."""
    worker.write(Kind.RECHECKED, 2)
    for step in (3, 4, 6):
        worker.acts(PITR, step)
        time.sleep(pause)
    worker.write(Kind.NOTED, None, text="A note.", file={"name": "log.txt", "content": "long log"})
    worker.ends("recovered")


def complete(slack: RunningPracticeSlack, thread: str, worker: PlayedWorker) -> None:
    """The thread is complete, in order, and nothing stands twice."""
    eventually(lambda: report(slack, thread, worker) and "Recovered" in lines(slack, thread)[0], 90)
    assert [t.split("\n")[0] for t in lines(slack, thread)[1:]] == [
        "*Plan*",
        "*Restore beside the live data?*",
        "A note.",
        "",
        "*Recovered* · 1:15 of 30:00, kept",
        "",
    ]
    messages = slack.thread(thread)["messages"]
    assert [f["content"] for m in messages for f in m["files"]] == ["long log", report(slack, thread, worker)]
    assert steps_of(report(slack, thread, worker))[3:] == [
        "4 Pause the writers",
        "5 Replay to the target",
        "7 Swap the data directories",
    ]
    keys = [m["metadata"]["event_payload"]["key"] for m in messages if m["metadata"]]
    assert len(keys) == len(set(keys))
    assert labels(slack, thread) == ["Steps"]


@pytest.mark.parametrize("fault", ["down", "errors", "limited"])
def test_a_thread_catches_up_in_order_and_once_after_a_bad_day(
    slack: RunningPracticeSlack, store: Store, bot: BotService, fault: str
) -> None:
    thread, worker = planned(slack, store)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    slack.fault(fault)
    whole_run(store, worker, 0.5)
    time.sleep(3)
    if fault == "down":
        slack.fault("off")
    complete(slack, thread, worker)
    slack.fault("off")
    assert slack.wait_for_bot()


def test_a_bot_killed_in_the_middle_goes_on_where_it_was(slack: RunningPracticeSlack, store: Store) -> None:
    with running_bot(slack, store):
        assert slack.wait_for_bot()
        thread, worker = planned(slack, store)
        slack.click("Pause writers and restore")
        eventually(lambda: store.run(worker.run).answered)
    whole_run(store, worker)
    # As a bot leaves it that died after the post and before it noted where: the intent is there, the place not.
    asked = next(e for e in store.entries(worker.run) if e.kind is Kind.ASKED)
    notes.keep_post(
        store, f"{worker.run}:{asked.n}", {"channel": "C0OPSEMERG", "doubt": True, "since": now().isoformat()}
    )
    with running_bot(slack, store):
        complete(slack, thread, worker)


def test_the_bot_starts_while_slack_is_down(slack: RunningPracticeSlack, store: Store) -> None:
    slack.fault("down")
    with running_bot(slack, store):
        time.sleep(1.5)
        slack.fault("off")
        assert slack.wait_for_bot()
        assert "No run is under way." in slack.say("/recover status")["answers"][0]


def test_a_slow_slack_still_gets_its_answers(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    _, worker = planned(slack, store)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 2)
    worker.asks(PITR, 5)
    eventually(lambda: "Cut over" in labels(slack))
    slack.fault("slow")
    slack.click("Cut over", "approver", typed=SERVICE)
    assert eventually(lambda: store.run(worker.run).answered, 20)["by"] == "U0APPROVER"


def test_another_time_begins_a_new_run_in_the_same_thread(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    thread, worker = planned(slack, store)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 2)
    worker.asks(PITR, 5)
    eventually(lambda: "Another time" in labels(slack))
    assert slack.click("Another time", typed="14:25")["ok"]
    eventually(lambda: store.run(worker.run).again)
    worker.ends("discarded", again={"text": "14:25", "by": "U0ONCALL"})
    eventually(lambda: len(store.runs()) == 2)
    new = next(run for run in store.runs() if run != worker.run)
    assert store.run(new).request == {"when": "14:25"}
    eventually(lambda: any("14:25" in t and "Bring" in t for t in lines(slack, thread)))


def test_a_failure_has_buttons_until_somebody_pressed_one(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    thread, worker = planned(slack, store)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 2)
    worker.write(Kind.BEGAN, 3, title="pause the writers")
    eventually(lambda: "Stop" in labels(slack))
    slack.click("Stop")
    eventually(lambda: store.run(worker.run).stop_asked)
    error = {"error": "The disk is full.", "detail": "No space\nleft <b>", "hint": "Free 2 GB."}
    worker.write(Kind.FAILED, 3, title="pause the writers", seconds=1.0, **error)
    eventually(lambda: {"Retry", "Undo"} <= set(labels(slack)))
    slack.click("Retry")
    eventually(lambda: store.run(worker.run).failure is None)
    eventually(lambda: "pressed *Retry*" in lines(slack)[-1] and "Retry" not in labels(slack))
    worker.write(Kind.FAILED, 3, title="pause the writers", seconds=1.0, **error)
    eventually(lambda: "Undo" in labels(slack))
    slack.say("@Mayday undo", thread=thread)
    eventually(lambda: store.run(worker.run).undoing)


def test_http_mode_takes_commands_with_the_word_that_confuses_bolt(slack: RunningPracticeSlack, store: Store) -> None:
    with running_bot(slack, store, mode="http", http_host="127.0.0.1", http_port=0) as bot:
        eventually(lambda: bot.port)
        slack.request_url(f"http://127.0.0.1:{bot.port}/slack/events")
        eventually(lambda: store.notes("people").get("S0OPERATORS"))
        said = slack.say("/recover postgres pitr payload 14:30")
        assert said["run"], said
        assert "payload" in store.entries(said["run"])[0].data["summary"]
        worker = PlayedWorker(store, said["run"])
        worker.asks(PITR, 2)
        eventually(lambda: "Cancel" in labels(slack))
        slack.click("Cancel")
        assert eventually(lambda: store.run(worker.run).answered)["option"] == "Cancel"
