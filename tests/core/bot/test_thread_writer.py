"""The tail keeps threads as their journals say: complete, in order, once, whatever happens to Slack or the bot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.engine.journal import Kind
from actions.store import notes
from bot.commands.parse_command import ProcedureCommand
from bot.context import BotContext
from bot.runs.requests import Origin, open_run
from bot.slack.people import Person
from bot.slack.thread_writer import ThreadWriter
from tests.support.bot_world import CHANNEL, PITR, VERIFY, Office, PlayedWorker, office_in
from tests.support.slack_world import Channel, ChannelClient, Killed


class Scene:
    """An office whose bot speaks into a channel; the bot can be started anew."""

    def __init__(self) -> None:
        self.office: Office = office_in()
        self.channel = Channel(self.office.clock)
        self.bot: BotContext = replace(self.office.bot, client=ChannelClient(self.channel))
        notes.worker_lives(self.office.store, "w", {"sites": ["main"]})
        self.sink = ThreadWriter(self.bot)

    def ask(self, key: str = "trigger-1", thread: str = "", procedure: Any = PITR) -> PlayedWorker:
        origin = Origin(key, "U0ONCALL", "T1", CHANNEL, thread)
        opened = open_run(self.bot, ProcedureCommand(procedure, "14:30"), origin, self.person())
        return PlayedWorker(self.office.store, opened.run)

    def person(self) -> Person:
        return self.bot.people.asking("U0ONCALL", "T1")

    def draw(self, ticks: int = 200) -> None:
        """Let the tail look until everything stands, the bot starting anew whenever it was killed."""
        for _ in range(ticks):
            self.office.clock.on(1)
            try:
                if self.sink.tick():
                    return
            except Killed:
                self.sink = ThreadWriter(self.bot)
        raise AssertionError("the thread never became complete")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def whole_story(worker: PlayedWorker) -> None:
    worker.looks(PITR, 0, 1)
    worker.asks(PITR, 2)
    said = {"option": "Restore, keep serving", "leads": "on", "gives": "start", "by": "U0ONCALL", "name": "Olga"}
    worker.write(Kind.ANSWERED, 2, **said, text="", plan="abc")
    worker.write(Kind.RECHECKED, 2)
    worker.acts(PITR, 3, 4, 6)
    worker.write(Kind.NOTED, None, text="", file={"name": "log.txt", "content": "long"})
    worker.ends("recovered")


def expected(run: str) -> list[str]:
    return [
        "trigger-1",
        f"{run}:4:plan",
        f"{run}:4",
        f"{run}-13-log.txt",
        f"{run}:14",
        f"report-{run}.txt",
    ]


def test_a_thread_has_everything_in_order_and_its_header_is_the_root(scene: Scene) -> None:
    worker = scene.ask()
    whole_story(worker)
    scene.draw()
    assert scene.channel.keys == expected(worker.run)
    root, *rest = scene.channel.messages
    assert root["thread_ts"] is None
    assert {m["thread_ts"] for m in rest} == {root["ts"]}
    assert root["metadata"] == {
        "event_type": "mayday",
        "event_payload": {"run": worker.run, "key": "trigger-1", "entry": 1, "request": "trigger-1"},
    }
    assert notes.cursor(scene.office.store, "slack", worker.run) == 14


def test_a_complete_thread_is_left_alone(scene: Scene) -> None:
    whole_story(scene.ask())
    scene.draw()
    calls = len(scene.channel.calls)
    for _ in range(20):
        scene.office.clock.on(5)
        assert scene.sink.tick()
    ThreadWriter(scene.bot).tick()
    assert len(scene.channel.calls) == calls


def killing_points() -> list[tuple[int, str]]:
    kills = [(n, "kill after") for n in range(1, 15)] + [(n, "kill before") for n in (1, 3, 5, 8, 12)]
    return kills + [(n, how) for n in (4, 11) for how in ("broken after", "down", "limited")]


@pytest.mark.deep
@pytest.mark.parametrize(("at", "how"), killing_points())
def test_whatever_happens_at_any_call_everything_stands_once_and_in_order(scene: Scene, at: int, how: str) -> None:
    scene.channel.fate = lambda n, _method: how if n == at else None
    worker = scene.ask()
    worker.looks(PITR, 0, 1)
    scene.draw()
    worker.asks(PITR, 2)
    scene.draw()
    said = {"option": "Restore, keep serving", "leads": "on", "gives": "start", "by": "U0ONCALL", "name": "Olga"}
    worker.write(Kind.ANSWERED, 2, **said, text="", plan="abc")
    worker.write(Kind.RECHECKED, 2)
    for step in (3, 4, 6):
        worker.acts(PITR, step)
        scene.draw()
    worker.write(Kind.NOTED, None, text="", file={"name": "log.txt", "content": "long"})
    worker.ends("recovered")
    scene.draw()
    assert scene.channel.keys == expected(worker.run)
    assert "Olga" not in scene.channel.text(":4")
    assert "<@U0ONCALL> chose *Restore, keep serving*" in scene.channel.text(":4")
    assert "Recovered" in scene.channel.text("trigger-1")


def test_every_second_call_failing_delays_and_loses_nothing(scene: Scene) -> None:
    scene.channel.fate = lambda n, _method: ("broken after" if n % 4 == 0 else "down") if n % 2 == 0 else None
    worker = scene.ask()
    whole_story(worker)
    scene.draw(600)
    assert scene.channel.keys == expected(worker.run)


def test_nothing_is_called_before_the_time_that_slack_asked_to_wait_for(scene: Scene) -> None:
    scene.channel.fate = lambda n, _method: "limited" if n == 1 else None
    scene.ask()
    scene.sink.tick()
    for _ in range(6):
        scene.office.clock.on(1)
        scene.sink.tick()
    assert len(scene.channel.calls) == 1
    scene.office.clock.on(1.1)
    scene.sink.tick()
    assert scene.channel.keys == ["trigger-1"]


def test_the_header_is_edited_at_once_for_a_new_state_and_rarely_for_its_clock(scene: Scene) -> None:
    worker = scene.ask()
    scene.draw()
    scene.channel.calls.clear()
    for _ in range(60):
        scene.office.clock.on(0.5)
        scene.sink.tick()
    assert 2 <= scene.channel.calls.count("update") <= 4
    scene.channel.calls.clear()
    worker.looks(PITR, 0)
    scene.sink.tick()
    assert scene.channel.calls == ["update"]


def test_edits_of_many_runs_together_stay_below_slacks_limit(scene: Scene) -> None:
    for n in range(4):
        worker = scene.ask(f"t{n}", procedure=VERIFY)
        worker.write(Kind.BEGAN, 0, title="check")
    for second in range(60):
        for n, run in enumerate(scene.office.store.runs()):
            notes.set_progress(scene.office.store, run, {"step": 0, "done": second + n, "total": 500, "text": "copied"})
        scene.office.clock.on(1)
        scene.sink.tick()
    assert 20 <= scene.channel.calls.count("update") <= 55


def test_posts_go_before_cosmetic_edits(scene: Scene) -> None:
    worker = scene.ask()
    scene.draw()
    scene.office.clock.on(30)
    worker.looks(PITR, 0)
    worker.asks(PITR, 2)
    scene.channel.calls.clear()
    scene.sink.tick()
    assert scene.channel.calls == ["post", "post", "update"]


def test_blocks_that_slack_does_not_take_are_shown_as_bare_text(scene: Scene) -> None:
    worker = scene.ask()
    scene.draw()
    worker.asks(PITR, 2)
    scene.channel.fate = lambda n, method: "error:invalid_blocks" if n == 2 else None
    scene.draw()
    plan = next(m for m in scene.channel.messages if m["key"].endswith(":plan"))
    assert (plan["blocks"], plan["text"].splitlines()[0]) == ([], "*Plan*")
    assert scene.channel.keys[-1].endswith(":3") or len(scene.channel.keys) == 3


def test_a_run_asked_for_in_a_thread_stays_there(scene: Scene) -> None:
    scene.ask("C0OPSEMERG:5.5", thread="4.4")
    scene.draw()
    assert scene.channel.messages[0]["thread_ts"] == "4.4"


def test_one_thread_that_cannot_be_written_does_not_hold_up_the_others(scene: Scene) -> None:
    scene.channel.fate = lambda n, _method: "error:not_in_channel" if n == 1 else None
    scene.ask("first", procedure=VERIFY)
    scene.office.clock.on(1)
    scene.ask("second", procedure=VERIFY)
    scene.sink.tick()
    assert scene.channel.keys == ["second"]
    scene.office.clock.on(5)
    scene.draw()
    assert scene.channel.keys == ["second", "first"]


def test_a_journal_of_another_version_holds_nobody_up(scene: Scene) -> None:
    strange = scene.ask("strange", procedure=VERIFY)
    strange.write(Kind.ASKED, 0, title="x", options=[], expires_at="never", plan="")
    scene.ask("second", procedure=VERIFY)
    scene.sink.tick()
    assert scene.channel.keys == ["second"]


def test_a_note_of_another_version_holds_nobody_else_up(scene: Scene) -> None:
    strange = scene.ask("strange", procedure=VERIFY)
    notes.keep_post(scene.office.store, "strange", {"channel": CHANNEL, "doubt": True, "since": "never"})
    scene.ask("second", procedure=VERIFY)
    scene.sink.tick()
    assert scene.channel.keys == ["second"]
    scene.office.clock.on(61)
    notes.keep_post(scene.office.store, "strange", {})
    scene.sink = ThreadWriter(scene.bot)
    scene.sink.tick()
    assert scene.channel.keys == ["second", "strange"], strange.run


def test_what_an_earlier_version_left_in_doubt_is_looked_for_and_posted_once(scene: Scene) -> None:
    scene.ask("first", procedure=VERIFY)
    said = {"channel": CHANNEL, "doubt": True, "since": scene.office.clock().isoformat()}
    notes.keep_post(scene.office.store, "first", said)
    scene.draw()
    assert scene.channel.keys == ["first"]


def test_another_time_asks_anew_once_and_in_the_same_thread(scene: Scene) -> None:
    worker = scene.ask()
    scene.channel.fate = lambda n, _method: "kill after" if n in (3, 5) else None
    worker.ends("discarded", again={"text": "14:25", "by": "U0ONCALL"})
    scene.draw()
    scene.draw()
    store = scene.office.store
    new = [run for run in store.runs() if run != worker.run]
    assert [store.run(run).request for run in new] == [{"when": "14:25"}]
    assert scene.office.rung == new
    assert f"again:{worker.run}" in scene.channel.keys
    assert len({m["thread_ts"] for m in scene.channel.messages[1:]}) == 1


def test_another_time_that_cannot_be_understood_is_said_in_the_thread(scene: Scene) -> None:
    worker = scene.ask()
    worker.ends("discarded", again={"text": "", "by": "U0ONCALL"})
    scene.draw()
    assert len(scene.office.store.runs()) == 1
    assert scene.channel.text(":again") == "No new run was begun. No moment was given.\nWrite for example 14:30."


def test_a_removed_message_is_not_put_back(scene: Scene) -> None:
    worker = scene.ask()
    worker.looks(PITR, 0)
    scene.draw()
    asked = worker.asks(PITR, 2)
    scene.draw()
    scene.channel.removed.add(f"{worker.run}:{asked}")
    said = {"option": "Cancel", "leads": "back", "gives": "start", "by": "U0ONCALL", "name": "Olga"}
    worker.write(Kind.ANSWERED, 2, **said, text="", plan="abc")
    worker.ends("discarded")
    scene.draw()
    assert scene.channel.keys.count(f"{worker.run}:{asked}") == 1
    assert scene.channel.keys[-1] == f"{worker.run}:{asked + 2}"


@pytest.mark.parametrize("thread", ["", "1.000"])
@pytest.mark.parametrize("how", ["its header is removed", "nothing of it is left"])
def test_a_thread_that_was_removed_goes_on_in_a_new_one_with_the_open_question(
    scene: Scene, thread: str, how: str
) -> None:
    worker = scene.ask(thread=thread)
    worker.looks(PITR, 0, 1)
    asked = worker.asks(PITR, 2)
    scene.draw()
    before = len(scene.channel.messages)
    old = scene.channel.messages[0]
    scene.channel.removed.add("trigger-1")
    if how == "nothing of it is left":
        scene.channel.gone_threads.add(thread or old["ts"])
    worker.write(Kind.NOTED, None, text="a line more")
    for _ in range(60):  # A header is looked at when its clock moves.
        scene.office.clock.on(1)
        scene.sink.tick()
    scene.draw(400)
    later = scene.channel.messages[before:]
    header = next(m for m in later if m["key"] == "trigger-1")
    # A header that was asked for within another's thread is a reply there, and stands for itself from now on.
    assert header["thread_ts"] is None
    assert "The thread of before was removed." in str(header["blocks"])
    # What could still be written below the removed header stands there.
    line = [f"{worker.run}:{asked + 1}"] if how == "nothing of it is left" else []
    new = [m["key"] for m in later if m["thread_ts"] == header["ts"]]
    assert new == [f"{worker.run}:{asked}:plan", f"{worker.run}:{asked}", *line]
    worker.ends("discarded")
    scene.draw()
    assert "Discarded" in header["text"] or "Discarded" in str(header["blocks"])


def test_a_thread_that_begins_waits_for_no_line_of_an_older_one(scene: Scene) -> None:
    older = scene.ask()
    for _ in range(20):
        older.write(Kind.NOTED, None, text="a line")
    scene.sink.tick()
    scene.ask("trigger-2", procedure=VERIFY)
    scene.office.clock.on(0.25)
    scene.sink.tick()
    assert scene.channel.keys[-1] == "trigger-2"


def sick(scene: Scene) -> tuple[PlayedWorker, PlayedWorker]:
    """Two runs, the first of which says something that Slack answers with an error of its own."""
    bad, good = scene.ask("trigger-1", procedure=VERIFY), scene.ask("trigger-2", procedure=VERIFY)
    bad.write(Kind.NOTED, None, text="the poison")
    bad.ends("done")
    good.write(Kind.NOTED, None, text="an antidote")
    good.ends("done")
    return bad, good


def poisons(sent: dict[str, Any]) -> bool:
    return "poison" in str(sent)


def test_a_message_that_slack_never_takes_holds_up_no_other_thread_and_is_set_aside(scene: Scene) -> None:
    bad, good = sick(scene)
    scene.channel.poison = poisons
    for _ in range(12):
        scene.office.clock.on(1)
        scene.sink.tick()
    stand = [key for key in scene.channel.keys if key.startswith((good.run, "trigger-2"))]
    assert stand == ["trigger-2", f"{good.run}:2", f"{good.run}:3"]
    scene.draw(400)
    stand = [key for key in scene.channel.keys if key.startswith((bad.run, "trigger-1"))]
    assert stand == ["trigger-1", f"{bad.run}:2", f"{bad.run}:3"]
    said = scene.channel.text(f"{bad.run}:2")
    assert said.endswith(f"cannot be shown in Slack. On the bot's host: mayday show {bad.run}")
    # Nor is it tried again by a bot that begins anew.
    calls = len(scene.channel.calls)
    ThreadWriter(scene.bot).tick()
    assert len(scene.channel.calls) == calls


def test_where_slack_takes_no_word_in_its_place_the_rest_goes_on_all_the_same(scene: Scene) -> None:
    bad, _ = sick(scene)
    scene.channel.poison = lambda sent: f"'key': '{bad.run}:2'" in str(sent)
    scene.draw(600)
    assert [key for key in scene.channel.keys if key.startswith(bad.run)] == [f"{bad.run}:3"]


def test_a_message_whose_blocks_slack_chokes_on_is_shown_as_bare_text(scene: Scene) -> None:
    bad, _ = sick(scene)
    scene.channel.poison = lambda sent: bool(sent.get("blocks")) and poisons(sent)
    scene.draw(400)
    assert scene.channel.text(f"{bad.run}:2") == "the poison"


def test_half_a_character_reaches_slack_as_a_whole_one(scene: Scene) -> None:
    worker = scene.ask(procedure=VERIFY)
    worker.write(Kind.NOTED, None, text="a \ud83d b")
    scene.channel.poison = lambda sent: "\\ud83d" in repr(sent)
    scene.draw()
    assert scene.channel.text(f"{worker.run}:2") == "a ? b"


def test_when_slack_takes_nothing_at_all_nothing_is_set_aside(scene: Scene) -> None:
    bad, good = sick(scene)
    scene.channel.fate = lambda _n, _method: "error:fatal_error"
    for _ in range(200):
        scene.office.clock.on(3)
        scene.sink.tick()
    scene.channel.fate = lambda _n, _method: None
    scene.draw(400)
    assert len(scene.channel.messages) == 6
    assert {key.split(":")[0] for key in scene.channel.keys} == {"trigger-1", "trigger-2", bad.run, good.run}


@pytest.mark.parametrize("code", ["no_text", "metadata_too_large", "invalid_blocks", "msg_too_long"])
def test_a_message_that_slack_refuses_whatever_it_says_holds_back_no_later_question(scene: Scene, code: str) -> None:
    worker = scene.ask()
    worker.write(Kind.NOTED, None, text="the poison")
    question = worker.asks(PITR, 2)
    scene.channel.poison, scene.channel.poisoned = (lambda sent: "poison" in str(sent["text"])), code
    for _ in range(300):
        scene.office.clock.on(3)
        scene.sink.tick()
    assert f"{worker.run}:{question}" in scene.channel.keys
    assert "cannot be shown in Slack" in scene.channel.text(f"{worker.run}:2")


def test_a_file_that_slack_refuses_is_said_to_be_missing_and_holds_nothing_back(scene: Scene) -> None:
    worker = scene.ask()
    worker.write(Kind.NOTED, None, text="", file={"name": "log.txt", "content": "long"})
    question = worker.asks(PITR, 2)
    scene.channel.fate = lambda _n, method: "error:file_uploads_disabled" if method == "upload" else None
    for _ in range(300):
        scene.office.clock.on(3)
        scene.sink.tick()
    assert f"{worker.run}:{question}" in scene.channel.keys
    assert any("cannot be shown in Slack" in message["text"] for message in scene.channel.messages)


def test_a_refusal_of_the_whole_workspace_sets_nothing_aside(scene: Scene) -> None:
    bad, _ = sick(scene)
    scene.channel.fate = lambda _n, _method: "error:ekm_access_denied"
    for _ in range(200):
        scene.office.clock.on(3)
        scene.sink.tick()
    scene.channel.fate = lambda _n, _method: None
    scene.draw(400)
    assert scene.channel.text(f"{bad.run}:2") == "the poison"


def test_a_limit_holds_up_its_own_method_alone(scene: Scene) -> None:
    worker = scene.ask()
    scene.draw()
    scene.channel.fate = lambda _n, method: "limited" if method == "update" else None
    worker.looks(PITR, 0)
    for _ in range(2):
        scene.office.clock.on(1)
        scene.sink.tick()
    assert scene.channel.calls[-1] == "update"
    question = worker.asks(PITR, 2)
    for _ in range(4):
        scene.office.clock.on(1)
        scene.sink.tick()
    assert f"{worker.run}:{question}" in scene.channel.keys
    assert scene.channel.calls.count("update") == 1


def test_a_limit_of_one_channel_holds_up_no_other(scene: Scene) -> None:
    scene.channel.fate = lambda n, _method: "limited" if n == 1 else None
    scene.ask("C1:5.5", thread="4.4", procedure=VERIFY)
    origin = replace(Origin("C2:5.5", "U0ONCALL", "T1", "C2", "4.5"))
    scene.office.clock.on(1)
    open_run(scene.bot, ProcedureCommand(VERIFY, ""), origin, scene.person())
    scene.sink.tick()
    assert scene.channel.keys == ["C2:5.5"]


def test_blocks_that_slack_refused_once_are_no_verdict_for_another_run(scene: Scene) -> None:
    scene.channel.fate = lambda n, _method: "error:invalid_blocks" if n == 1 else None
    first = scene.ask("first", procedure=VERIFY)
    scene.draw()
    first.ends("done")
    scene.ask("second", procedure=VERIFY)
    scene.draw()
    bare = {m["key"]: not m["blocks"] for m in scene.channel.messages}
    assert (bare["first"], bare["second"]) == (True, False)


@pytest.mark.parametrize("fate", ["limited", "down", "error:not_in_channel"])
def test_a_clock_that_was_set_back_does_not_make_a_pause_an_hour_longer(scene: Scene, fate: str) -> None:
    scene.channel.fate = lambda n, _method: fate if n == 1 else None
    scene.ask(procedure=VERIFY)
    scene.sink.tick()
    assert scene.channel.keys == []
    scene.office.clock.on(-3600)
    for _ in range(3):
        scene.office.clock.on(1)
        scene.sink.tick()
    assert scene.channel.keys == ["trigger-1"]


def test_a_header_goes_on_telling_the_time_after_the_clock_was_set_back(scene: Scene) -> None:
    worker = scene.ask()
    worker.write(Kind.BEGAN, 0, title="read the recovery window")
    scene.draw()
    scene.office.clock.on(-3600)
    scene.channel.calls.clear()
    for _ in range(15):
        scene.office.clock.on(1)
        scene.sink.tick()
    assert "update" in scene.channel.calls
