"""A practice company whose town has said enough and is silent, so that what is lost can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import town_process
from lab.notes import read
from tests.support.practice import Practice, practice_company

_SAID = 20


@contextmanager
def quiet_company(root: Path, name: str) -> Iterator[Practice]:
    """A company that is up, where nobody writes any more after the first messages."""
    with practice_company(root, name) as company:
        company.until(lambda: len(list(read(company.lab.truth_file))) > _SAID, 30, "the town talks")
        town_process.stop(company.lab)
        yield company
