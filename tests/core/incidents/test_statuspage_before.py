"""What a component becomes when an incident of ours is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from workers.statuspage.before import Before, restored, taken


@dataclass
class Report:
    """One that is not over."""

    id: str = "r1"
    ours: str = ""
    touched: dict[str, str] = field(default_factory=dict)
    before: dict[str, Before] = field(default_factory=dict)


HELD = {"db": "major_outage"}
WORN = Before(status="under_maintenance")


@pytest.mark.parametrize("status", ["under_maintenance", "degraded_performance", "partial_outage"])
def test_it_becomes_what_it_was(status: str) -> None:
    before = taken(["db", "api"], {"db": status, "api": "operational"}, [])
    assert restored(["db", "api"], before, []) == {"db": status, "api": "operational"}


def test_what_another_incident_of_ours_has_set_is_no_state_of_its_own() -> None:
    other = Report(ours="i1", touched=HELD, before={"db": WORN})
    assert taken(["db"], HELD, [other]) == {"db": WORN}
    assert taken(["db"], HELD, [Report(ours="i1", touched=HELD)]) == {}
    assert restored(["db"], {"db": WORN}, [other]) == {}


def test_what_somebody_elses_report_made_of_it_lasts_as_long_as_that_report() -> None:
    theirs = Report("m1", touched={"db": "under_maintenance"})
    before = taken(["db"], {"db": "under_maintenance"}, [theirs])
    assert restored(["db"], before, [theirs]) == {"db": "under_maintenance"}
    assert restored(["db"], before, []) == {"db": "operational"}


def test_what_somebody_took_meanwhile_is_left_to_them() -> None:
    assert restored(["db"], {}, [Report(touched=HELD)]) == {}
