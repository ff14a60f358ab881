"""What people decide on, in a few rows: where to, what comes back, what is lost, how long it is down, what follows.

No figure stands here that is not known. Positions, timelines and identifiers are in the sheets.
"""

from __future__ import annotations

from actions.clock.when import Target
from actions.engine.procedure import Answer
from actions.engine.sheets import CardRow
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.approved_loss import ApprovedLoss
from actions.steps.postgres.count_losses import Lost
from actions.steps.postgres.difference import Difference
from actions.steps.postgres.estimate import Estimate
from actions.steps.postgres.hold import besides_cut_over
from actions.steps.postgres.prepared import PreparedOpen
from actions.steps.postgres.target import Aim
from actions.steps.writers import PAUSE_AND_RESTORE
from actions.wording import counted

NOT_YET = "not known yet; counted in the preview"
Card = tuple[CardRow, ...]
_NAMED = {
    "xid": "the last commit before the named transaction",
    "lsn": "the last commit before the named position",
    "latest": "the last commit of all",
}


def plan_card(target: Target, aim: Aim, lost: Lost, times: Estimate, server: Server, site: SiteConfig) -> Card:
    """Before anything is touched. Which writers are paused stands in the plan above it, when on the buttons."""
    down = "the server is down already; " if server.state != "running" else ""
    return (
        where_to(aim.meant(target), aim),
        CardRow("Comes back", _deleted(lost)),
        CardRow("Lost", _written(lost, server)),
        CardRow("Down", f"{down}{_cut_over(times)}{besides_cut_over(site)}"),
        CardRow("After", "The live data is not touched before the cut-over"),
    )


def prepared_card(target: Target, aim: Aim, prepared: PreparedOpen, mode: Answer) -> Card:
    """Before anybody knows what the clone holds."""
    open_now = f"{counted(len(prepared.all), 'prepared transaction')}, begun and never ended"
    return (
        where_to(aim.meant(target), aim),
        CardRow("Open then", open_now),
        CardRow("Comes back", NOT_YET),
        CardRow("Lost", NOT_YET),
        CardRow("Down", "the writers, since the start" if _paused(mode) else "nothing now"),
        CardRow("After", "It is done at the cut-over, which is asked about next; Discard gives up the copy alone"),
    )


def cut_over_card(
    target: Target,
    aim: Aim,
    mode: Answer,
    difference: Difference,
    loss: ApprovedLoss,
    times: Estimate,
    server: Server,
    site: SiteConfig,
) -> Card:
    """Before the swap, with the clone compared."""
    down = "the writers are paused since the start; " if _paused(mode) else ""
    down = "the server is down already; " if server.state != "running" else down
    return (
        where_to(aim.meant(target), aim),
        CardRow("Comes back", _comes_back(difference)),
        CardRow("Lost", _goes(difference, loss, _paused(mode))),
        *_besides(difference),
        CardRow("Down", f"{down}{_cut_over(times)}{besides_cut_over(site)}"),
        CardRow("Approval", loss.covered_briefly()),
        CardRow("After", "Undo until the writers go on; the old data is kept"),
    )


def where_to(target: Target, aim: Aim) -> CardRow:
    """The moment that was asked for; of a transaction or a position, of the last commit that stays."""
    earlier = "stops earlier than that, as the plan says" if aim.spared else ""
    if target.at is not None:
        return CardRow("To", earlier, target.at)
    named = _NAMED.get(target.kind, "")
    if aim.stop.last_commit_at is None:
        return CardRow("To", f"{named}: nothing committed since the base backup stays" if named else "the base backup")
    return CardRow("To", "; ".join(filter(None, (named, earlier))), aim.stop.last_commit_at)


def _paused(mode: Answer) -> bool:
    return mode.option == PAUSE_AND_RESTORE


def _cut_over(times: Estimate) -> str:
    guess = " (a guess)" if "cut-over" in times.guessed else ""
    return f"about {times.cut_over:.0f} s at the cut-over{guess}"


def _deleted(lost: Lost) -> str:
    """What was deleted since. How much of it comes back only the comparison tells."""
    if not lost.counted:
        return NOT_YET
    tables = [table for table in lost.tables if table.deleted]
    rows = sum(table.deleted for table in tables)
    parts = [f"{_least(lost)}{counted(rows, 'row')} of {counted(len(tables), 'table')} deleted since"] if rows else []
    if lost.removed:
        what = "table or index" if lost.removed == 1 else "tables or indexes"
        parts.append(f"{lost.removed:,} {what} dropped, emptied or rewritten since")
    return f"{' and '.join(parts)}; compared in the preview" if parts else "no rows were deleted since"


def _written(lost: Lost, server: Server) -> str:
    """What was added or changed since, and that more may follow."""
    if not lost.counted:
        return NOT_YET
    rows = sum(table.inserted + table.updated for table in lost.tables)
    more = "" if server.state != "running" else ", and what is written until the writers stop"
    if not rows and not lost.commits:
        return f"nothing so far{more}"
    return f"{_least(lost)}{_rows(rows)} added or changed{more}"


def _least(lost: Lost) -> str:
    """Rows of tables whose name nobody knows any more are in the sum alone."""
    return "at least " if sum(table.rows for table in lost.tables) < lost.rows else ""


def _comes_back(difference: Difference) -> str:
    if not difference.compared:
        return f"not known: {difference.says()}"
    about = _about(difference) if difference.comes_back else ""
    return f"{about}{_rows(difference.comes_back)}{_unread(difference)}"


def _goes(difference: Difference, loss: ApprovedLoss, paused: bool) -> str:
    if not difference.compared:
        if not loss.counted:
            return "not known: what was written since the target was not counted in time"
        rows, commits = counted(loss.rows, "row"), counted(loss.commits, "commit")
        return f"{rows} added, changed or deleted since the target, in {commits}; not compared"
    lost = {"": difference.goes, "the changes of ": difference.changes}
    parts = [f"{what}{_about(difference)}{counted(number, 'row')}" for what, number in lost.items() if number]
    pace = f"; about {loss.pace:,.0f} rows a second more" if (loss.pace or 0) >= 1 and not paused else ""
    return f"{' and '.join(parts) or 'no rows'}{pace}{_unread(difference)}"


def _besides(difference: Difference) -> Card:
    number = len(difference.besides)
    return (
        (CardRow("Besides", f"{counted(number, 'difference')} that no row shows; see the preview"),) if number else ()
    )


def _rows(number: int) -> str:
    return counted(number, "row") if number else "no rows"


def _about(difference: Difference) -> str:
    return "about " if difference.about else ""


def _unread(difference: Difference) -> str:
    left = len(difference.not_compared)
    return f"; {left:,} more not compared" if left else ""
