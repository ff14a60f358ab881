"""One-time codes: each counts once, one step early or late, and too many wrong ones lock."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.engine.errors import Refused
from bot.terminal.one_time_codes import WRONG_TRIES, Codes, Try, judge, locked_until, step_of
from tests.support.bot_world import Clock, store_in

LOCK = timedelta(minutes=5)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Door:
    """Somebody's codes, and the clock they go by."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = store_in(folder, self.clock)
        self.codes = Codes(self.store, "bo", LOCK)

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(SECRET).at(self.clock() + timedelta(seconds=30 * steps))

    def wrong(self) -> str:
        right = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(99)) if code not in right)

    def take(self, code: str) -> None:
        self.codes.must_be_right(SECRET, code)

    def guess(self, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(Refused, match="is wrong"):
                self.take(self.wrong())


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_of_now_or_one_step_beside_is_right(door: Door, steps: int) -> None:
    door.take(door.code(steps))


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_a_code_further_off_is_wrong(door: Door, steps: int) -> None:
    with pytest.raises(Refused, match="is wrong"):
        door.take(door.code(steps))


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "0x1234", "-12345"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert step_of(SECRET, code, Clock()()) == 0


def test_spaces_in_a_code_do_no_harm(door: Door) -> None:
    code = door.code()
    door.take(f" {code[:3]} {code[3:]} ")


def test_a_code_counts_once_also_for_another_process(door: Door) -> None:
    code = door.code()
    door.take(code)
    door.clock.on(29)
    with pytest.raises(Refused, match="used already"):
        Codes(door.store, "bo", LOCK).must_be_right(SECRET, code)
    door.take(door.code(1))


def test_operators_do_not_use_up_each_others_codes(door: Door) -> None:
    door.take(door.code())
    Codes(door.store, "cy", LOCK).must_be_right(SECRET, door.code())


def test_the_fifth_wrong_code_locks_the_right_one_too(door: Door) -> None:
    door.guess(WRONG_TRIES)
    with pytest.raises(Refused, match="Too many") as refused:
        door.take(door.code())
    assert "14:05:00 UTC" in refused.value.detail
    door.clock.on(LOCK.total_seconds() - 1)
    with pytest.raises(Refused, match="Too many"):
        door.take(door.code())
    door.clock.on(1)
    door.take(door.code())


def test_after_a_lock_one_more_wrong_code_locks_again_until_a_right_one(door: Door) -> None:
    door.guess(WRONG_TRIES)
    door.clock.on(LOCK.total_seconds())
    door.guess()
    with pytest.raises(Refused, match="Too many"):
        door.take(door.code())
    door.clock.on(LOCK.total_seconds())
    door.take(door.code())
    door.clock.on(60)
    door.guess(WRONG_TRIES - 1)
    door.take(door.code())


def test_wrong_codes_of_one_do_not_lock_another(door: Door) -> None:
    door.guess(WRONG_TRIES)
    Codes(door.store, "cy", LOCK).must_be_right(SECRET, door.code())


def test_many_at_once_with_the_same_code_are_one(door: Door) -> None:
    code, went = door.code(), list[str]()

    def attempt() -> None:
        try:
            Codes(door.store, "bo", LOCK).must_be_right(SECRET, code)
            went.append("through")
        except Refused as refusal:
            went.append(refusal.message)

    several = [threading.Thread(target=attempt) for _ in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert went.count("through") == 1
    assert went.count("That code was used already.") == 3


@given(st.lists(st.tuples(st.integers(1, 900), st.booleans()), max_size=40))
def test_never_more_than_five_wrong_codes_without_a_lock_between(gaps: list[tuple[int, bool]]) -> None:
    """Whatever is tried and when: within any lock's length after the fifth wrong one nothing is taken."""
    now, tried, in_a_row = Clock()(), list[Try](), 0
    for n, (gap, right) in enumerate(gaps, 1):
        now += timedelta(seconds=gap)
        until = locked_until(tried, LOCK)
        try:
            judge(tried, n if right else 0, now, LOCK)
            tried.append(Try(now, n))
            assert not (until and now < until)
            in_a_row = 0
        except Refused as refusal:
            tried.append(Try(now))
            if refusal.message == "That code is wrong.":
                in_a_row += 1
                assert in_a_row < WRONG_TRIES or locked_until(tried, LOCK) == now + LOCK
