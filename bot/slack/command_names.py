"""Slash commands under other names, where another app of the workspace has one of ours: renamed in the settings alone.

All of Mayday knows a command by its own name. Here stand the two ways through the door: what comes in under the
workspace's name is ours again, and what goes out names the command as people type it. Only words that people read are
touched, never values of buttons or what dialogs carry along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from actions.settings.slack_values import FAMILIES
from bot.views.mrkdwn import SECTION, cut

_READ = ("text", "initial_comment", "title", "alt_text", "errors", "fallback")
"""The keys below which Slack shows a text to people."""
_KEPT = ("value", "action_id", "block_id", "type", "url", "private_metadata", "callback_id")
"""Within such a text: what is there for programs."""
_CALLED = re.compile(r"^(\s*(?:(?:<@[A-Z0-9]+(?:\|[^>]*)?>|@mayday\b[,:]?)\s*)?/?)([\w-]+)", re.IGNORECASE)


class RenamingClient(WebClient):
    """A client whose messages, dialogs and pages name commands as this workspace does."""

    names: Mapping[str, str] = {}

    def api_call(self, api_method: str, **sent: Any) -> Any:
        given = {
            key: going_out(value, self.names) if key in ("json", "params", "data") else value
            for key, value in sent.items()
        }
        return super().api_call(api_method, **given)


def name_of(family: str, names: Mapping[str, str]) -> str:
    """What people type for a command, without the slash."""
    return names.get(family, family)


def family_of(typed: str, names: Mapping[str, str]) -> str:
    """Which of our commands that is; itself where it is none."""
    name = typed.strip().lstrip("/").casefold()
    return next((family for family in FAMILIES if name_of(family, names) == name), name)


def coming_in(text: str, names: Mapping[str, str]) -> str:
    """What somebody wrote to the bot, with our own name for the command that it begins with."""
    found = _CALLED.match(text) if names else None
    if found is None or found[2].casefold() not in names.values():
        return text
    return f"{found[1]}{family_of(found[2], names)}{text[found.end() :]}"


def as_typed(text: str, names: Mapping[str, str]) -> str:
    """A text for people, with each command as they type it."""
    if not names:
        return text
    return re.sub(rf"(?<![\w/])/({'|'.join(names)})(?![\w-])", lambda found: f"/{names[found[1]]}", text)


def _within(text: str, renamed: str) -> str:
    """A longer name must not make a text too long that Slack would have taken."""
    return cut(renamed) if len(text) <= SECTION else renamed


def going_out(value: Any, names: Mapping[str, str], *, shown: bool = False) -> Any:
    """Whatever is sent to Slack, with the commands renamed in all that people read."""
    if isinstance(value, str):
        return _within(value, as_typed(value, names)) if shown else value
    if isinstance(value, dict):
        return {
            key: going_out(inner, names, shown=key in _READ or (shown and key not in _KEPT))
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [going_out(inner, names, shown=shown) for inner in value]
    return value
