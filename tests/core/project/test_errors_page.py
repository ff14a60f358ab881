"""The tool that numbers errors and writes docs/errors.md: new ones get new numbers, all others keep theirs."""

from __future__ import annotations

import pytest

from tests.errors import page
from tests.errors.numbering import numbered
from tests.errors.said import hints_of, message_of
from tests.errors.source import product, raises

CLASSES = "class RecoveryError(Exception): ...\nclass Refused(RecoveryError): ...\nclass Away(RecoveryError): ...\n"


def module(*calls: str) -> dict[str, str]:
    """A small product: the classes, and one module in which these are raised."""
    raised = "\n".join(f"def f{i}(run, name):\n    raise {call}" for i, call in enumerate(calls))
    return {"actions/engine/errors.py": CLASSES, "actions/clock/new.py": raised}


def codes(texts: dict[str, str]) -> list[str | None]:
    return [one.code for one in raises(texts)]


def written(texts: dict[str, str], before: str = "") -> str:
    return page.page(texts, before, {})


@pytest.mark.rules
def test_the_page_is_that_of_the_source() -> None:
    text = page.PAGE.read_text()
    assert page.page(product(), text, page.notes()) == text, "run: make errors"


def test_new_errors_get_the_next_numbers_and_the_others_keep_theirs() -> None:
    texts = module('Refused("A.")', 'Refused("B.", code="MD-WHEN-007", hint="b")', 'RecoveryError("C.", detail="c")')
    made = numbered(texts, {})
    assert codes(made) == ["MD-WHEN-008", "MD-WHEN-007", "MD-WHEN-009"]
    assert 'RecoveryError("C.", code="MD-WHEN-009", detail="c")' in made["actions/clock/new.py"]
    assert numbered(made, {}) == made


def test_a_number_that_was_ever_given_is_not_given_again() -> None:
    before = written(module('Refused("A.", code="MD-WHEN-001")', 'Refused("B.", code="MD-WHEN-002")'))
    without = module('Refused("A.", code="MD-WHEN-001")')
    later = written(without, before)
    assert "- `MD-WHEN-002`: B.\n" in later
    assert "### MD-WHEN-002" not in later
    # Retired once, retired for good.
    assert written(without, later) == later
    more = module('Refused("A.", code="MD-WHEN-001")', 'Refused("C.")')
    assert codes(numbered(more, page.known(later))) == ["MD-WHEN-001", "MD-WHEN-003"]


def test_an_error_whose_code_was_lost_gets_it_back() -> None:
    before = page.known(written(module('Refused(f"No {name}.", code="MD-WHEN-004")', 'Refused("B.")')))
    moved = {
        **module(),
        "bot/elsewhere.py": 'def f(name):\n    raise Refused(f"No {name}.")\ndef g():\n    raise Refused("B.")',
    }
    assert codes(numbered(moved, before)) == ["MD-WHEN-004", "MD-CMD-001"]


def test_a_code_that_still_stands_somewhere_is_not_lost() -> None:
    before = page.known(written(module('Refused("A.", code="MD-WHEN-001")')))
    again = module('Refused("A.", code="MD-WHEN-001")', 'Refused("A.")')
    assert codes(numbered(again, before)) == ["MD-WHEN-001", "MD-WHEN-002"]


def test_an_area_can_be_said_and_is_numbered() -> None:
    assert codes(numbered(module('Refused("A.", code="MD-ST", hint="b")'), {"MD-ST-004": ""})) == ["MD-ST-005"]


def test_a_code_is_put_into_place_behind_letters_of_several_bytes() -> None:
    made = numbered(
        module('Refused("“Ä” — ‹no›.", hint="b") from Refused(\n        "Two",\n        hint="c",\n    )'), {}
    )
    assert codes(made) == ["MD-WHEN-001", "MD-WHEN-002"]
    assert (
        'Refused("“Ä” — ‹no›.", code="MD-WHEN-001", hint="b") from Refused(\n        "Two", code='
        in (made["actions/clock/new.py"])
    )


def test_what_is_filled_in_has_a_name() -> None:
    said = (
        'Refused(f"{run.id} of {server.service}: {name[:40]!r} {data[\'key\']} {", ".join(names)} {spell(moment):%H}.")'
    )
    (one,) = raises(module(said.replace('", ".join', "', '.join")))
    assert message_of(one) == "‹run› of ‹service›: ‹name› ‹key› ‹names› ‹moment›."


def test_a_message_is_found_where_it_is_made() -> None:
    text = """
_LATER = "Later."
_TABLE = {1: ("One.", "Do one."), 2: ("Two.", "Do two.")}

def _todo(status):
    if status:
        return f"Look at {status}."
    return _LATER

def f(status):
    message, hint = _TABLE[status]
    raise RecoveryError(message, hint=hint)

def g(status):
    raise RecoveryError("A" if status else "B", hint=_todo(status))
"""
    table, ways = raises({"actions/engine/errors.py": CLASSES, "actions/x.py": text})
    assert (message_of(table), hints_of(table)) == ("One. / Two.", ["Do one.", "Do two."])
    assert (message_of(ways), hints_of(ways)) == ("A / B", ["Look at ‹status›.", "Later."])


def test_the_page_says_what_to_do_for_each_way_and_what_mayday_does_itself() -> None:
    text = 'def f():\n    raise Away("A.", code="MD-DK-001", hint="Wait." if x else "Look.")'
    said = page.page(
        {"actions/engine/errors.py": CLASSES, "workers/docker/x.py": text}, "", {"MD-DK-001": {"meaning": "It means."}}
    )
    entry = said[said.index("### MD-DK-001") :]
    assert entry == (
        "### MD-DK-001\n\n**A.**\n\nIt means.\n\nWhat to do, by what was seen:\n\n- Wait.\n- Look.\n\n"
        "*Tried again by itself for a while. workers/docker/x.py*\n"
    )
