"""How things look in Slack: within its limits, escaped, and true."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Look, Procedure
from bot.runs.button_target import ButtonTarget
from bot.slack.run_thread import story
from bot.slack.thread_item import ThreadItem
from bot.views import answer_modals, help, mrkdwn, plan, question, report, run_header
from bot.views.run_header import HeaderData
from bot.views.steps import line
from bot.views.warnings import WarningsSaid
from tests.support.bot_world import CATALOG, CHANNEL, PITR, SERVICE, START, look


def entry(n: int, kind: Kind, step: int | None = None, after: float = 0, **data: Any) -> Entry:
    return Entry("r1122-abcd", n, START + timedelta(seconds=after), kind, step, data)


def requested(**more: Any) -> Entry:
    origin = {"sink": "slack", "channel": CHANNEL, "thread": "", "key": "t1"}
    said = {
        "procedure": PITR.name,
        "table": PITR.table,
        "service": SERVICE,
        "site": "main",
        "by": "U0ONCALL",
        "name": "Olga",
        "request": {"when": "14:30"},
        "summary": "Bring it back.",
        "origin": origin,
    }
    return entry(1, Kind.REQUESTED, **{**said, **more})


def asked(n: int = 2, step: int = 5, **more: Any) -> Entry:
    options = [
        {
            "label": o.label,
            "leads": str(o.leads),
            "who": str(o.who),
            "types": o.types,
            "danger": o.danger,
            "gives": "cut",
        }
        for o in PITR.steps[step].options
    ]  # type: ignore[union-attr]
    expires = (START + timedelta(hours=1)).isoformat()
    return entry(n, Kind.ASKED, step, title="cut over?", options=options, expires_at=expires, plan="p", **more)


def answered(n: int, label: str = "Cut over", **more: Any) -> Entry:
    return entry(
        n,
        Kind.ANSWERED,
        5,
        60,
        option=label,
        leads="on",
        gives="cut",
        by="U0APPROVER",
        name="Ada",
        text="",
        plan="p",
        **more,
    )


def seen(*entries: Entry, procedure: Procedure = PITR, after: float = 372, **more: Any) -> HeaderData:
    return HeaderData(procedure, fold(entries), list(entries), START + timedelta(seconds=after), **more)


def texts(blocks: Any) -> str:
    return "\n".join((b.get("text") or {}).get("text", "") for b in blocks if isinstance(b.get("text"), dict))


def buttons(blocks: Any) -> list[str]:
    return [e["text"]["text"] for b in blocks if b["type"] == "actions" for e in b["elements"]]


def within_limits(items: list[ThreadItem]) -> None:
    for item in items:
        assert len(item.blocks) <= 50
        assert mrkdwn.size(list(item.blocks)) <= 13_200
        assert len(item.text) <= 40_000
        for block in item.blocks:
            assert len((block.get("text") or {}).get("text", "")) <= 3000
            made = Block.parse(block)
            assert made is not None
            made.validate_json()


def test_the_header_shows_the_clock_against_the_promise() -> None:
    looked = entry(2, Kind.DONE, 0, 2, title="read the recovery window", fact={}, seconds=1.0)
    shown = texts(run_header.blocks(seen(requested(), looked)))
    assert " · 6:12 of 30:00, on track" in shown
    assert "31:01 of 30:00, 1:01 over" in texts(run_header.blocks(seen(requested(), looked, after=1861)))


def test_a_run_that_no_worker_takes_waits_and_is_not_on_track() -> None:
    assert "0:40 of 30:00, waiting for a worker for 40 s" in texts(run_header.blocks(seen(requested(), after=40)))
    looked = entry(2, Kind.DONE, 0, 2, title="read the recovery window", fact={}, seconds=1.0)
    gone = texts(run_header.blocks(seen(requested(), looked, after=62, worker=False)))
    assert "1:02 of 30:00, waiting for a worker for 60 s" in gone
    assert "waiting for a worker" not in texts(run_header.blocks(seen(requested(), asked(), worker=False)))


@pytest.mark.parametrize("outcome", ["undone", "discarded", "refused"])
def test_a_run_that_brought_nothing_back_keeps_no_promise(outcome: str) -> None:
    end = entry(2, Kind.FINISHED, None, 600, outcome=outcome, seconds=600, report=[])
    shown = texts(run_header.blocks(seen(requested(), end)))
    assert " · 10:00" in shown
    assert "kept" not in shown
    assert "missed" not in shown


def test_the_header_of_a_finished_run_stands_still() -> None:
    end = entry(2, Kind.FINISHED, None, 600, outcome="recovered", seconds=600, report=[])
    early, late = (run_header.blocks(seen(requested(), end, after=after)) for after in (601, 9999))
    assert early == late
    assert "*Recovered* · 10:00 of 30:00, kept" in texts(early)
    assert buttons(early) == []


def test_progress_says_how_far_and_how_much_longer() -> None:
    began = entry(2, Kind.BEGAN, 4, 300, title="replay")
    made = seen(requested(), began, progress={"step": 4, "done": 25, "total": 100, "text": "12 of 48 <segments>"})
    shown = texts(run_header.blocks(made))
    assert "0 of 9 steps · 12 of 48 &lt;segments&gt; · 25 %, 3:36 min left" in shown
    other = replace(made, progress={"step": 3, "done": 1, "total": 2, "text": "old"})
    assert "old" not in texts(run_header.blocks(other))


def test_without_a_worker_the_header_says_how_to_start_one() -> None:
    assert "mayday worker" in texts(run_header.blocks(seen(requested(), worker=False)))


def test_stop_is_there_while_something_is_being_done() -> None:
    assert buttons(run_header.blocks(seen(requested()))) == ["Stop"]
    assert buttons(run_header.blocks(seen(requested(), asked()))) == []
    stopping = entry(2, Kind.STOP_ASKED, None, by="U0ONCALL", name="Olga")
    assert buttons(run_header.blocks(seen(requested(), stopping))) == []


def test_the_signature_changes_with_the_state_and_not_with_the_clock() -> None:
    first, later = seen(requested()), seen(requested(), after=999)
    assert run_header.signature(first) == run_header.signature(later)
    assert run_header.signature(first) != run_header.signature(seen(requested(), asked()))


def test_a_question_shows_its_buttons_who_may_press_them_and_until_when() -> None:
    shown = question.blocks(asked(), None)
    assert buttons(shown) == ["Cut over", "Another time", "Discard"]
    small = shown[-1]["elements"][0]["text"]
    assert small == (
        "*Cut over*: an approver, not whoever asked · the others: whoever asked or an approver · "
        f"open until <!date^{int((START + timedelta(hours=1)).timestamp())}^{{time}}|15:00 UTC>"
    )
    values = [e["value"] for b in shown if b["type"] == "actions" for e in b["elements"]]
    assert ButtonTarget.of(values[0]) == ButtonTarget("r1122-abcd", 2, "Cut over")


def test_who_may_press_fits_the_options() -> None:
    plain = asked(step=2)
    askers = question.Askers("<@U0ONCALL>", ("S0APPROVERS", "U0DBA"))
    assert question.blocks(plain, None, askers=askers)[-1]["elements"][0]["text"].startswith(
        "<@U0ONCALL> or an approver · open until "
    )
    both = question.blocks(asked(), None, askers=replace(askers, untold=3))
    assert both[-2]["text"]["text"].startswith(
        "*Cut over*: <!subteam^S0APPROVERS> <@U0DBA>, not <@U0ONCALL> · the others: "
    )
    assert both[-1]["elements"][0]["text"] == "3 of them got no message of their own."
    nobody = question.blocks(plain, None, askers=question.Askers())
    assert nobody[-1]["elements"][0]["text"].startswith("an operator or an approver · open until ")


def test_the_card_is_the_first_thing_below_the_question_and_its_moments_are_the_readers_own() -> None:
    rows = [
        {"label": "To", "text": "the last commit", "at": "2026-11-22T13:58:00.250000+01:00"},
        {"label": "Lost <b>", "text": "1 & 2", "at": None},
    ]
    title, card, *_ = question.blocks(asked(card=rows), None)
    assert title["text"]["text"] == "*Cut over?*"
    stamp = int(START.timestamp()) - 62 * 60
    assert card["text"]["text"] == (
        f"*To* <!date^{stamp}^{{date_short_pretty}} {{time_secs}}, {{ago}}|2026-11-22> (12:58:00 UTC)"
        " · the last commit\n"
        "*Lost &lt;b&gt;* 1 &amp; 2"
    )
    assert len(question.blocks(asked(), None)) == len(question.blocks(asked(card=rows), None)) - 1
    assert card in question.blocks(asked(card=rows), answered(3))


def test_a_question_that_stays_open_for_long_says_the_day_too() -> None:
    far = mrkdwn.until(START + timedelta(hours=30), START)
    assert "{date_short_pretty} {time}|2026-11-23 20:00 UTC" in far


@pytest.mark.parametrize(
    ("settled", "said"),
    [
        (answered(3), "<@U0APPROVER> chose *Cut over*"),
        (entry(3, Kind.EXPIRED, 5), "Nobody answered in time"),
        (entry(3, Kind.VOIDED, 5, redo=[], changed=["window", "<b>"]), "changed since (window, &lt;b&gt;)"),
        (entry(3, Kind.UNDO_ASKED, None, by="U0DBA", name="D"), "<@U0DBA> pressed Undo"),
    ],
)
def test_a_settled_question_says_how_and_has_no_buttons(settled: Entry, said: str) -> None:
    items = story(seen(requested(), asked(), settled))
    mine = next(item for item in items if item.key.endswith(":2"))
    assert said in texts(mine.blocks)
    assert buttons(mine.blocks) == []


def test_an_answer_that_became_void_is_shown_void_and_the_new_question_has_buttons() -> None:
    void = entry(4, Kind.VOIDED, 5, redo=[], changed=["losses"])
    items = story(seen(requested(), asked(), answered(3), void, asked(5)))
    first, second = (item for item in items if item.key in ("r1122-abcd:2", "r1122-abcd:5"))
    assert "void" in texts(first.blocks)
    assert buttons(second.blocks) == ["Cut over", "Another time", "Discard"]


def test_items_keep_their_place_and_key_while_the_journal_grows() -> None:
    whole = [
        requested(),
        entry(2, Kind.DONE, 0, title="read", seconds=1, gives="window", fact={}),
        entry(3, Kind.DONE, 1, title="choose", seconds=1, gives="backup", fact={}),
        asked(4),
        answered(5),
        entry(6, Kind.RECHECKED, 5),
        entry(7, Kind.BEGAN, 6, title="swap"),
        entry(8, Kind.DONE, 6, title="swap", seconds=2),
        entry(9, Kind.FINISHED, None, outcome="recovered", seconds=3, report=[]),
    ]
    stories = [[item.key for item in story(seen(*whole[:n]))] for n in range(1, len(whole) + 1)]
    for before, after in pairwise(stories):
        assert after[: len(before)] == before
    assert stories[-1] == ["t1", "r1122-abcd:4", "r1122-abcd:9", "r1122-abcd:9:report-r1122-abcd.txt:file"]


def test_endless_sheets_are_cut_and_go_along_whole_as_a_file() -> None:
    rows = [[f"table {i}", "x" * 200] for i in range(400)]
    sheets = [{"title": "Losses", "rows": rows, "notes": ["n" * 5000]}]
    items = story(seen(requested(), asked(sheets=sheets)))
    within_limits(items)
    names = [item.file[0] for item in items if item.file]
    assert names == ["plan-r1122-abcd-2.txt"]
    assert f"The whole of it is in the file {names[0]}." in str([item.blocks for item in items])
    content = next(item.file[1] for item in items if item.file)
    assert "table 399: " + "x" * 200 in content
    assert "n" * 5000 in content
    assert buttons(items[-1].blocks) == ["Cut over", "Another time", "Discard"]


def test_what_must_not_be_overlooked_comes_before_all_else() -> None:
    sheets = [{"title": "Plan", "rows": [["Stops", "here"]]}, {"title": "Lost", "alerts": ["The <archive> is broken."]}]
    said = "🔴 *The &lt;archive&gt; is broken.*"
    ended = entry(3, Kind.FINISHED, None, outcome="recovered", seconds=3, report=sheets)
    told = story(seen(requested(), ended))[-1]
    assert texts(told.blocks).splitlines()[0] == said
    assert "! The <archive> is broken." in plan.sheets_text(sheets).splitlines()


def test_a_long_failure_is_cut_keeps_its_buttons_and_goes_along_as_a_file() -> None:
    failed = entry(2, Kind.FAILED, 3, title="pause", error="It broke.", detail="line <x>\n" * 3000, hint="Do this.")
    items = story(seen(requested(), failed))
    within_limits(items)
    assert buttons(items[1].blocks) == ["Retry", "Undo"]
    assert "Do this." in texts(items[1].blocks)
    assert items[2].file is not None
    assert items[2].file[1].startswith("line <x>\nline <x>")


def test_everything_of_a_long_run_stays_within_slacks_limits() -> None:
    long = "<!channel> & " * 400
    steps = tuple(Look(long, look, f"f{i}") for i in range(60))
    procedure = replace(PITR, steps=steps)
    entries = [requested(summary=long, name=long)]
    entries += [entry(i + 2, Kind.DONE, i, title=long, seconds=1, said=long, gives=f"f{i}", fact={}) for i in range(60)]
    items = story(seen(*entries, procedure=procedure))
    within_limits(items)
    assert not any("<!channel>" in texts(item.blocks) for item in items)


def test_other_peoples_text_cannot_mention_or_link() -> None:
    assert mrkdwn.escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"
    done = entry(2, Kind.DONE, 3, title="pause <!here>", seconds=61, said="2 <b>")
    assert line(done) == "Pause &lt;!here&gt; · 1:01 min — 2 &lt;b&gt;"


def test_cutting_never_leaves_half_an_entity() -> None:
    for length in range(20, 40):
        short = mrkdwn.cut("&amp;" * 50, length)
        assert len(short) <= length
        assert short.removesuffix("…").replace("&amp;", "") == ""


def test_a_refusal_says_what_happened_what_was_seen_and_what_to_do() -> None:
    said = report.finished(
        entry(
            2,
            Kind.FINISHED,
            outcome="refused",
            seconds=1,
            report=[],
            error="Out of the window.",
            detail="Earliest: 09:00.",
            hint="Try 09:00.",
        ),
        WarningsSaid(),
    )
    assert "Out of the window.\nEarliest: 09:00.\nTry 09:00." in texts(said)


def test_a_dialog_fits_and_asks_for_the_right_thing() -> None:
    view = answer_modals.ask(ButtonTarget("r1", 2, "Pause writers and restore"), "service", SERVICE)
    assert len(view["title"]["text"]) <= 24
    assert SERVICE in texts(view["blocks"])
    other = answer_modals.ask(ButtonTarget("r1", 2, "Another time"), "when", SERVICE)
    assert "which time" in other["blocks"][1]["label"]["text"]
    assert ButtonTarget.of(other["private_metadata"]) == ButtonTarget("r1", 2, "Another time")


def test_help_comes_from_the_catalog() -> None:
    shown = help.text(CATALOG)
    assert "/recover postgres pitr &lt;when&gt;" in shown
    assert "a second person approves" in shown
    assert "/recover undo" in shown
    assert "window" not in help.text(CATALOG, "verify")


LOUD = "*DOWN* _now_ ~ok~ `rm -rf` <!channel> <https://evil|x>\n> pg_wal 5 * 3 _*both*_"


def test_a_text_from_outside_marks_nothing_up_and_is_one_line() -> None:
    said = mrkdwn.foreign(LOUD)
    assert not any(mark in said for mark in "*~`<>\n")
    assert said.count("_") == 1
    assert "pg_wal" in said
    assert "DOWN" in said


def test_what_looks_like_an_address_in_our_blocks_is_none() -> None:
    for block in (mrkdwn.section("see evil.example"), mrkdwn.small("see evil.example")):
        text = block.get("text") or block["elements"][0]
        assert (text["type"], text["verbatim"]) == ("mrkdwn", True)
