"""Notes of who was told of a question that cannot be read, or fit no journal: they keep nobody else from being told."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.approval_requests import NOTE
from tests.core.bot.test_approver_messages import Scene


@pytest.mark.parametrize(
    "kept",
    [
        {"run": "r0101-zzzz", "n": 3, "people": ["U0DBA"]},
        {"run": "r0101-zzzz", "n": 3, "people": ["U0DBA"], "of_a_later_version": True},
        {"run": "r0101-zzzz"},
    ],
)
def test_a_note_that_is_of_no_use_holds_up_no_other_question(kept: dict[str, Any]) -> None:
    scene = Scene()
    scene.bot.store.keep(NOTE, "r0101-zzzz:3", kept)
    scene.starts_anew()
    scene.asks()
    scene.goes_on()
    assert sorted(scene.direct()) == ["D0APPROVER", "D0DBA"]


def test_a_note_of_the_very_question_that_cannot_be_read_has_it_told_anew() -> None:
    scene = Scene()
    n = scene.asks()
    scene.bot.store.keep(NOTE, f"{scene.worker.run}:{n}", {"of_a_later_version": True})
    scene.starts_anew()
    scene.goes_on()
    assert sorted(scene.direct()) == ["D0APPROVER", "D0DBA"]
