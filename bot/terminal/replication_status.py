"""Clusters in a terminal: how they stand, from what workers saw, so also while servers are down; and building one."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from actions.engine.facts import to_json
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.watch.cluster_status import ClusterStatus, statuses
from actions.watch.cluster_words import named, words_of
from bot.terminal.carry_on import How
from bot.terminal.heard_words import heard
from bot.terminal.options import Config, Follow, Foreground, Json
from bot.terminal.records import aligned, show_json
from bot.terminal.session import Session, session

Named = Annotated[list[str] | None, typer.Argument(help="The standby's name, where there are several.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def _replication() -> None:
    """Primaries and their standbys: how they stand, and building one."""


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


@app.command()
def setup(
    ctx: typer.Context,
    words: Named = None,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Build a standby from a base backup of its primary: a plan first, as in Slack."""
    with session(ctx, config, json_) as here:
        heard(here, ["postgres", "replication", "setup", *(words or [])], "recover", How(follow, foreground))


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
