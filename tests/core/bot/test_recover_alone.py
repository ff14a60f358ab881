"""`/recover` alone, and the dialogs: what was counted as lost comes first, a button each, the newest loss first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.engine.facts import to_json
from actions.incidents.counted_losses import CountedLoss, counted
from actions.recoveries import postgres_pitr, postgres_rows, postgres_verify, postgres_window
from actions.watch.row_counts import NOTE, RowLoss, RowsSeen, look
from bot.dispatch import Reply, hear
from bot.replies import recover_offers
from bot.runs.requests import Origin
from bot.views import home_dialogs
from bot.views import incident_modals as modals
from bot.views.moment_fields import PICKED, TYPED, moment_of
from lab.slack.blocks import check_view
from tests.support.bot_world import CHANNEL, SERVICE, START, Office, office_in
from tests.support.worlds.emergency import Emergency

CATALOG = (postgres_pitr.PROCEDURE, postgres_rows.PROCEDURE, postgres_verify.PROCEDURE, postgres_window.PROCEDURE)
WHOLE = {"public.nchat_messages": 1840, "public.nchat_reactions": 700, "public.nchat_members": 90}


def counts(office: Office, after: int, **rows: int) -> None:
    """A worker counts the rows, that many seconds later."""
    office.clock.on(after)
    tables = {**WHOLE, **{f"public.nchat_{name}": many for name, many in rows.items()}}
    look(office.store, "main", SERVICE, RowsSeen("08:00", tables))


def alone(office: Office, text: str = "", key: str = "t1") -> Reply:
    return hear(office.bot, text, Origin(key, "U0ONCALL", "T1", CHANNEL))


def pressable(reply: Reply) -> list[tuple[str, str]]:
    return [(b["text"]["text"], b["value"]) for block in reply.buttons for b in block["elements"]]


@pytest.fixture
def office() -> Office:
    return office_in(CATALOG)


def test_the_moment_before_a_loss_is_a_button_that_asks_for_a_plan(office: Office) -> None:
    counts(office, 0)
    counts(office, 60, messages=919)
    reply = alone(office)
    label, said = pressable(reply)[0]
    # 14:00:00 still counted all of them; a server's statistics may be ten seconds old.
    assert label == "Before 921 rows vanished from nchat_messages (13:59:50 UTC)"
    assert "921 of 1,840 rows of nchat_messages: there at 14:00:00, gone at 14:01:00 UTC" in reply.text
    assert "It last counted at 14:01:00 UTC, 0 s ago." in reply.text
    [run] = alone(office, said, "press").runs
    assert office.store.run(run).request["target"]["at"] in ("2026-11-22T13:59:50+00:00", "2026-11-22T13:59:50Z")


def test_tables_of_one_look_are_one_loss_and_the_newest_loss_comes_first(office: Office) -> None:
    counts(office, 0)
    counts(office, 60, messages=919, reactions=0)
    counts(office, 60, messages=300, reactions=0)
    counts(office, 60, messages=300, reactions=0, members=10)
    labels = [label for label, _ in pressable(alone(office))]
    assert labels[:3] == [
        "Before 80 rows vanished from nchat_members (14:01:50 UTC)",
        "Before 619 rows vanished from nchat_messages (14:00:50 UTC)",
        "Before 921 rows vanished from nchat_messages and 1 more (13:59:50 UTC)",
    ]


def test_what_does_not_fit_is_counted(office: Office) -> None:
    counts(office, 0)
    left = 1840
    for _ in range(recover_offers.MOST + 3):
        left = int(left * 0.7)
        counts(office, 60, messages=left)
    reply = alone(office)
    assert len([one for one, _ in pressable(reply) if one.startswith("Before")]) == recover_offers.MOST
    assert "… and 3 earlier ones." in reply.text


def test_with_nothing_seen_it_says_so_when_it_looked_and_how_to_search(office: Office) -> None:
    counts(office, 0)
    office.clock.on(20)
    reply = alone(office)
    assert "saw no rows vanish in the last 6 hours. It last counted at 14:00:00 UTC, 20 s ago." in reply.text
    assert "`/recover window` shows which can be reached" in reply.text
    assert "`/recover postgres verify`  Check the integrity of the data of PostgreSQL" in reply.text
    assert "postgres rows" not in reply.text, "it is offered beside the question of a run, and only there"
    assert [label for label, _ in pressable(reply)] == ["Another moment…", "What can be reached", "All commands"]
    office.clock.on(3600)
    assert "That is long ago: what was lost since is not in it." in alone(office, key="t2").text


def test_where_nobody_counted_it_does_not_say_that_nothing_is_missing(office: Office) -> None:
    text = alone(office).text
    assert "has not counted the rows of the tables yet, so it cannot say" in text
    assert "saw no rows vanish" not in text


def test_a_loss_that_an_earlier_version_noted_is_told_without_a_moment(office: Office) -> None:
    note = to_json(RowsSeen("08:00", {}, (RowLoss("public.old", 500, 0, START),)))
    del note["losses"][0]["since"], note["seen_at"]
    office.store.keep(NOTE, f"main {SERVICE}", note)
    [loss] = counted(office.store, office.bot.settings.stack())
    assert (loss.before, loss.label()) == (None, "Before 500 rows vanished from old")
    reply = alone(office)
    assert "500 of 500 rows of old: gone at 14:00:00 UTC" in reply.text
    assert not [one for one, _ in pressable(reply) if one.startswith("Before")]


def test_words_alone_are_read_so_wherever_they_are_said(office: Office) -> None:
    counts(office, 0)
    for n, text in enumerate(("", "recover", "<@U0MAYDAY> recover", "/recover", "@Mayday recover")):
        assert "saw no rows vanish" in alone(office, text, f"t{n}").text


def test_the_dialogs_begin_with_the_losses_and_hold_what_slack_takes() -> None:
    here = Emergency()
    here.pages()
    loss = RowLoss("public.nchat_messages", 1840, 919, START, START - timedelta(minutes=1))
    first = CountedLoss("main", SERVICE, (loss,))
    dialog = modals.recover(here.incident, [], ["x"], [first], "postgres pitr")
    check_view(dialog)
    option = dialog["blocks"][-1]["element"]["options"][0]
    assert option["text"]["text"] == "Before 921 rows vanished from nchat_messages (13:58:50 UTC)"
    view = {"state": {"values": {"said": {"field": {"selected_option": option}}}}}
    name, moment, service, site = modals.chosen(view)
    assert (name, service, site) == ("postgres pitr", SERVICE, "main")
    arguments = modals.arguments("i1", postgres_pitr.PROCEDURE, moment, service, site)
    check_view(arguments)
    assert arguments["blocks"][1]["element"]["initial_value"] == "2026-11-22 13:58:50 UTC"
    assert arguments["blocks"][2]["element"]["initial_date_time"] == int(START.timestamp()) - 70
    check_view(home_dialogs.recover([("recover postgres pitr", "Bring PostgreSQL back to a moment")], moment, "Seen."))


@pytest.mark.parametrize(
    ("typed", "picked", "words"),
    [
        ("2026-11-22 13:58:50 UTC", -70, "2026-11-22 13:58:50 UTC"),
        ("14:30", -70, "14:30"),
        ("2026-11-22 13:58:50 UTC", -600, "2026-11-22 13:50:00 UTC"),
        ("", -600, "2026-11-22 13:50:00 UTC"),
        ("14:30", -600, "14:30"),
        ("", None, ""),
    ],
)
def test_the_field_that_was_changed_counts_and_of_both_the_typed_one(
    typed: str, picked: int | None, words: str
) -> None:
    view = modals.arguments("i1", postgres_pitr.PROCEDURE, START - timedelta(seconds=70))
    at = None if picked is None else int(START.timestamp()) + picked
    values = {TYPED: {"field": {"value": typed or None}}, PICKED: {"field": {"selected_date_time": at}}}
    assert moment_of({**view, "state": {"values": values}}) == words


def test_the_moment_on_a_button_stays_whole_however_long_the_tables_name() -> None:
    loss = RowLoss("warehouse." + "a" * 63, 9_000_000, 0, START, START)
    label = CountedLoss("main", SERVICE, (loss, loss)).label()
    assert len(label) == 75
    assert label.endswith("… and 1 more (13:59:50 UTC)")
