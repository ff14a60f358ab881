"""A step's function that cannot be called is found when the catalog is imported, not at three in the morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from actions.engine.injection import Miswired, call, check, fact_types
from actions.engine.procedure import Act, Answer, Ask, Look, Procedure
from tests.support.worlds.toys import PAINT, TOOLS, House, Wall, see_wall


def with_look(look: object, gives: str = "extra", at: int = 1) -> Procedure:
    return replace(PAINT, steps=(*PAINT.steps[:at], Look("an extra look", look, gives=gives), *PAINT.steps[at:]))  # type: ignore[arg-type]


def takes_nobody(nobody: int) -> Wall:
    return Wall(nobody)


def takes_wall_as_text(wall: str) -> Wall:
    return Wall(len(wall))


def takes_wall(wall: Wall) -> Wall:
    return wall


def test_a_procedure_whose_steps_fit_is_fine() -> None:
    check(PAINT, TOOLS)


def test_a_value_that_nobody_gives_is_named_with_its_step_and_function() -> None:
    with pytest.raises(Miswired, match=r"paint, step 'an extra look', takes_nobody: nobody gives 'nobody'"):
        check(with_look(takes_nobody), TOOLS)


def test_a_value_of_another_type_is_named() -> None:
    with pytest.raises(Miswired, match=r"'wall' is .*Wall.*, not .*str"):
        check(with_look(takes_wall_as_text), TOOLS)


def test_a_fact_cannot_be_taken_before_it_was_found() -> None:
    with pytest.raises(Miswired, match="nobody gives 'wall' at this point"):
        check(with_look(takes_wall, at=0), TOOLS)
    check(with_look(takes_wall, at=1), TOOLS)


def test_a_missing_tool_is_named() -> None:
    without = {name: tool for name, tool in TOOLS.items() if name != "house"}
    with pytest.raises(Miswired, match="see_wall: nobody gives 'house'"):
        check(PAINT, without)


@pytest.mark.parametrize("part", ["do", "verify", "undo"])
def test_every_function_of_an_act_is_checked(part: str) -> None:
    bad = replace(PAINT.steps[2], **{part: takes_nobody})
    with pytest.raises(Miswired, match="put up the scaffold"):
        check(replace(PAINT, steps=(*PAINT.steps[:2], bad, *PAINT.steps[3:])), TOOLS)


def test_the_sheets_of_a_question_and_the_report_are_checked() -> None:
    with pytest.raises(Miswired, match="Paint it"):
        check(replace(PAINT, steps=(PAINT.steps[0], replace(PAINT.steps[1], sheets=takes_nobody))), TOOLS)
    with pytest.raises(Miswired, match="report"):
        check(replace(PAINT, report=takes_nobody), TOOLS)  # type: ignore[arg-type]


def test_a_function_is_called_with_just_what_it_names() -> None:
    assert call(takes_wall, {"wall": Wall(3), "house": House(), "now": datetime.max}) == Wall(3)
    assert call(see_wall, {"house": House(bricks=7), "colour": "red"}).bricks == 7


def test_the_types_of_all_facts_are_known() -> None:
    assert fact_types(PAINT) == {"wall": Wall, "first": Answer, "seen": Wall, "second": Answer}
    assert isinstance(PAINT.steps[1], Ask)
    assert isinstance(PAINT.steps[2], Act)
