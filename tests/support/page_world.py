"""A practice status page that runs, and our adapter to it, for the tests of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actions.settings.outside import StatusPageSettings
from actions.tools.outside import Draft
from lab.statuspage.server import Listening, running_statuspage
from lab.statuspage.world import PAGE, SERVICES, TOKEN
from tests.support.waiting import now
from workers.statuspage.opening import OpenPage, open_page

DATA, API = SERVICES["postgres"][0], SERVICES["hasura"][0]
DRAFT = Draft(
    "INC-42",
    "Messages are missing",
    "investigating",
    "We are looking into it.",
    "critical",
    {DATA: "major_outage"},
    notify=False,
)


def settings_of(api_url: str, **more: object) -> StatusPageSettings:
    given = {"kind": "statuspage", "page": PAGE, "token": TOKEN, "api_url": api_url, "components": {"db": DATA}}
    return StatusPageSettings.model_validate(given | more)


def adapter(api_url: str, seconds_apart: float = 0.01, **more: object) -> OpenPage:
    page = open_page(settings_of(api_url, **more), now, seconds_apart=seconds_apart)
    assert page
    return page


@pytest.fixture
def public() -> Iterator[Listening]:
    """The stand-in, with its inside in `world`."""
    with running_statuspage() as running:
        yield running


@pytest.fixture
def page(public: Listening) -> Iterator[OpenPage]:
    """Our adapter to it."""
    opened = adapter(public.api_url)
    yield opened
    opened.close()
