"""The thread of a recovery is short: a header, the plan, the question, the preview with its question, the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions.catalog import find
from actions.engine.folding import fold
from actions.engine.journal import Kind
from bot.slack.run_thread import story
from bot.slack.thread_item import ThreadItem
from bot.views import pages, plan, step_table
from bot.views.pages import PageTarget
from bot.views.run_header import HeaderData
from bot.views.warnings import WarningsSaid
from lab.bench.reading import characters, lines
from tests.support import pictured, recorded


def shown(item: ThreadItem) -> str:
    return "\n".join(lines(item.blocks))


def opened_by(item: ThreadItem) -> list[str]:
    return [block["accessory"]["value"] for block in item.blocks if block.get("accessory")]


def at_the_question() -> list[ThreadItem]:
    first = next(entry.n for entry in pictured.entries() if entry.kind is Kind.ASKED)
    return story(pictured.seen(first))


def of_before() -> HeaderData:
    """The recovery that an earlier version recorded, whose sheets say of nothing that it is a detail."""
    told = list(recorded.told_as("r1122-jrpx"))
    run = fold(told)
    return HeaderData(find(run.procedure), run, told, told[-1].at)


def test_the_demos_recovery_has_at_most_nine_messages_and_they_keep_their_order() -> None:
    thread = story(pictured.seen())
    asked = [entry.n for entry in pictured.entries() if entry.kind is Kind.ASKED]
    last = pictured.entries()[-1]
    assert len(thread) <= 9
    assert [item.n for item in thread[:6]] == [1, asked[0], asked[0], asked[1], asked[2], last.n]
    assert thread[0].header
    assert thread[1].key.endswith(":plan")
    assert thread[-1].file is not None
    assert len(story(of_before())) <= 9


def test_at_most_six_hundred_characters_are_read_before_the_first_decision() -> None:
    thread = at_the_question()
    assert len(thread) == 3
    assert characters(item.blocks for item in thread) <= 600, [shown(item) for item in thread]


def test_what_is_long_is_one_click_away_and_whole() -> None:
    header, first, _ = at_the_question()
    asked = next(entry for entry in pictured.entries() if entry.kind is Kind.ASKED)
    assert opened_by(header) == [f"Steps|{asked.run}|0|0"]
    assert opened_by(first) == [f"Details|{asked.run}|{asked.n}|0"]
    details = "\n".join(plan.lines(asked.data["sheets"]))
    for row in ("identifier 7714063408372908076", "0/403AA58, timeline 1", "WAL to replay", "Disk"):
        assert row in details
        assert row not in shown(first)
    assert "nself-functions, nself-hasura, nself-auth" in shown(first)


def test_what_finished_steps_said_stands_in_the_table_and_in_the_file_of_the_report() -> None:
    whole = pictured.seen()
    file = story(whole)[-1].file
    assert file is not None
    table = "\n".join(step_table.lines(step_table.rows(whole.procedure, whole.run, whole.entries)))
    for entry in whole.entries:
        if entry.kind is Kind.DONE:
            assert entry.data.get("said", "") in file[1]
            assert f"<!date^{int(entry.at.timestamp())}^" in table
    assert "stopped after 0/403AA58" in table
    assert "Ada Prewitt chose Cut over (nself-postgres)" in table
    assert whole.entries[-1].hash[:16] in file[1]


def test_the_table_of_a_run_under_way_shows_what_is_at_work_and_what_is_to_come() -> None:
    began = next(entry.n for entry in pictured.entries() if entry.kind is Kind.BEGAN)
    seen = pictured.seen(began)
    assert seen.procedure is not None
    rows = step_table.rows(seen.procedure, seen.run, seen.entries)
    assert [row.mark for row in rows].count("▸") == 1
    assert len(rows) == len(seen.procedure.steps)
    assert rows[-1].mark == "·"


def test_the_header_says_how_far_it_is_and_how_much_longer() -> None:
    replay = next(e for e in pictured.entries() if e.kind is Kind.BEGAN and e.data["title"] == "replay to the target")
    seen = pictured.seen(replay.n)
    made = {"step": replay.step, "done": 62, "total": 100, "text": "replaying"}
    header = shown(story(replace(seen, progress=made, now=replay.at + timedelta(seconds=62)))[0])
    assert f"{len(seen.run.done)} of 52 steps · replaying · 62 %, 38 s left" in header


def test_no_warning_is_cut_however_many_there_are() -> None:
    alerts = [f"Table {n} {'x' * 290}" for n in range(20)]
    made = WarningsSaid().blocks([{"title": "Plan", "alerts": alerts}])
    assert "\n".join(block["text"]["text"] for block in made).splitlines() == [f"🔴 *{one}*" for one in alerts]
    assert max(len(block["text"]["text"]) for block in made) <= 3000


def warned(*alerts: str) -> list[dict[str, Any]]:
    return [{"title": "Plan", "alerts": list(alerts)}]


def test_a_warning_is_said_once_and_again_only_where_it_changed() -> None:
    said = WarningsSaid()
    first = lines(said.blocks(warned("WAL is late by 4 min.", "Slot 7 is lost.", "Slot 8 is lost.")))
    assert [line.partition(" ")[2] for line in first] == ["WAL is late by 4 min.", "Slot 7 is lost.", "Slot 8 is lost."]
    again = lines(said.blocks(warned("WAL is late by 6 min.", "Slot 7 is lost.")))
    assert again == ["🔴 WAL is late by 6 min. (before: 4)", "The warning above still holds."]
    assert lines(said.blocks(warned("WAL is late by 6 min.", "Slot 7 is lost."))) == ["2 warnings above still hold."]
    assert said.blocks(warned()) == []


def test_the_report_says_a_warning_of_the_plan_no_second_time() -> None:
    told = [
        replace(e, data={**e.data, "sheets": [*e.data["sheets"], *warned("The <archive> is late.")]})
        if e.kind is Kind.ASKED
        else replace(e, data={**e.data, "report": warned("The <archive> is late.", "End slot 4.")})
        if e.kind is Kind.FINISHED
        else e
        for e in pictured.entries()
    ]
    thread = story(replace(pictured.seen(), entries=told))
    texts = [shown(item) for item in thread]
    assert sum(text.count("The <archive> is late.") for text in texts) == 1
    assert texts[5].startswith("🔴 End slot 4.\nThe warning above still holds.")
    assert thread[-1].file is not None
    assert "! The <archive> is late." in thread[-1].file[1]


def test_a_recovery_of_before_is_drawn_with_all_its_rows() -> None:
    thread = story(of_before())
    assert "identifier 7711034896925806618" in shown(thread[1])
    assert opened_by(thread[1]) == []


def test_a_decision_card_takes_the_place_of_the_rows_that_it_says() -> None:
    told = [
        replace(e, data={**e.data, "card": [{"label": "Lost"}]}) if e.kind is Kind.ASKED else e
        for e in pictured.entries()
    ]
    first = story(replace(pictured.seen(), entries=told))[1]
    assert "What will be lost" not in shown(first)
    assert "Will be paused" in shown(first)
    assert opened_by(first)


@pytest.mark.parametrize("length", [10, 2_900, 40_000])
def test_a_dialog_has_as_many_pages_as_it_takes_and_cuts_nothing(length: int) -> None:
    told = [f"{i} " + "w &amp; " * (length // 8) for i in range(40)]
    target, seen = PageTarget(pages.STEPS, "r1129-jas9"), ""
    for _ in range(1_000):
        view = pages.dialog(target, told, "note")
        texts = [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]
        assert all(len(text) <= 3_000 for text in texts)
        assert sum(map(len, texts)) <= 12_000
        assert len(view["blocks"]) <= 100
        seen += "".join(texts)
        turns = [e for block in view["blocks"] if block["type"] == "actions" for e in block["elements"]]
        onward = [e["value"] for e in turns if e["text"]["text"] == "Next"]
        if not onward:
            break
        turned = PageTarget.of(onward[0])
        assert turned is not None
        target = turned
    assert "".join(seen.split()) == "".join("".join(told).split())


@pytest.mark.parametrize(
    "value", ["", "Steps", "Steps|r1", "Other|r1|0|0", "Steps||0|0", "Steps|r1|x|0", "Steps|r1|0|-1"]
)
def test_a_button_of_another_kind_opens_nothing(value: str) -> None:
    assert PageTarget.of(value) is None
    assert PageTarget.of(PageTarget("Steps", "r1", 2, 3).value()) == PageTarget("Steps", "r1", 2, 3)


@pytest.mark.parametrize(("outcome", "keeps"), [("recovered", True), ("discarded", False), ("undone", False)])
def test_the_report_of_what_was_not_recovered_keeps_no_promise(outcome: str, keeps: bool) -> None:
    told = pictured.entries()
    told[-1] = replace(told[-1], data={**told[-1].data, "outcome": outcome})
    report = "\n".join(shown(item) for item in story(replace(pictured.seen(), entries=told))[1:])
    assert (", kept" in report) is keeps
