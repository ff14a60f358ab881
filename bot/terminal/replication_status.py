"""How the clusters stand, in a terminal: from what workers saw, so also while servers are down."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from actions.engine.facts import to_json
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.watch.cluster_status import ClusterStatus, statuses
from actions.watch.cluster_words import named, words_of
from bot.terminal.options import Config, Json
from bot.terminal.records import aligned, show_json
from bot.terminal.session import Session, session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def _replication() -> None:
    """Primaries and their standbys: roles, lag, slots, last probe."""


@app.command()
def status(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """Roles, lag, slots, last probe, and one word for each cluster; no server is asked."""
    with session(ctx, config, json_) as here:
        found = clusters(here.settings, here.store)
        if json_:
            return show_json([_document(one) for one in found])
        if not found:
            here.out.print('No standby is in the settings: one says follows = "…" in its [[services]] table.')
        for one in found:
            _told(here, one)
    return None


def clusters(settings: Settings, store: Store) -> tuple[ClusterStatus, ...]:
    """All clusters of the settings, judged now."""
    return statuses(store, settings.stack(), settings.failover.dead_seconds, store.clock())


def _document(one: ClusterStatus) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "state": verdict.state,
        "primary": named(verdict.primary),
        "standby": named(verdict.standby) if verdict.standby is not None else None,
        "since": verdict.since,
        "signs": verdict.signs,
        "reasons": verdict.reasons,
        "servers": {named(who): to_json(record) for who, record in one.records.items()},
    }


def _told(here: Session, one: ClusterStatus) -> None:
    words = words_of(one, here.store.clock())
    here.out.print(Text(f"{named(one.verdict.primary)}: {words.state}", style="bold"))
    for reason in words.reasons:
        here.out.print(f"  {reason}", markup=False)
    aligned(here.out, words.rows)
