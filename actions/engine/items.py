"""The items of a loop as a run's journal tells them: which there are, and how far each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from actions.engine.run_parts import Failure


@dataclass(frozen=True)
class Item:
    """One item as it was when its loop began. `value` is its JSON, `by_hand` the instruction where a person does it."""

    name: str
    wave: int
    needs: tuple[str, ...] = ()
    spare: bool = False
    by_hand: str = ""
    value: Any = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Item:
        """The item that an entry tells."""
        return cls(**{**told, "needs": tuple(told.get("needs") or ())})


@dataclass(frozen=True)
class Items:
    """All items of one loop. `failed` are those of the present try; an item that was `missed` is done, too."""

    all: tuple[Item, ...]
    began: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()
    failed: dict[str, Failure] = field(default_factory=dict)
    undone: frozenset[str] = frozenset()

    def named(self, name: str) -> Item:
        """The item of that name."""
        return next(item for item in self.all if item.name == name)

    @property
    def left(self) -> tuple[Item, ...]:
        """Those that are not done."""
        return tuple(item for item in self.all if item.name not in self.done)

    @property
    def due(self) -> tuple[Item, ...]:
        """Those of the wave at hand that are neither done nor failed. A wave is at hand until all of it is done."""
        wave = min((item.wave for item in self.left), default=0)
        return tuple(item for item in self.left if item.wave == wave and item.name not in self.failed)

    def lacks(self, item: Item) -> tuple[str, ...]:
        """What an item needs and will not get."""
        return tuple(name for name in item.needs if name in self.missed)

    @property
    def to_undo(self) -> str:
        """The newest that began and was not taken back; empty where there is none."""
        return next((name for name in reversed(self.began) if name not in self.undone), "")

    # As entries tell it ----------------------------------------------------------------------------

    def begun(self, name: str) -> Items:
        """One begins, perhaps again."""
        return self if name in self.began else replace(self, began=(*self.began, name))

    def settled(self, name: str, *, missed: bool) -> Items:
        """One is done, or left out for good."""
        return replace(self, done=self.done | {name}, missed=self.missed | ({name} if missed else frozenset()))

    def fell(self, name: str, failure: Failure) -> Items:
        """One has failed; its neighbours go on."""
        return replace(self, failed={**self.failed, name: failure})

    def taken_back(self, name: str) -> Items:
        """One was undone."""
        return replace(self, undone=self.undone | {name})
