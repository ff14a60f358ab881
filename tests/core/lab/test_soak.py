"""The judge of the soak: whatever is not as it has to be is found, and the same number draws the same round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebClient

from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.procedure import Act
from actions.recoveries.postgres_pitr import PROCEDURE
from bot.views.steps import sentence
from lab.slack.client import running_practice_slack
from lab.slack.company import BOT_TOKEN
from lab.truth import Comparison, Figures
from tests.clusters.dice import Dice
from tests.soak.aim import CUT, Aim, draw_aim
from tests.soak.chaos import Struck
from tests.soak.judge import judge, outcome_of
from tests.soak.look import CHANNEL, bots_own
from tests.soak.schedule import ACTS, KINDS, LAST_BEGINS, draw_faults
from tests.soak.seen import Leavings, Seen
from tests.soak.verdict import Verdict, table
from tests.soak.watch import Happened

RUN, POSTGRES, WRITERS = "r0001-test", "s-postgres", ("s-functions", "s-auth")
NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
STEPS = {step.title: i for i, step in enumerate(PROCEDURE.steps)}
PAUSE, RESUME, BASE = "pause the writers for the cut-over", "resume the writers", "take a fresh base backup"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def journal(*told: tuple[float, Kind, str, dict[str, Any]]) -> list[Entry]:
    """A journal from moments, kinds, titles and what else they say."""
    entries: list[Entry] = []
    for n, (seconds, kind, title, more) in enumerate(told, 1):
        data = {**({"title": title} if title else {}), **more}
        prev = entries[-1].hash if entries else GENESIS
        entries.append(sealed(Entry(RUN, n, at(seconds), kind, STEPS.get(title), data), prev))
    return entries


def act(seconds: float, title: str) -> list[tuple[float, Kind, str, dict[str, Any]]]:
    return [(seconds, Kind.BEGAN, title, {"resumed": False}), (seconds + 1, Kind.DONE, title, {"seconds": 1})]


def asked(seconds: float, title: str, option: str, by: str) -> list[tuple[float, Kind, str, dict[str, Any]]]:
    return [
        (seconds, Kind.ASKED, title, {"options": []}),
        (seconds + 1, Kind.ANSWERED, "", {"option": option, "leads": "on", "by": by}),
    ]


def recovered(end: str = "recovered") -> list[Entry]:
    """A recovery whose writers stood still from second 20 to second 41."""
    return journal(
        (0, Kind.REQUESTED, "", {"by": "U1", "procedure": PROCEDURE.name}),
        *asked(2, "Restore beside the live data?", "Restore, keep serving", "U1"),
        *act(5, "copy the base backup"),
        *asked(10, "Cut over to the clone?", "Cut over", "U2"),
        *act(20, PAUSE),
        *act(25, "stop the old server"),
        *act(28, "swap the data directories"),
        *act(30, "start the server"),
        *act(40, RESUME),
        *act(45, BASE),
        (50, Kind.FINISHED, "", {"outcome": end}),
    )


def messages(entries: list[Entry]) -> list[dict[str, Any]]:
    """The thread of that journal, as the room keeps it."""
    thread = [said(RUN, 1, "k-header", ["Recovered"])]
    for e in entries:
        if e.kind is Kind.ASKED:
            thread.append(said(RUN, e.n, f"{RUN}:{e.n}", ["Preview", f"*{e.data['title']}*"]))
    steps = [f"✓ {e.n} {sentence(e.data['title'])} · 1.0 s" for e in entries if e.kind is Kind.DONE]
    thread.append(report("\n".join(["Steps", *steps])))
    return thread


def report(content: str) -> dict[str, Any]:
    file = {"name": f"report-{RUN}.txt", "content": content}
    return {**said(RUN, 90, "", []), "metadata": None, "files": [file]}


def said(run: str, n: int, key: str, lines: list[str]) -> dict[str, Any]:
    where = {} if key == "k-header" else {"thread_ts": "1.0"}
    return {
        "ts": "1.0" if key == "k-header" else f"1.{n}",
        "lines": lines,
        "buttons": [],
        "files": [],
        "metadata": {"event_payload": {"key": key, "run": run}},
        **where,
    }


def happened() -> list[Happened]:
    stretches = [(20.5, writer, "pause") for writer in WRITERS] + [(40.5, writer, "unpause") for writer in WRITERS]
    served = [(26.0, POSTGRES, "die"), (30.5, POSTGRES, "start")]
    return [Happened(at(seconds), name, action) for seconds, name, action in (*stretches, *served)]


STATES = dict.fromkeys((POSTGRES, *WRITERS), "running")
BEFORE = Leavings(frozenset({"postgres"}), frozenset({"first"}), (), STATES, dict.fromkeys(STATES, "always"))
AFTER = replace(
    BEFORE,
    beside=frozenset({"postgres", f"postgres_before_{RUN}", f"postgres_before_{RUN}.mayday.json"}),
    bases=frozenset({"first", "second"}),
)
ALIKE = Comparison(Figures(2, 2, "x"), Figures(2, 2, "x"), [], [], [])


def seen(**fields: Any) -> Seen:
    """A round in which all is right."""
    told = recovered()
    right = Seen(
        run=RUN,
        entries=told,
        postgres=POSTGRES,
        writers=WRITERS,
        happened=happened(),
        messages=messages(told),
        expected={"public.t": (2, "abc")},
        found={"public.t": (2, "abc")},
        truth=ALIKE,
        before=BEFORE,
        after=AFTER,
    )
    return replace(right, **fields)


def test_a_round_in_which_all_is_right_is_right() -> None:
    assert judge(seen()) == []
    assert outcome_of(recovered()) == "recovered"


@pytest.mark.parametrize("mark", ["✗", "■"])
def test_a_step_that_failed_or_was_stopped_before_it_was_done_stands_in_the_file_as_both(mark: str) -> None:
    *others, file = messages(recovered())
    lines = str(file["files"][0]["content"]).splitlines()
    told = [lines[0], f"{mark} 5 Copy the base backup · 1.0 s", *lines[1:]]
    assert judge(seen(messages=[*others, report("\n".join(told))])) == []


def twice(kind: Kind, title: str) -> list[Entry]:
    told = recovered()
    one = next(e for e in told if e.kind is kind and e.data.get("title") == title)
    data = [(e.at, e.kind, e.step, e.data) for e in [*told[:-1], one, told[-1]]]
    entries: list[Entry] = []
    for n, (moment, of, step, more) in enumerate(data, 1):
        prev = entries[-1].hash if entries else GENESIS
        entries.append(sealed(Entry(RUN, n, moment, of, step, more), prev))
    return entries


def moved(writer: str, action: str, seconds: float) -> list[Happened]:
    return [
        replace(one, at=at(seconds)) if (one.container, one.action) == (writer, action) else one for one in happened()
    ]


def down(container: str, seconds: float) -> list[Happened]:
    return [Happened(at(seconds), container, "die"), Happened(at(seconds + 1), container, "start")]


def without(title: str) -> list[dict[str, Any]]:
    """The thread whose file lacks a step."""
    *others, file = messages(recovered())
    lines = str(file["files"][0]["content"]).splitlines()
    return [*others, report("\n".join(line for line in lines if sentence(title) not in line))]


def changed() -> list[Entry]:
    told = recovered()
    return [*told[:3], replace(told[3], data={**told[3].data, "resumed": True}), *told[4:]]


THREAD = messages(recovered())
FILE = {**said(RUN, 99, "", []), "metadata": None, "files": [{"name": "report.txt"}]}
BARE = {**said(RUN, 98, "", ["Something."]), "metadata": None}
WRONG: dict[str, tuple[Callable[[], Seen], str]] = {
    "a wrong row": (lambda: seen(found={"public.t": (2, "abd")}), "data: public.t should be"),
    "a row too many": (lambda: seen(found={"public.t": (3, "abc")}), "data: public.t should be"),
    "a table that is missing": (lambda: seen(found={}), "is not there"),
    "a table that should be gone": (lambda: seen(found={"public.t": (2, "abc"), "u": (0, "")}), "should be not there"),
    "a message that was lost": (lambda: seen(truth=replace(ALIKE, missing=[7])), "missing [7]"),
    "messages of nobody": (lambda: seen(truth=replace(ALIKE, unacknowledged=[1, 2, 3, 4, 5])), "nobody acknowledged"),
    "no end": (lambda: seen(entries=recovered()[:-1]), "has 0 ends"),
    "two ends": (lambda: seen(entries=[*recovered(), recovered()[-1]]), "has 2 ends"),
    "undone by nobody": (lambda: seen(entries=recovered("undone")), "nobody asked for it"),
    "discarded by nobody": (lambda: seen(entries=recovered("discarded")), "nobody chose that"),
    "refused too late": (lambda: seen(entries=recovered("refused")), "refused after something was begun"),
    "approved by whoever asked": (
        lambda: seen(entries=[replace(e, data={**e.data, "by": "U1"}) for e in recovered()]),
        "no second person",
    ),
    "it went on after its end": (lambda: seen(late=2), "grew by 2"),
    "a changed entry": (lambda: seen(entries=changed()), "its text was changed"),
    "journals that do not verify": (lambda: seen(chain="1 broken"), "1 broken"),
    "an act twice": (lambda: seen(entries=twice(Kind.DONE, "copy the base backup")), "was done 2 times"),
    "a server started twice": (
        lambda: seen(happened=[*happened(), *down(POSTGRES, 33)]),
        "stopped 2 and started 2 times for one cut-over",
    ),
    "a message twice": (lambda: seen(messages=[*THREAD, THREAD[3]]), "stands 2 times"),
    "a header twice": (lambda: seen(messages=[*THREAD, {**THREAD[0], "ts": "2.0"}]), "2 headers"),
    "a file twice": (lambda: seen(messages=[*THREAD, FILE, FILE]), "the file report.txt stands 2 times"),
    "a bare message twice": (lambda: seen(messages=[*THREAD, BARE, BARE]), "stands 2 times"),
    "no file of the report": (lambda: seen(messages=THREAD[:-1]), "no file with its report"),
    "a step that is missing": (lambda: seen(messages=without("copy the base backup")), "the steps in its file are"),
    "lines in a wrong order": (lambda: seen(messages=[THREAD[0], *THREAD[:0:-1]]), "should be"),
    "a header of another end": (
        lambda: seen(messages=[{**THREAD[0], "lines": ["Running"]}, *THREAD[1:]]),
        "header does not say",
    ),
    "a question that is missing": (
        lambda: seen(messages=[m for m in THREAD if "Cut over to" not in str(m["lines"])]),
        "its questions are",
    ),
    "a button that stays": (
        lambda: seen(messages=[*THREAD[:-1], {**THREAD[-1], "buttons": [{"label": "Stop"}]}]),
        "still has buttons",
    ),
    "a pause that is too long": (lambda: seen(happened=moved(WRITERS[1], "unpause", 46)), "s-auth stood still"),
    "a pause that is too early": (lambda: seen(happened=moved(WRITERS[0], "pause", 12)), "s-functions stood still"),
    "a pause without an end": (lambda: seen(happened=[one for one in happened() if one.action != "unpause"]), "to now"),
    "a writer that was down": (
        lambda: seen(happened=[*happened(), *down(WRITERS[0], 60)]),
        "stood still from 12:01:00",
    ),
    "a container": (lambda: seen(after=replace(AFTER, containers=("/mayday-clone-x",))), "left: the container"),
    "a paused writer": (lambda: seen(after=replace(AFTER, states={**STATES, WRITERS[0]: "paused"})), "is paused"),
    "a restart policy": (
        lambda: seen(after=replace(AFTER, policies={**BEFORE.policies, POSTGRES: "no"})),
        "restarted by Docker 'no'",
    ),
    "a clone's directory": (
        lambda: seen(after=replace(AFTER, beside=AFTER.beside | {f"postgres_clone_{RUN}"})),
        f"postgres_clone_{RUN}",
    ),
    "old data that is not kept": (
        lambda: seen(after=replace(AFTER, beside=frozenset({"postgres"}))),
        "the old data is not kept",
    ),
    "somebody's directory that is gone": (
        lambda: seen(before=replace(BEFORE, beside=BEFORE.beside | {"postgres_before_other"})),
        "nobody may remove it",
    ),
    "two base backups": (lambda: seen(after=replace(AFTER, bases=AFTER.bases | {"third"})), "2 new base backups"),
    "half of a base backup": (
        lambda: seen(after=replace(AFTER, bases=AFTER.bases | {".second.partial"})),
        ".second.partial",
    ),
    "a base backup that is gone": (
        lambda: seen(before=replace(BEFORE, bases=BEFORE.bases | {"other"})),
        "the base backup other is gone",
    ),
    "a slot": (lambda: seen(after=replace(AFTER, slots=1)), "1 replication slots"),
    "a session": (lambda: seen(after=replace(AFTER, sessions=1)), "1 sessions"),
    "a lease": (lambda: seen(after=replace(AFTER, leases=frozenset({RUN}))), "a lease"),
    "another run": (lambda: seen(others=["r2"]), "another run began: r2"),
    "a soak that is not sound": (lambda: seen(broke=["the watch broke"]), "the soak itself"),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_judge_finds(what: str) -> None:
    made, words = WRONG[what]
    assert words in "\n".join(judge(made()))


@pytest.mark.parts
def test_a_message_that_the_practice_slack_really_has_twice_is_found() -> None:
    with running_practice_slack() as room:
        web = WebClient(token=BOT_TOKEN, base_url=room.api_url)
        more = {"metadata": {"event_type": "mayday", "event_payload": {"key": f"{RUN}:5", "run": RUN, "entry": 5}}}
        for _ in range(2):
            web.chat_postMessage(channel=CHANNEL, text="Copy the base backup", **more)
        there = bots_own(room, datetime(2020, 1, 1, tzinfo=UTC))
    assert f"message: {RUN}:5 stands 2 times" in judge(seen(messages=there))


def test_writers_may_stand_still_at_once_where_that_was_chosen_and_after_a_failure_until_the_undo() -> None:
    told = journal(
        (0, Kind.REQUESTED, "", {"by": "U1", "procedure": PROCEDURE.name}),
        *asked(2, "Restore beside the live data?", "Pause writers and restore", "U1"),
        *act(5, "pause the writers"),
        (10, Kind.FAILED, "copy the base backup", {"error": "No."}),
        (300, Kind.UNDO_ASKED, "", {"by": "U1"}),
        (301, Kind.UNDO_BEGAN, "pause the writers", {}),
        (305, Kind.UNDONE, "pause the writers", {}),
        (306, Kind.FINISHED, "", {"outcome": "undone"}),
    )
    still = [
        Happened(at(5.5), WRITERS[0], "pause"),
        Happened(at(302), WRITERS[0], "unpause"),
        Happened(at(303), WRITERS[0], "die"),
        Happened(at(304), WRITERS[0], "start"),
    ]
    found = judge(seen(entries=told, happened=still))
    assert not [one for one in found if one.startswith("writers:")]
    later = [*still, Happened(at(310), WRITERS[0], "pause")]
    assert [one for one in judge(seen(entries=told, happened=later)) if one.startswith("writers:")]


def test_whoever_chose_to_keep_serving_is_not_paused_before_the_cut_over() -> None:
    told = recovered()
    early = [one for one in told if one.data.get("title") != PAUSE]
    assert "stood still" in "\n".join(judge(seen(entries=early)))


def test_the_same_number_draws_the_same_round_and_another_one_another() -> None:
    assert draw_faults(Dice(7, 13)) == draw_faults(Dice(7, 13))
    assert draw_aim(Dice(7, 13)) == draw_aim(Dice(7, 13))
    assert len({(draw_aim(Dice(7, n)), draw_faults(Dice(7, n))) for n in range(50)}) == 50


def test_every_kind_of_fault_is_drawn_bounded_and_at_a_step_that_there_is() -> None:
    drawn = [fault for n in range(400) for fault in draw_faults(Dice(3, n))]
    kinds = {kind.name: kind for kind in KINDS}
    assert {(kind.name, how) for kind in KINDS for how in kind.how} == {(fault.kind, fault.how) for fault in drawn}
    for fault in drawn:
        assert not fault.step or fault.step in ACTS
        assert 0 <= fault.after <= LAST_BEGINS
        assert fault.lasts >= kinds[fault.kind].shortest
        assert fault.lasts <= kinds[fault.kind].longest or fault.place == "docker"


def test_every_step_at_which_somebody_stops_is_an_act() -> None:
    acts = {step.title for step in PROCEDURE.steps if isinstance(step, Act)}
    assert {draw_aim(Dice(1, n)).stops for n in range(300)} <= acts | {""}


def test_the_table_says_what_was_wrong_and_how_to_repeat_it() -> None:
    struck = Struck(draw_faults(Dice(7, 1))[0], NOON, at(3), "the worker")
    missed = replace(struck, told="missed: no clone ran")
    aim = Aim("a table is dropped", "latest", CUT, pauses=True)
    right = Verdict(1, aim, "recovered", [struck], [], 60)
    wrong = Verdict(2, aim, "recovered", [missed], ["data: public.t should be …"], 60, "/tmp/kept")
    told = table([right, wrong], 7)
    assert "make soak SEED=7 ONLY=2" in told
    assert "data: public.t should be" in told
    assert "right" in right.line(7)
    assert "WRONG: data: public.t" in wrong.line(7)
    assert "/tmp/kept" in wrong.line(7)
