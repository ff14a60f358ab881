"""What is changed: a choice of cosmic-ray's operators, and four of our own for conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator

Place = tuple[tuple[int, int], tuple[int, int]]

# Of each comparison its opposite, and its neighbour at the boundary: whatever tells these apart tells the others.
_COMPARISONS = (
    "Eq_NotEq",
    "NotEq_Eq",
    "Lt_LtE",
    "Lt_GtE",
    "LtE_Lt",
    "LtE_Gt",
    "Gt_GtE",
    "Gt_LtE",
    "GtE_Gt",
    "GtE_Lt",
    "Is_IsNot",
    "IsNot_Is",
)
_SUMS = (
    "Add_Sub",
    "Sub_Add",
    "Mul_FloorDiv",
    "FloorDiv_Mul",
    "Div_Mul",
    "Mod_FloorDiv",
    "BitOr_BitAnd",
    "BitAnd_BitOr",
    "LShift_RShift",
    "RShift_LShift",
)
_OPPOSITE = {"in": " not in", "not in": " in"}
_CHOSEN = (
    *(f"ReplaceComparisonOperator_{name}" for name in _COMPARISONS),
    *(f"ReplaceBinaryOperator_{name}" for name in _SUMS),
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "ZeroIterationForLoop",
)


class _OfACondition(Operator):
    """What puts something else in the place of the condition of an `if`, an `elif`, a ternary or a filter."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        for at in self._conditions(node):
            yield node.children[at].start_pos, node.children[at].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        at = list(self._conditions(node))[index]
        node.children[at] = parso.parse(f" ({self.instead(node.children[at].get_code().strip())})")
        return node

    def instead(self, condition: str) -> str:
        """The other condition. The first is still asked, as it may give a name to a value."""
        raise NotImplementedError

    @staticmethod
    def _conditions(node: Any) -> Iterator[int]:
        if node.type in ("if_stmt", "comp_if"):
            yield from (
                at + 1
                for at, child in enumerate(node.children)
                if child.type == "keyword" and child.value in ("if", "elif")
            )
        elif node.type == "test" and len(node.children) == 5:
            yield 2

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return ()


class Never(_OfACondition):
    """A guard clause that never refuses: the fault that a happy day does not show."""

    def instead(self, condition: str) -> str:
        return f"({condition}) and False"


class Always(_OfACondition):
    """One that always does."""

    def instead(self, condition: str) -> str:
        return f"({condition}) or True"


class DropOperand(Operator):
    """One of the operands of `and` or `or` is left out: each of them has to matter."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        if node.type in ("and_test", "or_test"):
            yield from ((child.start_pos, child.end_pos) for child in node.children[::2])

    def mutate(self, node: Any, index: int) -> Any:
        first = 2 * index
        # The operator goes with it: the one after the first operand, the one before any other.
        gone = range(first, first + 2) if index == 0 else range(first - 1, first + 1)
        node.children = [child for at, child in enumerate(node.children) if at not in gone]
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("a and b and c", " b and c"), Example("a or b", "a", occurrence=1))


class InOrNot(Operator):
    """`in` and `not in`, which cosmic-ray passes over."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        yield from ((node.children[at].start_pos, node.children[at].end_pos) for at in self._those(node))

    def mutate(self, node: Any, index: int) -> Any:
        at = list(self._those(node))[index]
        node.children[at] = parso.parse(_OPPOSITE[_words(node.children[at])])
        return node

    def _those(self, node: Any) -> Iterator[int]:
        if node.type == "comparison":
            yield from (at for at in range(1, len(node.children), 2) if _words(node.children[at]) in _OPPOSITE)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("a in b", "a not in b"),)


def _words(node: Any) -> str:
    return " ".join(node.get_code().split())


def operators() -> dict[str, Operator]:
    """All of them, by name."""
    ours = {made.__name__: made() for made in (Never, Always, DropOperand, InOrNot)}
    return {**ours, **{name: get_operator(f"core/{name}")() for name in _CHOSEN}}
