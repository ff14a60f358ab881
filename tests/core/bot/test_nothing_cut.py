"""What does not fit is counted in words, and where the newest matters the oldest is left out."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from actions.incidents import incident as incidents
from actions.incidents.incident_actions import declare, remark
from actions.incidents.open_errands import ITSELF
from actions.steps.postgres.count_losses import Lost, LostRows
from actions.steps.postgres.difference import Difference, TableRows, difference_sheet
from actions.steps.postgres.lost_sheet import lost_sheet
from actions.wording import fitting, listed, newest, shortened
from bot.incidents import timeline
from bot.views import mrkdwn, plan
from bot.views.home_view import HomeData, OpenItem, view
from tests.support.bot_world import emptied
from tests.support.paths import ROOT
from tests.support.worlds.clock import Clock
from tests.support.worlds.pages import at


def test_of_200_tables_that_lose_rows_the_plan_counts_the_rest_and_the_file_has_all() -> None:
    tables = tuple(LostRows(f"t{n:03}", 400 - n, 0, 0) for n in range(200))
    sheet = lost_sheet(Lost(commits=200, tables=tables), running=False)
    shown = [label for label, _ in sheet.rows if label.startswith("t")]
    assert shown == [f"t{n:03}" for n in range(12)]
    left = sum(table.rows for table in tables[12:])
    assert ("and 188 more tables", f"{left:,} rows") in sheet.rows
    file = plan.sheets_text([{"title": sheet.title, "rows": sheet.rows, "notes": (), "whole": sheet.whole}])
    assert [table.table for table in tables if f"{table.table}: {table.rows:,} inserted" not in file] == []


def test_of_200_tables_that_differ_the_preview_counts_the_rest_and_the_file_has_all() -> None:
    tables = tuple(TableRows(f"t{n:03}", f"{n + 1} come back", n + 1) for n in range(200))
    sheet = difference_sheet(Difference(compared=True, tables=tables))
    assert sheet.rows[-1] == ("and 175 more tables", f"{sum(t.rows for t in tables[25:]):,} rows")
    file = plan.sheets_text([{"title": sheet.title, "rows": sheet.rows, "notes": (), "whole": sheet.whole}])
    assert [table.name for table in tables if f"{table.name}: {table.words}" not in file] == []


def test_a_timeline_that_is_too_long_keeps_its_newest_lines_and_says_how_many_are_older() -> None:
    store = emptied(Clock(at(1)))
    name, _ = declare(store, "Rows vanished", "", ITSELF, key="d")
    for n in range(90):
        store.extend(name, lambda told, n=n: [("pinned", None, pin(n))])  # type: ignore[misc]
    said = timeline.text(store, incidents.fold(store.entries(name)))
    assert "word 89 " in said
    assert "word 0 " not in said
    told = sum("word" in line for line in said.splitlines())
    assert f"… {91 - told} earlier lines" in said
    assert len(said) <= mrkdwn.SECTION


def pin(n: int) -> dict[str, str]:
    """Something that was said at that minute, as the journal keeps it."""
    when = (at(2) + timedelta(minutes=n)).isoformat()
    return {"at": when, "text": f"word {n} " + "x" * 60, "author": "Olga", "key": str(n), "by": "U1", "name": "Olga"}


def test_the_home_tab_says_how_many_runs_it_leaves_out() -> None:
    one = OpenItem("r1", "", "a run", at(1))
    assert "and 7 more: `/recover status`" in str(view(HomeData((one,), (), at(2), more_runs=7)))


@pytest.mark.parametrize("most", [10, 30, 75, 150])
def test_a_title_or_label_that_is_cut_ends_in_an_ellipsis(most: int) -> None:
    made = mrkdwn.cut("x" * 500, most)
    assert (len(made), made[-1]) == (most, "…")
    assert mrkdwn.cut("x" * most, most) == "x" * most
    assert mrkdwn.cut("x" * 5000).endswith(mrkdwn.MARKER)


def test_no_button_is_left_out() -> None:
    made = mrkdwn.actions([mrkdwn.button(str(n), "a", str(n)) for n in range(60)])
    assert [len(row["elements"]) for row in made] == [25, 25, 10]


def test_what_is_left_out_is_counted() -> None:
    assert listed(["a", "b", "c"], 3) == "a, b, c"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"
    lines = [f"line {n:04}" for n in range(1000)]
    kept = newest(lines, 500)
    assert kept[-1] == "line 0999"
    assert kept[0] == f"… {1000 - len(kept) + 1} earlier lines"
    assert sum(len(line) + 1 for line in kept) <= 500
    first = fitting(lines, 500)
    assert first[0] == "line 0000"
    assert first[-1] == f"and {1000 - len(first) + 1} more"
    assert sum(len(line) + 1 for line in first) <= 500
    assert newest(["only"], 500) == fitting(["only"], 500) == ["only"]


# A function that cuts by a constant says how much is left out, or leaves that to these words.
SAYS = ("left", "more", "older", "earlier", "…", "shortened", "listed", "len(")
NO_TEXT = {
    # Bytes, bits, digests and batches; what is not shown to anybody, or goes on with the next look.
    ("actions/postgres/replication_slots.py", "ON_DISK_BYTES"),
    ("actions/postgres/walheader.py", "BYTES"),
    ("actions/watch/step_times.py", "KEPT"),
    ("actions/postgres/judgement.py", "_NAMED"),  # "the largest are …" after the sum of all.
    ("actions/incidents/take_in_events.py", "_BATCH"),
    ("actions/incidents/suggested_recoveries.py", "_LOSSES"),
    ("actions/incidents/suggested_recoveries.py", "MOST"),
    ("actions/incidents/pagerduty_events.py", "_LONGEST"),
    ("actions/control/answers.py", "_SHORT"),
    ("actions/redact.py", "MOST"),
    ("actions/steps/postgres/read_window.py", "_LOOKED_THROUGH"),
    ("bot/terminal/incident_shown.py", "_RECOVERIES"),
    ("bot/views/help.py", "_EXAMPLES"),
    ("bot/views/incident_modals.py", "_REASONS"),
    ("bot/web/metrics.py", "_MOST_WORKERS"),
    ("bot/listeners/pinned_messages.py", "_READ"),
    ("workers/runner/throughput.py", "_KEPT"),
    ("workers/postgres/base_take.py", "_SHOWN_LINES"),
    ("workers/pagerduty/poller.py", "_SINGLE"),
    ("workers/pagerduty/webhook_subscription.py", "_SECRETS_KEPT"),
    ("workers/docker/exec.py", "_KEPT_OF_STDERR"),
    ("workers/stack_web.py", "_KEPT_BYTES"),
}


@pytest.mark.rules
def test_whatever_cuts_by_a_constant_says_how_much_is_left_out() -> None:
    silent, seen = list[str](), set[tuple[str, str]]()
    for folder in ("actions", "bot", "workers"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for function, bound in cuts(file):
                place = (str(file.relative_to(ROOT)), bound)
                seen.add(place)
                if place not in NO_TEXT and not any(word in function for word in SAYS):
                    silent.append(f"{place[0]}: [:{bound}]")
    assert silent == []
    assert NO_TEXT - seen == set()


def cuts(file: Path) -> list[tuple[str, str]]:
    """The slices that end at a constant of the module, each with the source of its function."""
    source = file.read_text()
    found = []
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            text = "\n".join(source.splitlines()[function.lineno - 1 : function.end_lineno])
            for node in ast.walk(function):
                if isinstance(node, ast.Slice):
                    ends = (node.upper, getattr(node.lower, "operand", None))
                    found += [(text, end.id) for end in ends if isinstance(end, ast.Name) and end.id.isupper()]
    return found


def test_a_remark_is_kept_whole() -> None:
    store = emptied(Clock(at(1)))
    name, _ = declare(store, "Rows vanished", "", ITSELF, key="d")
    remark(store, name, "x" * 9000, key="k")
    assert len(store.entries(name)[-1].data["text"]) == 9000
