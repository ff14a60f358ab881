"""What may be odd about a cluster, as data; and which oddities one cluster gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from tests.clusters.dice import Dice

if TYPE_CHECKING:
    from tests.clusters.case import Case

Hook = Callable[["Case"], None]


SOON = "recovered rightly soon"


def nothing(_: Case) -> None:
    """A kind has nothing to do at this time."""


@dataclass(frozen=True)
class Kind:
    """One oddity.

    Of each `group` a cluster has exactly one, drawn by `share` as a weight; without a group, `share` is how likely it
    is. `refusals` are patterns of reasons for which a recovery may rightly be refused because of it, before anything
    is changed. `off` says why it is not drawn for now. `against` names kinds that cannot be had together with it.
    """

    name: str
    group: str = ""
    share: float = 0.1
    launch: Hook = nothing
    """Before the container is started."""
    filled: Hook = nothing
    """The databases have their first rows; no base backup yet."""
    based: Hook = nothing
    """There is a base backup."""
    spoiled: Hook = nothing
    """All has happened; the recovery is asked for next."""
    refusals: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    off: str = ""


def wanted(kinds: Sequence[Kind], patterns: str) -> list[Kind]:
    """Those that are switched on; or those that `patterns` (names with `*`, by commas) name, and all ordinary ones."""
    if not patterns:
        return [kind for kind in kinds if not kind.off]
    asked = [part.strip() for part in patterns.split(",") if part.strip()]
    ordinary = {group: kind.name for kind in reversed(kinds) if (group := kind.group)}

    def named(kind: Kind) -> bool:
        return any(fnmatch(kind.name, pattern) for pattern in asked)

    unnamed = {group for group in ordinary if not any(named(k) for k in kinds if k.group == group)}
    return [kind for kind in kinds if named(kind) or (kind.group in unnamed and ordinary[kind.group] == kind.name)]


def draw(kinds: Iterable[Kind], dice: Dice, always: bool = False) -> tuple[Kind, ...]:
    """The oddities of one cluster; with `always`, each kind that has no group is taken."""
    kinds, chosen = list(kinds), []
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind)
    for group, members in groups.items():
        if group:
            chosen.append(dice.one(f"group {group}", members, [kind.share for kind in members]))
        else:
            chosen += [kind for kind in members if always or dice.chance(f"kind {kind.name}", kind.share)]
    return tuple(_agreeing([kind for kind in kinds if kind in chosen]))


def _agreeing(chosen: Sequence[Kind]) -> list[Kind]:
    kept: list[Kind] = []
    for kind in chosen:
        names = {other.name for other in kept}
        if not names & set(kind.against) and not any(kind.name in other.against for other in kept):
            kept.append(kind)
    return kept
