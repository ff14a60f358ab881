"""Reading the settings file: what is wrong with it is said so that it can be mended."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from actions.engine.errors import Refused
from actions.settings.kept_secrets import with_kept_secrets
from actions.settings.settings import Settings
from actions.settings.wrong_settings import problems


def read(
    path: Path,
    secrets: Mapping[str, Mapping[str, str]],
    places: Mapping[str, str],
    read_in: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of a file, with each section's `secrets` and the `places` of store and queue laid over it.

    `read_in` says of settings that come from a variable which one that is.

    Raises:
        Refused: there is no such file, it is no TOML, or settings in it are not right; all of these are told at once.
    """
    given = _parsed(path)
    for section, named in secrets.items():
        # A section that is no table is told below, in the same breath as everything else.
        if named and isinstance(given.get(section, {}), dict):
            given[section] = {**given.get(section, {}), **named}
    try:
        return with_kept_secrets(Settings.model_validate({**given, **places}))
    except ValidationError as wrong:
        told = problems(wrong.errors(), Settings, read_in or {})
        many = f"{len(told)} settings of {path} are not right." if len(told) > 1 else f"{path} is not right."
        raise Refused(
            many,
            code="MD-SET-002",
            detail="\n".join(told),
            hint="Every setting stands in docs/configuration.md.",
        ) from None


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Refused(
            f"There is no settings file {path}.",
            code="MD-SET-003",
            hint="mayday init asks for what it needs and writes one. Is it elsewhere? --config FILE, or MAYDAY_CONFIG. "
            "To try Mayday without any: mayday lab up",
        ) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise Refused(
            f"{path} cannot be read.",
            code="MD-SET-004",
            detail=str(wrong),
            hint=f"It has to be a text in UTF-8 that this user may read: ls -l {path}",
        ) from None
    except tomllib.TOMLDecodeError as wrong:
        raise Refused(
            f"{path} is no TOML.",
            code="MD-SET-005",
            detail=str(wrong),
            hint='Mend that line; a text stands in quotation marks: channel = "C0123456789"',
        ) from None
