"""Speaking to Slack's Web API: one client without hidden retries, and what its errors mean for us."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from enum import StrEnum

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from actions.settings.outside import SlackSettings
from bot.slack.command_names import RenamingClient

FAILURES = (SlackClientError, OSError, http.client.HTTPException, json.JSONDecodeError, UnicodeDecodeError)
"""Everything that a call of the Web API raises when it does not work."""

_TOKEN = (
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "not_allowed_token_type",
    "no_permission",
    "access_denied",
    "accesslimited",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "org_login_required",
    "team_access_not_granted",
    "two_factor_setup_required",
)
_PLACE = (
    "not_in_channel",
    "channel_not_found",
    "is_archived",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "cannot_reply_to_message",
    "thread_not_found",
)
_BLOCKS = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_attachments")
_GONE = ("message_not_found", "cant_update_message", "edit_window_closed", "cant_delete_message")
_LONGEST_WAIT = 300.0
"""Seconds. A proxy before Slack may say anything; who waits for days posts nothing while people recover."""
_LATER = ("fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org")


class Why(StrEnum):
    """What a failed call means."""

    LIMITED = "limited"  # not done; come back after a while
    DOUBT = "doubt"  # nobody knows whether it was done
    TOKEN = "token"  # not done; somebody must mend the app's installation
    PLACE = "place"  # not done; the bot cannot speak there
    BLOCKS = "blocks"  # not done; Slack does not like how it looks
    GONE = "gone"  # not done; the message is not there any more
    REFUSED = "refused"  # not done, for another reason


@dataclass(frozen=True)
class Trouble:
    """Why a call failed, in Slack's word, and how long to wait where Slack said so.

    `answered` says that Slack itself said so, and not the network.
    """

    why: Why
    code: str
    wait: float = 0.0
    answered: bool = False


def client_for(settings: SlackSettings, timeout: int = 10) -> WebClient:
    """A client for the bot's token. It retries nothing by itself: a retried post could be posted twice."""
    made = RenamingClient if settings.commands else WebClient
    client = made(
        token=settings.bot_token.get_secret_value(),
        base_url=settings.base_url,
        timeout=timeout,
        retry_handlers=[],
    )
    if isinstance(client, RenamingClient):
        client.names = settings.commands
    return client


def trouble(error: Exception) -> Trouble:
    """What a failure of a call means for the message that was to be sent."""
    if not isinstance(error, SlackApiError):
        return Trouble(Why.DOUBT, type(error).__name__)
    status, code, wait = _parts(error)
    if status == 429 or code in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        return Trouble(Why.LIMITED, code or "ratelimited", wait or 1.0)
    if status >= 500 or not code or code in _LATER:
        return Trouble(Why.DOUBT, code or f"HTTP {status}", answered=True)
    named = {Why.TOKEN: _TOKEN, Why.PLACE: _PLACE, Why.BLOCKS: _BLOCKS, Why.GONE: _GONE}
    return Trouble(next((why for why, codes in named.items() if code in codes), Why.REFUSED), code)


def _parts(error: SlackApiError) -> tuple[int, str, float]:
    """Status, Slack's error word and Retry-After. The SDK gives a dict where the body was no JSON."""
    answer = error.response
    if isinstance(answer, dict):
        headers = answer.get("headers") or {}
        return int(answer.get("status") or 0), _word(answer), _seconds(headers)
    body = answer.data if isinstance(answer.data, dict) else {}
    return int(answer.status_code), _word(body), _seconds(answer.headers)


def _word(body: dict[str, object]) -> str:
    """Slack's errors are single words; a sentence is the SDK's own, about a body that it could not read."""
    said = str(body.get("error") or "")
    return "" if " " in said else said


def _seconds(headers: object) -> float:
    given = dict(headers) if isinstance(headers, dict) else {}
    value = str(given.get("Retry-After") or given.get("retry-after") or "")
    return min(float(value), _LONGEST_WAIT) if value.isascii() and value.isdigit() else 0.0
