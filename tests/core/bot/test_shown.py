"""A run is shown as much as its procedure wants until it needs people; then it has a thread that tells all, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from actions.control.requests import Subject, open_run
from actions.engine.journal import Entry, Kind
from actions.engine.lanes import Lane
from actions.engine.needs_people import needs_people
from actions.engine.procedure import FactRole, Look, Procedure
from actions.engine.rights import Speaker
from actions.engine.run import SYSTEM
from actions.engine.shown import Shown, by_origin, shown_of
from actions.recoveries import postgres_backup, postgres_verify
from actions.store import notes
from bot.context import BotContext
from bot.replies import status_replies
from bot.slack.home_data import home_data
from bot.slack.thread_lag import LagWatch, ThreadLag
from bot.slack.thread_writer import ThreadWriter
from bot.terminal.records import list_runs
from bot.web.run_counts import RunCounts
from tests.support.bot_world import PITR, SERVICE, START, VERIFY, Office, PlayedWorker, Wish, look, office_in
from tests.support.slack_world import Channel, ChannelClient, Killed

ITSELF = Speaker(SYSTEM, "Mayday", may_ask=True, may_approve=False)
NIGHTLY = {"sink": "schedule"}
LINE = replace(PITR, name="line", claims=False, shown=by_origin(Shown.THREAD, Shown.LINE))
QUIET = replace(PITR, name="quiet", claims=False, shown=by_origin(Shown.THREAD, Shown.ON_TROUBLE))
CHECKED = replace(
    VERIFY, name="checked", steps=(Look("check", look, "checked", role=FactRole.VERDICT),), shown=Shown.ON_TROUBLE
)
CATALOG = (LINE, QUIET, CHECKED)


class Scene:
    """An office whose bot speaks into a channel; runs begin by themselves; the bot may be killed and begins anew."""

    def __init__(self) -> None:
        self.office: Office = office_in(CATALOG)
        self.channel = Channel(self.office.clock)
        self.bot: BotContext = replace(self.office.bot, client=ChannelClient(self.channel))
        notes.worker_lives(self.office.store, "w", {"sites": ["main"]})
        self.sink = ThreadWriter(self.bot)

    def begins(self, procedure: Procedure, key: str = "nightly", origin: dict[str, str] | None = None) -> PlayedWorker:
        store, subject = self.office.store, Subject("main", SERVICE)
        opened = open_run(store, procedure, Wish("now"), by=ITSELF, subject=subject, origin=origin or NIGHTLY, key=key)
        return PlayedWorker(store, opened.id)

    def draw(self, ticks: int = 200) -> None:
        for _ in range(ticks):
            self.office.clock.on(1)
            notes.worker_lives(self.office.store, "w", {"sites": ["main"]})
            try:
                if self.sink.tick():
                    return
            except Killed:
                self.sink = ThreadWriter(self.bot)
        raise AssertionError("it never stood as it should")

    def anew(self) -> None:
        self.sink = ThreadWriter(self.bot)

    def behind(self) -> ThreadLag:
        return LagWatch(self.office.store, "slack").look(self.office.clock())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def fails(worker: PlayedWorker) -> None:
    worker.write(Kind.FAILED, 3, title="pause the writers", error="Docker said no.", detail="", hint="Look.")


def asks(worker: PlayedWorker) -> None:
    worker.asks(PITR, 2)


def is_told_to_do_something(worker: PlayedWorker) -> None:
    worker.asks(PITR, 2, hand=True)


def is_stopped(worker: PlayedWorker) -> None:
    worker.write(Kind.STOPPED, 3, title="pause the writers")


def is_refused(worker: PlayedWorker) -> None:
    worker.ends("refused", error="There is no room.", hint="Make room.")


def ends_with_an_alert(worker: PlayedWorker) -> None:
    sheet = {"title": "Report", "rows": [], "notes": [], "alerts": ["No WAL arrives."]}
    worker.ends("done", report=[sheet])


TROUBLES: tuple[Callable[[PlayedWorker], None], ...] = (
    fails,
    asks,
    is_told_to_do_something,
    is_stopped,
    is_refused,
    ends_with_an_alert,
)


def test_how_it_is_shown_is_decided_by_where_it_came_from_and_kept_in_its_journal(scene: Scene) -> None:
    by_itself = scene.begins(LINE)
    asked = scene.begins(QUIET, "asked", {"sink": "slack", "channel": "C1", "thread": ""})
    told = scene.begins(CHECKED, "terminal", {"sink": "terminal"})
    firsts = [scene.office.store.entries(worker.run)[0] for worker in (by_itself, asked, told)]
    assert [first.data["shown"] for first in firsts] == ["line", "thread", "on trouble"]
    assert [shown_of(first) for first in firsts] == [Shown.LINE, Shown.THREAD, Shown.ON_TROUBLE]


@pytest.mark.parametrize("procedure", [postgres_backup.PROCEDURE, postgres_verify.PROCEDURE], ids=lambda p: p.name)
def test_what_people_ask_for_has_a_thread_and_what_begins_by_itself_does_not(procedure: Procedure) -> None:
    assert procedure.shown_for({"sink": "slack"}) is procedure.shown_for({"sink": "terminal"}) is Shown.THREAD
    assert procedure.shown_for(NIGHTLY) is not Shown.THREAD


@pytest.mark.parametrize(
    ("journal", "told", "shown"),
    [
        ("r1", {}, Shown.THREAD),
        ("e1", {}, Shown.LINE),
        ("e1", {"shown": "thread"}, Shown.THREAD),
        ("r1", {"shown": "in a way that a later version knows"}, Shown.THREAD),
    ],
)
def test_what_another_version_wrote_is_never_shown_less(journal: str, told: dict[str, str], shown: Shown) -> None:
    assert shown_of(Entry(journal, 1, START, Kind.REQUESTED, None, told)) is shown


def test_a_line_stands_in_the_channel_and_is_edited_until_it_ends(scene: Scene) -> None:
    worker = scene.begins(LINE)
    scene.draw()
    assert scene.channel.text("nightly") == f"Bring {SERVICE} back to now. · Mayday · run `{worker.run}` · at work"
    worker.looks(PITR, 0, 1)
    scene.draw()
    worker.acts(PITR, 3, 4)
    scene.draw()
    assert scene.channel.calls == ["post"]
    worker.ends("done", words="The copy is whole.", seconds=61.0)
    scene.draw()
    [message] = scene.channel.messages
    assert message["thread_ts"] is None
    assert scene.channel.calls == ["post", "update"]
    assert scene.channel.text("nightly").endswith(" · The copy is whole. · look 1 · 1:01 min")
    assert notes.cursor(scene.office.store, "slack", worker.run) == worker_last(scene, worker)


def worker_last(scene: Scene, worker: PlayedWorker) -> int:
    return scene.office.store.entries(worker.run)[-1].n


def test_a_line_without_a_worker_says_so(scene: Scene) -> None:
    scene.begins(LINE)
    scene.office.clock.on(3600)
    scene.sink.tick()
    assert "waits for a worker: `mayday worker`" in scene.channel.text("nightly")


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.__name__)
def test_a_line_that_needs_people_becomes_the_header_of_a_thread_with_the_whole_story(
    scene: Scene, trouble: Callable[[PlayedWorker], None]
) -> None:
    worker = scene.begins(LINE)
    worker.looks(PITR, 0, 1)
    scene.draw()
    trouble(worker)
    scene.draw()
    line, *thread = scene.channel.messages
    assert line["key"] == "nightly"
    assert len(line["blocks"]) > 2
    assert scene.channel.keys[1].startswith(f"{worker.run}:4")
    assert thread
    assert {message["thread_ts"] for message in thread} == {line["ts"]}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.__name__)
def test_what_is_shown_on_trouble_is_not_posted_before_and_then_tells_all(
    scene: Scene, trouble: Callable[[PlayedWorker], None]
) -> None:
    worker = scene.begins(QUIET)
    worker.looks(PITR, 0, 1)
    for _ in range(5):
        scene.draw()
    assert scene.channel.calls == []
    trouble(worker)
    scene.draw()
    header, *thread = scene.channel.messages
    assert (header["key"], header["thread_ts"]) == ("nightly", None)
    assert scene.channel.keys[1].startswith(f"{worker.run}:4")
    assert {message["thread_ts"] for message in thread} == {header["ts"]}


def test_what_ends_well_without_anybody_is_never_posted_and_counts_as_shown(scene: Scene) -> None:
    worker = scene.begins(QUIET)
    worker.looks(PITR, 0, 1)
    scene.draw()
    assert scene.behind().entries == 0
    worker.ends("done")
    scene.draw()
    scene.anew()
    scene.draw()
    assert scene.channel.calls == []
    assert scene.behind().entries == 0


def test_a_bad_verdict_is_trouble_and_a_good_one_is_not(scene: Scene) -> None:
    good, bad = scene.begins(CHECKED, "good"), scene.begins(CHECKED, "bad")
    for worker, healthy in ((good, True), (bad, False)):
        fact = {"healthy": healthy, "verdict": "Healthy" if healthy else "Needs attention"}
        worker.write(Kind.DONE, 0, title="check", gives="checked", fact=fact, said=fact["verdict"], seconds=1.0)
        worker.ends("done")
    scene.draw()
    assert scene.channel.keys[0] == "bad"
    assert "good" not in scene.channel.keys


def test_what_a_look_finds_ill_before_it_is_mended_is_no_verdict(scene: Scene) -> None:
    worker = scene.begins(CHECKED)
    for gives, news in (("before", False), ("checked", True)):
        worker.write(Kind.DONE, 0, title="look", gives=gives, fact={"healthy": False}, seconds=1.0)
        assert needs_people(scene.office.store.entries(worker.run), CHECKED) == news


def test_a_line_in_the_thread_of_an_incident_tells_its_trouble_itself(scene: Scene) -> None:
    worker = scene.begins(LINE, origin={"sink": "slack", "channel": "C1", "thread": "4.4"})
    assert shown_of(scene.office.store.entries(worker.run)[0]) is Shown.THREAD
    line = replace(LINE, shown=Shown.LINE, lane=Lane.ERRAND)
    errand = scene.begins(line, "errand", {"sink": "slack", "channel": "C1", "thread": "4.4"})
    fails(errand)
    scene.draw()
    assert scene.channel.text("errand").strip().endswith("*did not work*\nDocker said no.\nLook.")
    assert [m["key"] for m in scene.channel.messages].count("errand") == 1
    assert not [key for key in scene.channel.keys if key.startswith(f"{errand.run}:")]


def test_an_errand_about_a_run_that_has_no_thread_stands_in_the_channel(scene: Scene) -> None:
    worker = scene.begins(QUIET)
    line = replace(LINE, shown=Shown.LINE, lane=Lane.ERRAND)
    scene.begins(line, "page", {"sink": "slack", "run": worker.run})
    scene.draw()
    assert [(m["key"], m["thread_ts"]) for m in scene.channel.messages] == [("page", None)]


def points() -> list[tuple[str, str, int, str]]:
    """Procedure, what is hit (a call or a note), which one, and how."""
    calls = [("call", n, how) for n in range(1, 9) for how in ("kill before", "kill after")]
    kept = [("note", n, how) for n in range(1, 22) for how in ("kill before", "kill after")]
    return [(name, *point) for name in ("line", "quiet") for point in (*calls, *kept)]


@pytest.mark.deep
@pytest.mark.parametrize(("name", "what", "at", "how"), points())
def test_a_bot_that_is_killed_at_any_call_or_note_posts_nothing_twice_and_leaves_nothing_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, what: str, at: int, how: str
) -> None:
    if what == "call":
        scene.channel.fate = lambda n, _method: how if n == at else None
    else:
        die_at_notes(scene, monkeypatch, at, how)
    procedure = next(p for p in CATALOG if p.name == name)
    worker = scene.begins(procedure)
    worker.looks(PITR, 0, 1)
    scene.draw()
    worker.acts(PITR, 3)
    scene.draw()
    fails(worker)
    scene.draw()
    worker.write(Kind.UNDO_ASKED, None, by="U0ONCALL", name="Olga")
    scene.draw()
    worker.ends("undone")
    scene.draw()
    keys = scene.channel.keys
    assert keys[0] == "nightly"
    assert sorted(keys) == sorted(set(keys))
    file = f"report-{worker.run}.txt"
    assert keys[1:] == [f"{worker.run}:6", f"{worker.run}:8", file]
    header, *thread = scene.channel.messages
    assert header["thread_ts"] is None
    assert {message["thread_ts"] for message in thread} == {header["ts"]}
    assert "Undone" in str(header["blocks"])
    assert scene.behind().entries == 0


def die_at_notes(scene: Scene, monkeypatch: pytest.MonkeyPatch, at: int, how: str) -> None:
    """Kill the bot at the `at`th note of a post or of a cursor, before or after it is kept."""
    keep, count = scene.office.store.keep, [0]

    def kept(kind: str, key: str, data: Any) -> None:
        count[0] += kind in ("post", "cursor")
        hit = kind in ("post", "cursor") and count[0] == at
        if hit and how == "kill before":
            raise Killed
        keep(kind, key, data)
        if hit:
            raise Killed

    monkeypatch.setattr(scene.office.store, "keep", kept)


def test_whatever_looks_for_runs_finds_those_that_are_not_posted(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = scene.begins(QUIET)
    worker.looks(PITR, 0)
    scene.draw()
    status, runs = status_replies.status(scene.bot), status_replies.runs(scene.bot, "")
    for said in (status, runs):
        assert f"`{worker.run}` quiet" in said
        assert "has no thread, as nobody has to do anything" in said
    [shown] = home_data(scene.bot).runs
    assert (shown.id, shown.link) == (worker.run, "")
    assert "has no thread" in shown.more
    list_runs(scene.office.store, True)
    assert worker.run in capsys.readouterr().out
    counts = RunCounts(CATALOG)
    counts.hear(scene.office.store.entries(worker.run))
    assert counts.states() == {("quiet", "planning"): 1}
    fails(worker)
    scene.draw()
    assert "has no thread" not in status_replies.status(scene.bot)


def test_what_was_trouble_once_stays_a_thread(scene: Scene) -> None:
    worker = scene.begins(LINE)
    fails(worker)
    worker.write(Kind.RETRIED, None, by="U0ONCALL", name="Olga")
    assert needs_people(scene.office.store.entries(worker.run), LINE)
    assert not needs_people(scene.office.store.entries(worker.run)[:1], LINE)
