"""What people are asked in a point-in-time recovery, and what each answer leads to."""

from __future__ import annotations

from actions.engine.procedure import Ask, MayAnswer, Option, OptionEffect
from actions.steps import writers
from actions.steps.postgres import (
    answer_effects,
    approved_loss,
    besides_sheet,
    decision_cards,
    hold,
    keep_configuration,
    prepared,
    sheets,
    show_rows,
    two_readings,
)

RESTORE_BESIDE = Ask(
    "Restore beside the live data?",
    options=(
        Option(writers.PAUSE_AND_RESTORE, danger=True, does=answer_effects.pausing),
        Option(writers.KEEP_SERVING, does=answer_effects.keeping),
        Option("Cancel", leads=OptionEffect.BACK, does="Nothing was done, and nothing will be."),
    ),
    gives="mode",
    sheets=sheets.plan_sheets,
    card=decision_cards.plan_card,
    adds=two_readings.rather,
    recheck=("server", "live", "writers", "base"),
)

PREPARED_TRANSACTIONS = Ask(
    "What shall become of the prepared transactions?",
    options=(
        Option(prepared.LEAVE, does=answer_effects.leaving),
        Option(prepared.COMMIT, danger=True, does=answer_effects.committing),
        Option(prepared.ROLL_BACK, danger=True, does=answer_effects.rolling_back),
        Option("Discard", leads=OptionEffect.BACK, does=answer_effects.discarding),
    ),
    gives="settling",
    sheets=prepared.prepared_sheets,
    card=decision_cards.prepared_card,
    applies=prepared.something_to_settle,
    leaves_out=prepared.no_room,
)

CUT_OVER = Ask(
    "Cut over to the clone?",
    options=(
        Option(
            keep_configuration.CUT_OVER,
            who=MayAnswer.SECOND,
            types="service",
            danger=True,
            does=answer_effects.cutting_over,
        ),
        Option(
            keep_configuration.WITH_BACKUPS,
            who=MayAnswer.SECOND,
            types="service",
            danger=True,
            does=answer_effects.cutting_over_with_backups,
        ),
        Option("Another time", leads=OptionEffect.AGAIN, types="when"),
        Option("Discard", leads=OptionEffect.BACK, does=answer_effects.discarding),
    ),
    gives="approval",
    sheets=sheets.preview_sheets,
    card=decision_cards.cut_over_card,
    recheck=("server", "live", "writers", "configuration", "loss"),
    stands=approved_loss.STANDS,
    until="stop the old server",
    still=("loss",),
    leaves_out=besides_sheet.senseless_cut_overs,
    reaches=("window", "aim", "base", "tablespaces", "times", "space"),
    offers=show_rows.offer_rows,
)

HOLD = Ask(
    "Let the writers on?",
    options=hold.OPTIONS,
    gives="hold",
    sheets=hold.hold_sheets,
    applies=hold.is_wanted,
    lasts=hold.lasts,
    silence=OptionEffect.ON,
)
