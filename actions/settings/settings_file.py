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


def read(path: Path, secrets: Mapping[str, Mapping[str, str]], places: Mapping[str, str]) -> Settings:
    """The settings of a file, with each section's `secrets` and the `places` of store and queue laid over it.

    Raises:
        Refused: there is no such file, it is no TOML, or a setting in it is not right.
    """
    given = _parsed(path)
    for section, named in secrets.items():
        if named:
            given[section] = {**given.get(section, {}), **named}
    try:
        return with_kept_secrets(Settings.model_validate({**given, **places}))
    except ValidationError as wrong:
        said = "; ".join(_said(one["loc"], one["msg"]) for one in wrong.errors())
        raise Refused(
            f"{path} is not right.", code="MD-SET-002", detail=said, hint="docs/configuration.md lists every setting."
        ) from None


def _said(key: tuple[int | str, ...], message: str) -> str:
    """One thing that is wrong, with its key: `services.2.kind` for the third of `[[services]]`, counted from 0."""
    what = message.removeprefix("Value error, ")
    return f"{'.'.join(map(str, key))}: {what}" if key else what


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Refused(
            f"There is no settings file {path}.",
            code="MD-SET-003",
            hint="Write one (docs/configuration.md), or give --config; to try Mayday without any: mayday lab up",
        ) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise Refused(
            f"{path} cannot be read.", code="MD-SET-004", detail=str(wrong), hint="Look at who may read it."
        ) from None
    except tomllib.TOMLDecodeError as wrong:
        raise Refused(f"{path} cannot be read.", code="MD-SET-005", detail=str(wrong), hint="Mend that line.") from None
