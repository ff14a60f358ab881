"""The sheet "Besides rows": what a recovery changes that is not in the WAL, or not in the base backup."""

from __future__ import annotations

from collections.abc import Sequence

from actions.engine.procedure import Answer, Sheet
from actions.postgres.besides_sql import GoesBack, Unlogged
from actions.postgres.server import Server
from actions.steps.postgres.estimate import size
from actions.steps.postgres.keep_configuration import (
    CONFIGURATION_SHOWN,
    CUT_OVER,
    WITH_BACKUPS,
    ConfigurationKept,
    configuration_alerts,
    configuration_rows,
    what_became_of_configuration,
)
from actions.steps.postgres.left_to_people import LeftToPeople
from actions.steps.postgres.prepared import LEAVE, PreparedOpen, prepared_rows
from actions.steps.postgres.remake_slots import slot_alerts, slot_rows
from actions.steps.postgres.see_unwritten import NotInWal
from actions.steps.postgres.target import Aim
from actions.tools.names import Names
from actions.wording import listed

TITLE = "Besides rows"
_NAMED = 8

Rows = tuple[tuple[str, str], ...]


def senseless_cut_overs(configuration: ConfigurationKept, prepared: PreparedOpen, settling: Answer) -> tuple[str, ...]:
    """The ways to cut over whose server would not start, or that do not differ; one is always left."""
    stay = len(prepared.all) if settling.option == LEAVE else 0

    def fails(broken: str, room: int | None) -> bool:
        return bool(broken) or (room is not None and room < stay)

    other = configuration.differs and not fails(configuration.broken_backup, configuration.prepared_backup)
    if other and fails(configuration.broken, configuration.prepared):
        return (CUT_OVER,)
    return () if other else (WITH_BACKUPS,)


def plan_sheet(server: Server, aim: Aim, foreseen: ConfigurationKept, unwritten: NotInWal) -> Sheet:
    """Before anything is touched: what will change, and what is kept."""
    rows = (
        *configuration_rows(foreseen),
        *_pending(unwritten),
        *slot_rows(unwritten.slots, aim),
        *_prepared_now(unwritten),
        *_unlogged(unwritten),
        *_subscriptions(unwritten),
        *_always(unwritten),
    )
    alerts = (*configuration_alerts(foreseen, server), *_alerts(unwritten))
    whole = _whole(unwritten, foreseen.kept.lines)
    return Sheet(TITLE, rows, _looked(unwritten), alerts, whole, _unusual(rows))


def preview_sheet(
    server: Server,
    aim: Aim,
    configuration: ConfigurationKept,
    unwritten: NotInWal,
    prepared: PreparedOpen,
    settling: Answer,
) -> Sheet:
    """On the clone, at the stopping point, against the live server."""
    rows = (
        *configuration_rows(configuration),
        *_pending(unwritten),
        *slot_rows(unwritten.slots, aim),
        *prepared_rows(prepared, settling, aim),
        *_gone_prepared(unwritten, prepared),
        *_unlogged(unwritten),
        *_subscriptions(unwritten),
        *_sequences(unwritten.sequences),
        *_always(unwritten),
    )
    alerts = (*configuration_alerts(configuration, server), *_alerts(unwritten))
    whole = _whole(unwritten, configuration.kept.lines)
    return Sheet(TITLE, rows, _looked(unwritten), alerts, whole, _unusual(rows))


def report_sheet(
    configuration: ConfigurationKept,
    approval: Answer,
    names: Names,
    unwritten: NotInWal,
    prepared: PreparedOpen,
    settling: Answer,
    left: LeftToPeople,
) -> Sheet:
    """What was made again, and what is left to people."""
    made: Rows = (("Slots made again", ", ".join(left.made)),) if left.made else ()
    settled: Rows = ()
    if prepared.all:
        named = listed([one.gid for one in prepared.all], _NAMED)
        settled = (("Prepared transactions", f"{named}: {settling.option.casefold()}, chosen by {settling.by}"),)
    rows = (
        *what_became_of_configuration(configuration, approval, names),
        *made,
        *settled,
        *_unlogged(unwritten),
        *_sequences(unwritten.sequences),
        *_always(unwritten),
    )
    whole = _whole(unwritten, (), [one.gid for one in prepared.all])
    return Sheet(TITLE, rows, (), left.to_do, whole, _unusual(rows))


def _unusual(rows: Rows) -> tuple[str, ...]:
    """What not every recovery does."""
    return tuple(label for label, _ in rows if label not in ("Sequences", "Statistics"))


