"""What an answer says of a limit is kept, up to the minute that calls are counted over."""

from __future__ import annotations

import re

import pytest

from actions.engine.errors import Away
from workers.api_rate import ApiRate


@pytest.mark.parametrize(
    ("reset", "longest"),
    [("12", 12), ("86400", 60), ("9" * 400, 60), ("²", 1)],
)
def test_nobody_keeps_pages_back_for_days(reset: str, longest: int) -> None:
    pace = ApiRate(per_second=50, burst=2)
    pace.learn(429, {"ratelimit-reset": reset})
    with pytest.raises(Away) as refused:
        pace.wait(longest=0.0)
    (seconds,) = re.findall(r"free again in (\d+) s", refused.value.detail)
    assert int(seconds) <= longest


@pytest.mark.parametrize("left", ["0", "²", "9" * 5000])
def test_what_is_left_is_read_whatever_it_is(left: str) -> None:
    pace = ApiRate(per_second=50, burst=2)
    pace.learn(200, {"ratelimit-remaining": left, "ratelimit-reset": "30"})
    if left == "0":
        with pytest.raises(Away):
            pace.wait(longest=0.0)
    else:
        pace.wait(longest=0.0)
