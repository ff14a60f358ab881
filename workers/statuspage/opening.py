"""Opens the status page that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from actions.engine.errors import Refused
from actions.settings.outside import PagerDutySettings, StatusPageSettings
from actions.settings.settings import Settings
from actions.tools.outside import Draft, Published, StatusPage
from workers.statuspage.atlassian import AtlassianPage
from workers.statuspage.page_files import FilesPage
from workers.statuspage.page_rate import pace_for
from workers.statuspage.pagerduty_page import HEADERS, PagerDutyPage
from workers.statuspage.rest import Rest

_ATLASSIAN = "https://api.statuspage.io/v1"
_SECONDS_APART = 1.0
_SECONDS_APART_PAGERDUTY = 0.1  # 960 a minute are allowed


class OpenPage(StatusPage, Protocol):
    """A page that can also say what it consists of, and be closed."""

    def components(self) -> Mapping[str, str]:
        """The page's components by id, as settings may name them."""

    def close(self) -> None:
        """Close its connections."""


class WronglySet:
    """Stands for a page whose settings cannot be; whatever it is asked, it says what to correct."""

    name = "status page"

    def __init__(self, wrong: Refused) -> None:
        self._wrong = wrong

    def find(self, incident: str) -> Published | None:
        """Refuses."""
        raise self.refusal()

    def publish(self, draft: Draft) -> Published:
        """Refuses."""
        raise self.refusal()

    def components(self) -> Mapping[str, str]:
        """Refuses."""
        raise self.refusal()

    def close(self) -> None:
        """Nothing is open."""

    def refusal(self) -> Refused:
        """What has to be corrected."""
        return Refused(self._wrong.message, code=self._wrong.code, detail=self._wrong.detail, hint=self._wrong.hint)


def open_page(
    settings: StatusPageSettings,
    clock: Callable[[], datetime],
    pagerduty: PagerDutySettings | None = None,
    *,
    seconds_apart: float = _SECONDS_APART,
) -> OpenPage | None:
    """The page, None where the settings name none. Nothing is asked of it yet.

    Settings that cannot be are told by the page when it is used: nothing else has to wait for them.
    """
    try:
        return _opened(settings, clock, pagerduty or PagerDutySettings(), seconds_apart)
    except Refused as wrong:
        return WronglySet(wrong)


def opener(settings: Settings, clock: Callable[[], datetime]) -> Callable[[], StatusPage] | None:
    """What opens the page anew for each errand, None where the settings name none."""

    def opened() -> StatusPage:
        page = open_page(settings.statuspage, clock, settings.pagerduty)
        assert page
        return page

    return opened if settings.statuspage.kind else None


def _opened(
    settings: StatusPageSettings, clock: Callable[[], datetime], pagerduty: PagerDutySettings, seconds_apart: float
) -> OpenPage | None:
    if settings.kind == "files":
        path = Path(_needed(settings.path, "path", "the directory of its files"))
        names = tuple(dict.fromkeys(settings.components.values()))
        return FilesPage(path, clock, settings.public_url, names)
    if settings.kind == "statuspage":
        token = _needed_secret(settings.token)
        rest = _rest(
            "Statuspage", settings.api_url or _ATLASSIAN, {"Authorization": f"OAuth {token}"}, settings, seconds_apart
        )
        return AtlassianPage(rest, _page(settings), settings.public_url)
    return _pagerduty(settings, pagerduty) if settings.kind == "pagerduty" else None


def _pagerduty(settings: StatusPageSettings, pagerduty: PagerDutySettings) -> PagerDutyPage:
    """PagerDuty's own key and address serve where the status page has none of its own."""
    token = _needed_secret(settings.token if settings.token.get_secret_value() else pagerduty.token)
    trusted = settings.model_copy(update={"ca_file": settings.ca_file or pagerduty.ca_file})
    headers = HEADERS | {"Authorization": f"Token token={token}"}
    rest = _rest("PagerDuty", settings.api_url or pagerduty.api_url, headers, trusted, _SECONDS_APART_PAGERDUTY)
    return PagerDutyPage(rest, _page(settings), settings.public_url)


def _rest(name: str, url: str, headers: dict[str, str], settings: StatusPageSettings, seconds: float) -> Rest:
    pace = pace_for(url, headers["Authorization"], seconds)
    return Rest(name, url, headers, pace, ca_file=settings.ca_file)


def _page(settings: StatusPageSettings) -> str:
    page = _needed(settings.page, "page", "the page's id")
    if not page.isalnum():
        raise Refused(
            f"'{page}' is no id of a status page.", code="MD-SP-008", hint="Correct `statuspage.page` in the settings."
        )
    return page


def _needed(value: str, name: str, what: str) -> str:
    if not value:
        raise Refused(
            "The status page is not set up.",
            code="MD-SP-009",
            detail=f"`statuspage.{name}` is empty.",
            hint=f"Put {what} there; docs/configuration.md lists every setting.",
        )
    return value


def _needed_secret(token: SecretStr) -> str:
    return _needed(token.get_secret_value(), "token", "its key")
