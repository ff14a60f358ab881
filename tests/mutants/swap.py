"""Puts a mutant in the place of what runs, in this process: functions get other code and stay the objects they were.

So nothing has to be imported anew, whoever already holds a function holds the mutant, and a child process that is
forked off a pytest which has collected all tests is ready for a mutant within milliseconds.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

Key = tuple[str, int, bytes]


class Functions:
    """The functions that there are of some files. To be made after all imports."""

    def __init__(self, files: Iterable[str]) -> None:
        self._known: dict[str, list[FunctionType]] = defaultdict(list)
        wanted = frozenset(files)
        # What is frozen is shown to nobody.
        gc.unfreeze()
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in wanted:
                self._known[thing.__code__.co_filename].append(thing)
        gc.freeze()

    def swap(self, file: str, was: str, now: str) -> int:
        """Have the functions of a file run its new source; how many now run something else."""
        there, instead = (compile(text, file, "exec", dont_inherit=True) for text in (was, now))
        others = {_key(old): new for old, new in _pairs(there, instead)}
        swapped = 0
        for function in self._known[file]:
            other = others.get(_key(function.__code__))
            if other is not None and other != function.__code__:
                function.__code__ = other
                swapped += 1
        return swapped


def _key(code: CodeType) -> Key:
    # The table of lines and columns tells two lambdas in one line apart.
    return code.co_qualname, code.co_firstlineno, code.co_linetable


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Each piece of code with what stands in its place."""
    yield old, new
    inside, instead = ([part for part in code.co_consts if isinstance(part, CodeType)] for code in (old, new))
    if [part.co_qualname for part in inside] == [part.co_qualname for part in instead]:
        for one, other in zip(inside, instead, strict=True):
            yield from _pairs(one, other)
