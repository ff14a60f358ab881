"""What will be lost, as people read it before they agree: the sums first, then the tables."""

from __future__ import annotations

from collections.abc import Sequence

from actions.clock.times import spell
from actions.engine.sheets import Sheet
from actions.steps.postgres.count_losses import Lost
from actions.steps.postgres.write_rate import until_they_stop
from actions.wording import counted

_SHOWN = 12


def lost_sheet(lost: Lost, running: bool) -> Sheet:
    """What will be lost: the tables with the most rows; all of them are in the file that goes along.

    Writers of a server that is `running` write on until they are paused.
    """
    more = until_they_stop(lost.transactions, lost.rows, lost.commits) if running else ""
    until = (("Until the writers stop", more),) if more else ()
    if not lost.counted:
        notes = ("There is too much WAL after the target to count it now; the preview compares the data itself.",)
        return Sheet("What will be lost", until, notes)
    brief = _in_brief(lost)
    rows = [*brief, ("Commits", f"{lost.commits:,}"), *until]
    if lost.first_at and lost.last_at:
        rows.append(("Between", f"{spell(lost.first_at)} and {spell(lost.last_at)}"))
    told = [(t.table, _row_words(t.inserted, t.updated, t.deleted)) for t in lost.tables]
    rows += told[:_SHOWN]
    if left := lost.tables[_SHOWN:]:
        rows.append((f"and {len(left):,} more tables", f"{sum(table.rows for table in left):,} rows"))
    marks = (("Last row kept", lost.last_kept), ("First row lost", lost.first_lost))
    rows += [(label, text) for label, text in marks if text]
    notes = (f"{lost.removed} tables or indexes were dropped, truncated or rewritten since; they come back.",)
    whole = tuple(f"{table}: {words}" for table, words in told[_SHOWN:])
    labels = tuple(label for label, _ in brief)
    shown = notes if lost.removed else ()
    return Sheet("What will be lost", tuple(rows), shown, whole=whole, essential=labels, carded=labels)


def _in_brief(lost: Lost) -> list[tuple[str, str]]:
    """The two sums that people ask for."""
    written = [table.inserted + table.updated for table in lost.tables]
    deleted = [table.deleted for table in lost.tables]
    back = [f"{_sum_words(deleted)} that were deleted"] if any(deleted) else []
    files = "table or index" if lost.removed == 1 else "tables or indexes"
    back += [f"{lost.removed:,} {files} dropped, truncated or rewritten since"] if lost.removed else []
    gone = f"{_sum_words(written)}, in {counted(lost.commits, 'commit')}"
    return [("Lost", gone), *([("Comes back", ", ".join(back))] if back else [])]


def _sum_words(rows: Sequence[int]) -> str:
    return f"{counted(sum(rows), 'row')} of {counted(sum(map(bool, rows)), 'table')}" if any(rows) else "no rows"


def _row_words(inserted: int, updated: int, deleted: int) -> str:
    told = ((inserted, "inserted"), (updated, "updated"), (deleted, "deleted (they come back)"))
    return ", ".join(f"{n:,} {what}" for n, what in told if n) or "no rows"
