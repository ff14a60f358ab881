"""Opens the status page that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from actions.engine.errors import Refused
from actions.outside import StatusPage
from actions.settings import PagerDutySettings, StatusPageSettings
from workers.statuspage.atlassian import AtlassianPage
from workers.statuspage.files import FilesPage
from workers.statuspage.pace import pace_for
from workers.statuspage.pagerduty import HEADERS, PagerDutyPage
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


def open_page(
    settings: StatusPageSettings, clock: Callable[[], datetime], pagerduty: PagerDutySettings | None = None,
    *, seconds_apart: float = _SECONDS_APART,
) -> OpenPage | None:  # fmt: skip
    """The page, None where the settings name none. Nothing is asked of it yet.

    Raises:
        Refused: a setting that this kind of page needs is missing or cannot be.
    """
    if settings.kind == "files":
        path = Path(_needed(settings.path, "path", "the directory of its files"))
        names = tuple(dict.fromkeys(settings.components.values()))
        return FilesPage(path, clock, settings.public_url, names)
    if settings.kind == "statuspage":
        token = _needed_secret(settings.token)
        rest = _rest("Statuspage", settings.api_url or _ATLASSIAN, {"Authorization": f"OAuth {token}"}, settings,
                     seconds_apart)  # fmt: skip
        return AtlassianPage(rest, _page(settings), settings.public_url)
    return _pagerduty(settings, pagerduty or PagerDutySettings()) if settings.kind == "pagerduty" else None


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
        raise Refused(f"'{page}' is no id of a status page.", hint="Correct `statuspage.page` in the settings.")
    return page


def _needed(value: str, name: str, what: str) -> str:
    if not value:
        raise Refused("The status page is not set up.", detail=f"`statuspage.{name}` is empty.",
                      hint=f"Put {what} there; docs/configuration.md lists every setting.")  # fmt: skip
    return value


def _needed_secret(token: SecretStr) -> str:
    return _needed(token.get_secret_value(), "token", "its key")
