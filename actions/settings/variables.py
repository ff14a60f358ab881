"""The variables of the environment that are settings, and the file beside the settings that holds them for a terminal.

An empty variable is one that is not given. The environment wins over the file of variables, and that over the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from actions.engine.errors import Refused

SECRETS = {
    "slack": {"bot_token": "SLACK_BOT_TOKEN", "app_token": "SLACK_APP_TOKEN", "signing_secret": "SLACK_SIGNING_SECRET"},
    "pagerduty": {"token": "PAGERDUTY_TOKEN", "routing_key": "PAGERDUTY_ROUTING_KEY"},
    "statuspage": {"token": "STATUSPAGE_TOKEN"},
}
"""The secrets by section and setting, each with its variable."""
PLACES = {"store": "MAYDAY_STORE", "redis": "MAYDAY_REDIS"}
"""Where store and queue are."""


@dataclass(frozen=True)
class Variables:
    """What variables say: secrets by section and setting, places by setting, and where each of them was read."""

    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    read_in: Mapping[str, str] = field(default_factory=dict)


def variables_file(settings: Path) -> Path:
    """The file of variables beside a settings file: `mayday.env` beside `mayday.toml`."""
    return settings.with_suffix(".env")


def variables(environment: Mapping[str, str], file: Path) -> Variables:
    """The variables of the environment and of the file beside the settings, where there is one that may be read.

    Raises:
        Refused: a line of the file is none that sets a variable.
    """
    kept = _lines(file)
    given = {**kept, **{name: value for name, value in environment.items() if value}}
    names = {f"{section}.{key}": name for section, of in SECRETS.items() for key, name in of.items()} | PLACES
    known = {key: name for key, name in names.items() if name in given}
    where = {key: f"{name} in {'the environment' if environment.get(name) else file}" for key, name in known.items()}
    secrets: dict[str, dict[str, str]] = {}
    for key, name in known.items():
        section, _, setting = key.rpartition(".")
        if section:
            secrets.setdefault(section, {})[setting] = given[name]
    return Variables(secrets, {key: given[name] for key, name in known.items() if key in PLACES}, where)


def _lines(file: Path) -> dict[str, str]:
    """NAME=value, one a line, as Docker Compose reads an `env_file`; a whole value may stand in quotation marks."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        # It is its owner's alone: an operator in a terminal has their own rights, and needs no token for them.
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip().removeprefix("export ").strip()
        if not said or said.startswith("#"):
            continue
        name, equals, value = said.partition("=")
        if not equals or not name.strip().isidentifier():
            raise Refused(
                f"{file} is not right.",
                code="MD-SET-008",
                detail=f"Line {number} sets no variable.",
                hint="Write NAME=value, one a line: SLACK_BOT_TOKEN=xoxb-…",
            )
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[name.strip()] = value[1:-1] if quoted else value
    return {name: value for name, value in found.items() if value}