def _alerts(unwritten: NotInWal) -> tuple[str, ...]:
    found = list(slot_alerts(unwritten.slots))
    lost = [one for one in unwritten.unlogged if one.rows or one.bytes]
    if lost:
        found.append(f"Unlogged tables will be empty: {_names(lost)}.")
    if unwritten.subscriptions:
        named = ", ".join(f"{one.name} (database {one.database})" for one in unwritten.subscriptions)
        found.append(f"What the publishers of these subscriptions have sent since the stop will be missing: {named}.")
    return tuple(found)


def _pending(unwritten: NotInWal) -> Rows:
    named = ", ".join(unwritten.pending)
    return (("Not in force yet", f"{named}: set on the live server, come into force at the start"),) if named else ()


def _prepared_now(unwritten: NotInWal) -> Rows:
    if not unwritten.prepared:
        return ()
    named = listed(unwritten.prepared, _NAMED)
    return (
        (
            "Prepared transactions",
            f"open on the live server now: {named}. Those prepared after the stop vanish; "
            "what is open at the stop is asked about before the cut-over",
        ),
    )


def _gone_prepared(unwritten: NotInWal, prepared: PreparedOpen) -> Rows:
    stay = {one.gid for one in prepared.all}
    gone = [name for name in unwritten.prepared if name.rpartition(" (database ")[0] not in stay]
    return (("Prepared after the stop", f"{listed(gone, _NAMED)}: vanish"),) if gone else ()


def _unlogged(unwritten: NotInWal) -> Rows:
    tables = [one for one in unwritten.unlogged if not one.sequence]
    sequences = [one for one in unwritten.unlogged if one.sequence]
    rows = [("Unlogged tables", f"{_names(tables)}: empty afterwards")] if tables else []
    rows += [("Unlogged sequences", f"{_names(sequences)}: begin anew")] if sequences else []
    return tuple(rows)


def _names(some: list[Unlogged]) -> str:
    return listed([_named(one) for one in some], _NAMED)


def _named(one: Unlogged) -> str:
    return f"{one.name} of {one.database}{_held(one)}"


def _held(one: Unlogged) -> str:
    if one.sequence or not (one.rows or one.bytes):
        return ""
    large = size(one.bytes) if one.bytes >= 1 << 20 else f"{one.bytes // 1024} kB"
    return f" ({one.rows:,} rows, {large})" if one.rows else f" ({large})"


def _subscriptions(unwritten: NotInWal) -> Rows:
    named = ", ".join(f"{one.name} of {one.database}" for one in unwritten.subscriptions)
    return (("Subscriptions", f"{named}: their state goes back, their publishers' slots do not"),) if named else ()


def _sequences(sequences: tuple[GoesBack, ...]) -> Rows:
    if not sequences:
        return ()
    named = listed([_goes_back(one) for one in sequences], _NAMED)
    return (("Sequences", f"{named}: numbers after the stop are handed out again"),)


def _goes_back(one: GoesBack) -> str:
    return f"{one.name} of {one.database} from {one.now:,} to {_start(one)}"


def _whole(unwritten: NotInWal, lines: Sequence[str], prepared: Sequence[str] = ()) -> tuple[str, ...]:
    """Each list in full that the rows above cut short, for the file."""
    lists = (
        ("Configuration", lines, CONFIGURATION_SHOWN),
        ("Unlogged", [_named(one) for one in unwritten.unlogged], _NAMED),
        ("Prepared transaction", prepared or unwritten.prepared, _NAMED),
        ("Sequence", [_goes_back(one) for one in unwritten.sequences], _NAMED),
    )
    return tuple(f"{what}: {one}" for what, found, most in lists if len(found) > most for one in found)


def _start(one: GoesBack) -> str:
    return "its beginning" if one.then is None else f"{one.then:,}"


def _always(unwritten: NotInWal) -> Rows:
    more = "; pg_stat_statements begins anew" if unwritten.statements else ""
    return (("Statistics", f"counters (pg_stat_…) begin at zero; what the planner knows comes back{more}"),)


def _looked(unwritten: NotInWal) -> tuple[str, ...]:
    where = f" in {unwritten.databases} databases" if unwritten.databases else ""
    looked = "configuration files, slots, prepared transactions, unlogged tables, sequences, subscriptions"
    return (f"Looked at: {looked}{where}.", *(f"Not known: {what}." for what in unwritten.unknown))
