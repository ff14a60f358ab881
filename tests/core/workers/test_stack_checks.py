"""What the doctor says of the stack in the settings, and of what is still written the old way."""

from __future__ import annotations

from actions.settings.outside import PagerDutySettings
from actions.settings.settings import Settings
from workers.doctor.stack_checks import check


def test_the_doctor_tells_what_is_on_which_site() -> None:
    [stack] = check(Settings())
    assert (stack.ok, stack.seen) == (True, "10 services in 4 waves on the site main")


def test_the_doctor_says_how_to_write_needs_now() -> None:
    old = PagerDutySettings(depends_on={"nself-hasura": ("nself-postgres",)})
    _, told = check(Settings(pagerduty=old))
    assert told.ok
    assert '[[services]] name = "nself-hasura", needs = ["nself-postgres"]' in told.seen
