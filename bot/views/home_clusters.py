"""The clusters on the home tab: a short section for each."""

from __future__ import annotations

from collections.abc import Sequence

from actions.watch.cluster_words import ClusterWords
from actions.watch.replication_health import ClusterState
from bot.views.mrkdwn import Block, cut, escape, section

_MARKS = {ClusterState.READY: "✓", ClusterState.SLOW: "?", ClusterState.UNKNOWN: "?"}


def blocks(clusters: Sequence[ClusterWords]) -> list[Block]:
    """Each cluster in a section: its state, why, a line for each server, its lag and its slots."""
    return [section(cut(_text(one), 2900)) for one in clusters]


def _text(one: ClusterWords) -> str:
    mark = next((mark for state, mark in _MARKS.items() if state == one.state), "✗")
    lines = [f"{mark} *Replication*: {escape(one.state)}", *map(escape, one.reasons)]
    return "\n".join([*lines, *(f"*{escape(label)}* {escape(text)}" for label, text in one.rows)])
