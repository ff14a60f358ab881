"""The card of each question: true figures, or that they are not known; and what each answer does, with names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.clock.when import Target
from actions.engine.journal import Kind
from actions.engine.procedure import Answer
from actions.steps.postgres import answer_effects, decision_cards
from actions.steps.postgres.approved_loss import ApprovedLoss
from actions.steps.postgres.count_losses import Lost, LostRows
from actions.steps.postgres.difference import Difference
from actions.steps.postgres.estimate import Estimate
from actions.steps.postgres.look_at_server import Writer, Writers
from actions.steps.postgres.target import Aim
from actions.steps.writers import KEEP_SERVING, PAUSE_AND_RESTORE
from bot.views import decision_card
from tests.support.worlds.company import SITE
from tests.support.worlds.lies import called, previewed
from tests.support.worlds.planned import Company

WRITERS = "nself-functions, nself-hasura and nself-auth"
TIMES = Estimate(copy=1, replay=1, check=1, cut_over=20, measured=("copy", "replay", "checks", "cut-over"), cut_overs=3)


def card(here: Company) -> dict[str, str]:
    """The card of the newest question, as a terminal shows it."""
    asked = [e for e in here.store.entries("r1") if e.kind is Kind.ASKED][-1]
    return dict(decision_card.pairs(asked.data["card"]))


def does(here: Company) -> dict[str, str]:
    asked = [e for e in here.store.entries("r1") if e.kind is Kind.ASKED][-1]
    return {option["label"]: option["does"] for option in asked.data["options"]}


def asked(here: Company, when: str) -> None:
    here.ask("postgres pitr", when)
    here.work()


def to_the_cut_over(here: Company, mode: str = KEEP_SERVING) -> None:
    here.answer(mode)
    here.work()


def test_the_first_card_says_where_to_what_comes_back_what_is_lost_and_for_how_long(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    here.world.says(3)
    asked(here, "08:40:30")
    assert card(here) == {
        "To": "2026-02-09 08:40:30 UTC",
        "Comes back": "20 rows of 1 table deleted since; compared in the preview",
        "Lost": "3 rows added or changed, and what is written until the writers stop",
        "Down": "about 12 s at the cut-over (a guess)",
        "After": "The live data is not touched before the cut-over",
    }


def test_the_card_of_the_cut_over_has_the_rows_that_were_compared(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    asked(here, "08:40:30")
    here.world.says(3)
    to_the_cut_over(here)
    assert card(here) == {
        "To": "2026-02-09 08:40:30 UTC",
        "Comes back": "20 rows",
        "Lost": "3 rows",
        "Down": "about 12 s at the cut-over (a guess)",
        "Approval": f"covers up to {23 + SITE.approval_rows:,} rows added, changed or deleted, within 15 min",
        "After": "Undo until the writers go on; the old data is kept",
    }


def test_with_nothing_lost_the_cards_say_so(here: Company) -> None:
    asked(here, "latest")
    first = card(here)
    assert first["To"] == "2026-02-09 08:40:09 UTC · the last commit of all"
    assert first["Comes back"] == "no rows were deleted since"
    assert first["Lost"] == "nothing so far, and what is written until the writers stop"
    to_the_cut_over(here, PAUSE_AND_RESTORE)
    assert (card(here)["Comes back"], card(here)["Lost"]) == ("no rows", "no rows")
    assert card(here)["Down"] == "the writers are paused since the start; about 12 s at the cut-over (a guess)"


def test_before_a_transaction_the_card_names_a_moment_and_no_number(here: Company) -> None:
    accident = here.world.deletes(1, 2, 3)
    asked(here, f"before xid {accident.xid}")
    assert card(here)["To"] == "2026-02-09 08:40:09 UTC · the last commit before the named transaction"
    to_the_cut_over(here)
    assert card(here)["To"] == "2026-02-09 08:40:09 UTC · the last commit before the named transaction"


def test_of_a_server_that_is_down_nothing_is_said_that_was_not_compared(here: Company) -> None:
    here.world.deletes(1, 2, 3)
    here.world.set_container("nself-postgres", state="exited")
    asked(here, "08:40:30")
    assert card(here)["Down"].startswith("the server is down already; ")
    assert "until the writers stop" not in card(here)["Lost"]
    to_the_cut_over(here)
    assert card(here)["Comes back"].startswith("not known: the live server does not answer")
    assert card(here)["Lost"] == "3 rows added, changed or deleted since the target, in 1 commit; not compared"


def test_prepared_transactions_have_a_card_and_words_of_their_own(here: Company) -> None:
    here.world.deletes(1, 2, 3)
    here.world.prepared = frozenset({"xfer-1", "xfer-2"})
    asked(here, "08:40:30")
    to_the_cut_over(here)
    assert card(here)["Open then"] == "2 prepared transactions, begun and never ended"
    assert card(here)["Lost"] == "not known yet; counted in the preview"
    words = "2 prepared transactions are committed in the restored copy, once a cut-over is approved."
    assert does(here)["Commit them"].startswith(words)


def test_confirmations_name_the_writers_and_what_becomes_of_them(here: Company) -> None:
    asked(here, "latest")
    pausing = f"{WRITERS} stop now. The live data is not touched. Discard lets them on."
    assert does(here)[PAUSE_AND_RESTORE] == pausing
    assert does(here)[KEEP_SERVING].startswith(f"{WRITERS} go on until the cut-over;")
    to_the_cut_over(here, PAUSE_AND_RESTORE)
    assert does(here)["Cut over"].startswith(f"{WRITERS} stand still for about 12 s.")
    assert "the writers that were paused for it go on" in does(here)["Discard"]


def test_a_single_writer_and_none_at_all() -> None:
    one = Writers((Writer("api", "c1", "running"), Writer("old", "c2", "exited")))
    assert answer_effects.pausing(one) == "api stops now. The live data is not touched. Discard lets it on."
    assert answer_effects.pausing(Writers(())).startswith("No writer runs, so nobody is paused.")
    still = answer_effects.cutting_over(Writers(()), TIMES, replace(SITE, hold_seconds=0))
    assert still.startswith("The database stands still for about 20 s.")


def test_the_hold_is_part_of_how_long_the_writers_stand_still(here: Company) -> None:
    here.world.hold_seconds = 30
    here.world.deletes(*range(1, 21))
    asked(here, "08:40:30")
    assert card(here)["Down"] == "about 12 s at the cut-over (a guess), and 30 s of hold"
    to_the_cut_over(here)
    assert card(here)["Down"] == "about 12 s at the cut-over (a guess), and 30 s of hold"
    assert does(here)["Cut over"].startswith(f"{WRITERS} stand still for about 12 s, and 30 s of hold.")


def test_much_that_is_lost_is_given_with_its_pace_and_what_was_not_compared(here: Company) -> None:
    preview = previewed(here)
    found = Difference(True, comes_back=921, goes=1259, changes=12, about=True, besides=("a", "b"), not_compared=("x",))
    rows = called(
        preview,
        decision_cards.cut_over_card,
        difference=found,
        loss=ApprovedLoss(True, 1259, 57, 8.2),
        mode=Answer(KEEP_SERVING, "U1"),
        times=TIMES,
    )
    told = {row.label: row.text for row in rows}
    assert told["Comes back"] == "about 921 rows; 1 more not compared"
    assert told["Lost"] == (
        "about 1,259 rows and the changes of about 12 rows; about 8 rows a second more; 1 more not compared"
    )
    assert told["Besides"] == "2 differences that no row shows; see the preview"
    assert told["Down"] == "about 20 s at the cut-over"


@pytest.mark.parametrize(
    ("lost", "back", "gone"),
    [
        (Lost(counted=False), decision_cards.NOT_YET, decision_cards.NOT_YET),
        (
            Lost(True, 3, tables=(LostRows("a", 5, 1, 2), LostRows("b", 0, 0, 919)), rows=1000, removed=2),
            "at least 921 rows of 2 tables deleted since and 2 tables or indexes dropped, emptied or rewritten since; "
            "compared in the preview",
            "at least 6 rows added or changed, and what is written until the writers stop",
        ),
    ],
)
def test_what_is_not_known_is_never_a_figure(here: Company, lost: Lost, back: str, gone: str) -> None:
    rows = called(previewed(here), decision_cards.plan_card, lost=lost)
    told = {row.label: row.text for row in rows}
    assert (told["Comes back"], told["Lost"]) == (back, gone)


def test_a_stop_before_any_commit_has_no_moment_that_is_made_up(here: Company) -> None:
    preview = previewed(here)
    aim: Aim = called(preview, _aim_of)
    bare = replace(aim, stop=replace(aim.stop, last_commit_at=None))
    row = called(preview, decision_cards.where_to, aim=bare, target=Target("latest", "latest"))
    assert row.at is None
    assert row.text == "the last commit of all: nothing committed since the base backup stays"


def _aim_of(aim: Aim) -> Aim:
    return aim
