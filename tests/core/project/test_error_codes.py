"""Each error of the product has a code of its own, and docs/errors.md has every code and no other."""

from __future__ import annotations

import ast
import re

import pytest

from tests.errors import page
from tests.errors.areas import AREAS, CODE
from tests.errors.numbering import WrongCode, check
from tests.errors.source import Raise, product, raises

pytestmark = pytest.mark.rules

HINT = "run: make errors"


def made() -> list[Raise]:
    return raises(product())


def one(call: str) -> list[Raise]:
    return raises({"actions/engine/new.py": f"raise {call}"})


def test_every_error_has_a_code_or_hands_on_that_of_another_one() -> None:
    assert [each.where for each in made() if each.code is None] == [], HINT


def test_every_code_is_one_of_a_known_area_and_stands_at_one_place() -> None:
    check(made())
    assert [each.where for each in made() if each.code and not CODE.fullmatch(each.code)] == [], HINT


def test_the_page_has_every_code_and_no_other() -> None:
    codes = {each.code for each in made() if each.code}
    listed = {line.removeprefix("### ") for line in page.PAGE.read_text().splitlines() if line.startswith("### ")}
    assert listed == codes, HINT


def test_every_note_is_about_an_error_that_there_is() -> None:
    assert set(page.notes()) - {each.code for each in made()} == set()


def test_every_error_of_the_page_says_what_to_do() -> None:
    entries = page.PAGE.read_text().split("\n### ")[1:]
    assert [entry.splitlines()[0] for entry in entries if "What to do" not in entry] == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("Refused('No.')", None),
        ("errors.RecoveryError('No.', code=some)", None),
        ("RecoveryError('No.', code=f'MD-{n}')", None),
        ("RecoveryError('No.', code='MD-RUN-001')", "MD-RUN-001"),
        ("RecoveryError(it.message, code=it.code)", ""),
    ],
)
def test_what_counts_as_a_code(call: str, code: str | None) -> None:
    text = f"class Refused(RecoveryError): ...\nraise {call}"
    (found,) = raises({"actions/x.py": text})
    assert found.code == code


@pytest.mark.parametrize("code", ["MD-XX-001", "MD-RUN-1", "RUN-001", "MD-RUN-001a", "MD-"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(WrongCode, match=r"new\.py:1: "):
        check(one(f"RecoveryError('No.', code={code!r})"))


def test_one_code_for_two_errors_is_refused() -> None:
    with pytest.raises(WrongCode, match=r"MD-RUN-001 is that of actions/engine/new\.py:1"):
        check(one("RecoveryError('No.', code='MD-RUN-001') from RecoveryError('Yes.', code='MD-RUN-001')"))


def test_a_class_that_is_made_of_an_error_anywhere_is_one_too() -> None:
    texts = {
        "bot/a.py": "class Mine(Busy): ...",
        "actions/b.py": "class Busy(errors.RecoveryError): ...",
        "bot/c.py": "raise a.Mine('No.')",
    }
    assert [each.where for each in raises(texts)] == ["bot/c.py:1"]


def test_an_error_is_put_into_words_at_one_place() -> None:
    """Who joins the parts by hand leaves the code out."""
    by_hand = re.compile(r"(\w+)\.message\b.*\b\1\.(detail|hint)\b")
    wrong = [
        f"{place}:{number}"
        for place, text in product().items()
        for number, line in enumerate(text.splitlines(), 1)
        if by_hand.search(line) and "code" not in line
    ]
    assert wrong == [], "use its words(), or said"


def test_every_area_is_said_in_capital_letters_and_is_used() -> None:
    assert [area for area in AREAS if not area.isupper()] == []
    assert {CODE.fullmatch(each.code)[1] for each in made() if each.code} == set(AREAS)  # type: ignore[index]


def test_every_error_is_given_its_message_first() -> None:
    assert [each.where for each in made() if not each.call.args or isinstance(each.call.args[0], ast.Starred)] == []
