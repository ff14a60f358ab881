"""A message within Slack's limits: what does not fit goes along as a file, and the message says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.slack.thread_item import ThreadItem, file_item
from bot.views.mrkdwn import Block, escape, size, small

MOST_BLOCKS = 48
# Slack refuses some 13,200 characters over all blocks of a message, a limit that its documents do not name.
MOST_TEXT = 12_000


def fits(blocks: Sequence[Block], share: float = 1.0) -> bool:
    """Whether these blocks fit into such a share of one message."""
    return len(blocks) <= MOST_BLOCKS * share and size(list(blocks)) <= MOST_TEXT * share


def fitting(item: ThreadItem) -> list[ThreadItem]:
    """The item within Slack's limits: what does not fit goes along as a file."""
    if not item.file or item.text == "" or item.key.endswith(":file"):
        return [item]
    name, content = item.file
    bare = replace(item, file=None, more=False)
    long_detail = name.startswith("detail-")
    if fits(item.blocks) and not long_detail and not item.more:
        return [bare]
    note = small(f"The whole of it is in the file {escape(name)}.")
    blocks = (*_shortened(item.blocks), note)
    return [replace(bare, blocks=blocks), file_item(item.key.split(":")[0], item.n, name, content)]


def _shortened(blocks: tuple[Block, ...]) -> list[Block]:
    """As many blocks as fit; the buttons always stay, at their place."""
    fixed = [block for block in blocks if block["type"] == "actions"]
    room, free = MOST_BLOCKS - len(fixed) - 1, MOST_TEXT - 500 - size(fixed)
    kept: list[Block] = []
    full = False
    for block in blocks:
        if block["type"] != "actions":
            full = full or room < 1 or size(block) > free
            if full:
                continue
            room, free = room - 1, free - size(block)
        kept.append(block)
    return kept
