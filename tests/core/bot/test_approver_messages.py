"""Those who may approve are told by a direct message: once, and once more; it says what was decided afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from actions.engine.journal import Kind
from actions.settings.people import PeopleSettings
from actions.store import notes
from bot.commands.parse_command import ProcedureCommand
from bot.context import BotContext
from bot.runs.requests import Origin, open_run
from bot.slack import direct_messages
from bot.slack.approval_requests import MOST
from bot.slack.approver_messages import ApproverMessages
from bot.slack.people import SlackPeople
from bot.slack.thread_loop import APPROVALS, ThreadLoop
from bot.slack.thread_writer import ThreadWriter
from tests.support.bot_world import CHANNEL, PITR, SERVICE, PlayedWorker, office_in
from tests.support.slack_world import Channel, ChannelClient, Killed

CARD = [{"label": "To", "text": "", "at": "2026-11-22T13:58:00+00:00"}, {"label": "Lost", "text": "3 rows", "at": None}]


class Scene:
    """A run that waits for a second person; a bot that can be started anew, and people whose messages are kept."""

    def __init__(self, by: str = "U0ONCALL") -> None:
        self.office = office_in()
        self.channel = Channel(self.office.clock)
        self.bot: BotContext = replace(self.office.bot, client=ChannelClient(self.channel))
        store = self.office.store
        notes.worker_lives(store, "w", {"sites": ["main"]})
        store.keep("slack", "identity", {"team": "T1", "user": "U0", "bot": "B0", "url": "https://practice.test/"})
        origin = Origin("trigger-1", by, "T1", CHANNEL)
        opened = open_run(self.bot, ProcedureCommand(PITR, "14:30"), origin, self.bot.people.asking(by, "T1"))
        self.worker = PlayedWorker(store, opened.run)
        self.worker.looks(PITR, 0, 1)
        self.thread, self.sink = ThreadWriter(self.bot), ApproverMessages(self.bot)

    def asks(self) -> int:
        return self.worker.asks(PITR, 5, card=CARD)

    def goes_on(self, seconds: int = 5) -> None:
        """Let the bot look each second; it is started anew whenever it was killed."""
        for _ in range(seconds):
            self.office.clock.on(1)
            try:
                self.thread.tick()
                self.sink.tick()
            except Killed:
                self.starts_anew()

    def starts_anew(self) -> None:
        self.thread, self.sink = ThreadWriter(self.bot), ApproverMessages(self.bot)

    def approved(self, n: int, by: str = "U0DBA") -> None:
        said = {"option": "Cut over", "leads": "on", "gives": "cut", "by": by, "name": "Dmitri"}
        self.worker.write(Kind.ANSWERED, 5, **said, text="", plan="abc")

    def told(self, user: str = "U0APPROVER") -> list[dict[str, Any]]:
        return [m for m in self.channel.messages if m["channel"] == f"D{user[1:]}"]

    def direct(self) -> list[str]:
        return [m["channel"] for m in self.channel.messages if m["channel"].startswith("D")]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_each_who_may_approve_gets_the_card_with_approve_and_the_way_to_the_thread(scene: Scene) -> None:
    n = scene.asks()
    scene.goes_on()
    assert sorted(scene.direct()) == ["D0APPROVER", "D0DBA"]
    (message,) = scene.told()
    said = str(message["blocks"])
    assert "*Lost* 3 rows" in said
    assert "<@U0ONCALL> asks: Bring nself-postgres back to 14:30." in said
    (button,) = next(block for block in message["blocks"] if block["type"] == "actions")["elements"]
    assert button["text"]["text"] == "Approve…"
    assert (button["action_id"], button["value"]) == ("answer:0", f"{scene.worker.run}|{n}|Cut over")
    asked = next(m for m in scene.channel.messages if m["key"] == f"{scene.worker.run}:{n}")
    place = f"p{asked['ts'].replace('.', '')}?thread_ts={asked['thread_ts']}&cid={CHANNEL}"
    assert f"<https://practice.test/archives/{CHANNEL}/{place}|Open the thread>" in said


def test_the_question_in_the_thread_mentions_the_group_in_the_line_that_says_who_may_press(scene: Scene) -> None:
    n = scene.asks()
    scene.goes_on()
    line = next(m for m in scene.channel.messages if m["key"] == f"{scene.worker.run}:{n}")["blocks"][-1]
    assert line["type"] == "section"
    assert line["text"]["text"].startswith(
        "*Cut over*: <!subteam^S0APPROVERS>, not <@U0ONCALL> · the others: <@U0ONCALL> or an approver · open until "
    )


def test_whoever_asked_is_not_told_though_they_may_approve() -> None:
    scene = Scene(by="U0DBA")
    scene.asks()
    scene.goes_on()
    assert scene.direct() == ["D0APPROVER"]


def test_a_question_for_whoever_asked_tells_nobody(scene: Scene) -> None:
    scene.worker.asks(PITR, 2, card=CARD)
    scene.goes_on()
    assert scene.direct() == []


def test_after_five_minutes_each_is_told_once_more_and_then_left_alone(scene: Scene) -> None:
    scene.asks()
    scene.goes_on(290)
    assert len(scene.told()) == 1
    scene.goes_on(30)
    assert len(scene.told()) == 2
    assert "Still waiting for you or another approver" in str(scene.told()[1]["blocks"])
    scene.goes_on(600)
    assert len(scene.told()) == 2


def test_once_it_is_decided_every_message_says_by_whom_and_has_no_button(scene: Scene) -> None:
    n = scene.asks()
    scene.goes_on(320)
    scene.approved(n)
    scene.goes_on(60)
    for message in (*scene.told(), *scene.told("U0DBA")):
        assert "<@U0DBA> chose *Cut over*" in str(message["blocks"])
        assert "actions" not in [block["type"] for block in message["blocks"]]


def test_an_answer_that_became_void_is_said_and_the_new_question_is_told(scene: Scene) -> None:
    scene.approved(scene.asks())
    scene.goes_on()
    scene.worker.write(Kind.VOIDED, 5, redo=[], changed=["losses"])
    scene.asks()
    scene.goes_on(30)
    first = scene.told()
    assert len(first) == 1, "the first question was answered before anybody was told"
    assert "actions" in [block["type"] for block in first[0]["blocks"]]


def test_an_answer_that_becomes_void_later_is_corrected(scene: Scene) -> None:
    n = scene.asks()
    scene.goes_on()
    scene.approved(n)
    scene.goes_on(10)
    assert "chose *Cut over*" in str(scene.told()[0]["blocks"])
    scene.worker.write(Kind.VOIDED, 5, redo=[], changed=["losses"])
    scene.asks()
    scene.goes_on(30)
    assert "The answer is void" in str(scene.told()[0]["blocks"])
    assert len(scene.told()) == 2


@pytest.mark.parametrize("how", ["kill after", "kill before", "broken after", "down", "limited"])
@pytest.mark.parametrize("method", ["post", "open"])
def test_whatever_becomes_of_a_call_nobody_is_told_twice(scene: Scene, method: str, how: str) -> None:
    scene.goes_on()  # The thread stands, so that the next posts are the question's and the direct messages'.
    scene.asks()
    scene.thread.tick()
    left = [1]

    def fate(_n: int, called: str) -> str | None:
        if called == method and left[0]:
            left[0] -= 1
            return how
        return None

    scene.channel.fate = fate
    scene.goes_on(90)
    assert sorted(scene.direct()) == ["D0APPROVER", "D0DBA"]
    assert left == [0]


def test_what_was_decided_while_the_bot_was_away_is_said_when_it_is_back(scene: Scene) -> None:
    n = scene.asks()
    scene.goes_on()
    scene.approved(n)
    scene.worker.write(Kind.RECHECKED, 5)
    scene.office.clock.on(3600)
    scene.starts_anew()
    scene.goes_on(30)
    assert "chose *Cut over*" in str(scene.told()[0]["blocks"])
    calls = len(scene.channel.calls)
    for _ in range(30):
        scene.office.clock.on(1)
        assert scene.sink.tick()
    assert len(scene.channel.calls) == calls


def test_what_was_decided_before_anybody_was_told_is_told_to_nobody(scene: Scene) -> None:
    scene.approved(scene.asks())
    scene.goes_on(30)
    assert scene.direct() == []


def test_of_two_bots_one_tells_and_the_other_goes_on_where_it_was_killed(scene: Scene) -> None:
    loops = [ThreadLoop(scene.bot, f"bot {n}", APPROVALS, ApproverMessages) for n in range(2)]
    scene.asks()
    scene.thread.tick()
    seen = len(scene.channel.messages)
    scene.channel.fate = lambda _n, method: "kill after" if method == "post" and not scene.direct() else None
    with pytest.raises(Killed):
        loops[0].tick()
    assert len(scene.channel.messages) == seen + 1
    scene.channel.fate = lambda _n, _method: None
    for _ in range(60):
        scene.office.clock.on(1)
        loops[1].tick()
    assert sorted(scene.direct()) == ["D0APPROVER", "D0DBA"]


def test_somebody_with_whom_no_conversation_can_be_opened_holds_up_nobody_and_the_doctor_names_them(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.channel.unopened["U0APPROVER"] = "cannot_dm_bot"
    n = scene.asks()
    scene.goes_on()
    assert scene.direct() == ["D0DBA"]
    assert "U0APPROVER could not be told" in caplog.text
    (finding,) = direct_messages.check(scene.office.store)
    assert not finding.ok
    assert "Approver (cannot_dm_bot)" in finding.seen
    asked = next(m for m in scene.channel.messages if m["key"] == f"{scene.worker.run}:{n}")
    scene.goes_on(10)
    assert "1 of them got no message of their own." in str(asked["blocks"][-1])
    scene.channel.unopened.clear()
    scene.approved(n)
    scene.worker.write(Kind.VOIDED, 5, redo=[], changed=["losses"])
    scene.asks()
    scene.goes_on()
    assert len(scene.told()) == 1
    assert direct_messages.check(scene.office.store)[0].ok


def test_of_a_large_group_some_are_told_and_the_question_says_how_many_are_not(scene: Scene) -> None:
    scene.office.directory.groups["S0APPROVERS"] = [f"U0PERSON{n:02}" for n in range(40)]
    scene.office.clock.on(3600)  # What was read of the group is too old by now.
    n = scene.asks()
    scene.goes_on(40)
    assert len(scene.direct()) == MOST == 25
    asked = next(m for m in scene.channel.messages if m["key"] == f"{scene.worker.run}:{n}")
    assert "15 of them got no message of their own." in str(asked["blocks"][-1])


def test_a_guest_in_the_group_is_told_nothing(scene: Scene) -> None:
    scene.office.directory.users["U0APPROVER"] = {"is_restricted": True}
    scene.office.clock.on(3600)
    scene.asks()
    scene.goes_on()
    assert scene.direct() == ["D0DBA"]


def test_while_slack_cannot_say_who_may_nobody_is_passed_over_for_good(scene: Scene) -> None:
    people = PeopleSettings(approver_groups=("S0NEW",))
    scene.office.directory.groups["S0NEW"] = ["U0APPROVER"]
    scene.bot = replace(scene.bot, people=SlackPeople(people, scene.office.bot.client, scene.office.store))
    scene.starts_anew()
    scene.office.directory.away = True
    scene.asks()
    scene.goes_on(30)
    assert scene.direct() == []
    scene.office.directory.away = False
    scene.goes_on(10)
    assert scene.direct() == ["D0APPROVER"]


def test_a_thread_that_does_not_come_to_stand_is_not_waited_for_long(scene: Scene) -> None:
    scene.asks()
    look: Callable[[], bool] = scene.sink.tick
    for _ in range(40):
        scene.office.clock.on(1)
        look()
    (message,) = scene.told()
    assert "Open the thread" not in str(message["blocks"])
    scene.goes_on(10)
    assert "Open the thread" in str(scene.told()[0]["blocks"])
    assert SERVICE in str(message["blocks"])
