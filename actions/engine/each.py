"""A step that is a loop: what is done for each item of a sequence, in waves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class Each:
    """Does the same for each item of `over`: a fact, or a field of the request, that gives a sequence.

    Its functions take the item as `item`. An item is a text or has a `name`, by which the journal knows it. `needs`
    gives the names of the items that must be done before one, so that items form waves: those of a wave are carried
    out side by side, and nothing of the next begins before. What holds for acts holds for each item: its `verify` is
    looked at before it is done again, its `undo` may be repeated, it has `limit` for itself. Items that are `spare`
    fail no run.

    `by_hand` gives the instruction for an item that a person does; empty for one that is done by `do`. The three
    functions of an item alone (`needs`, `by_hand`, `spare`) are asked once, when the loop begins.
    """

    title: str
    over: str
    do: Callable[..., None]
    verify: Callable[..., bool]
    undo: Callable[..., None] | None = None
    needs: Callable[[Any], Iterable[str]] | None = None
    limit: timedelta = timedelta(minutes=5)
    by_hand: Callable[[Any], str] | None = None
    spare: bool | Callable[[Any], bool] = False
    point_of_no_return: bool = False
