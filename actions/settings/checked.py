"""The form of every section of the settings: a name that is not known is an error, and nothing changes afterwards."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"'{value[:60]}' is no time zone; write for example Europe/Berlin")
    return value


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""A time zone by its IANA name, such as Europe/Berlin."""


class Checked(BaseModel):
    """A section of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)
