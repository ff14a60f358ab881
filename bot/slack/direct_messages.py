"""The direct conversations with people: opened once, kept; and who could not be written to, for the doctor."""

from __future__ import annotations

from slack_sdk import WebClient

from actions.findings import Finding
from actions.store.store import Store
from bot.slack.client import FAILURES, Why, trouble
from bot.slack.outbox import NotNow
from bot.slack.rate_limits import Method
from bot.slack.thread_item import ThreadItem

_CHANNEL = "direct conversation"
_TROUBLE = "direct message failed"
"""Notes by user: the channel; why the last message to them could not be sent, empty once one was."""


class CannotBeTold(Exception):
    """Slack lets nobody write to that person; `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def channel_of(store: Store, client: WebClient, user: str, item: ThreadItem) -> str:
    """The direct conversation with somebody, opened where it is not known.

    Raises:
        CannotBeTold: there is none.
        NotNow: Slack does not answer, or wants to be asked later.
    """
    if known := store.note(_CHANNEL, user):
        return str(known)
    try:
        channel = str(client.conversations_open(users=user)["channel"]["id"])
    except FAILURES as error:
        why = trouble(error)
        if why.why in (Why.DOUBT, Why.LIMITED):
            raise NotNow(item, why, (Method.LOOK, user)) from error
        raise CannotBeTold(why.code) from error
    store.keep(_CHANNEL, user, channel)
    failed(store, user, "")
    return channel


def failed(store: Store, user: str, code: str) -> None:
    """Note why somebody could not be written to; the conversation is opened anew the next time."""
    if code:
        store.keep(_CHANNEL, user, "")
    if code or store.note(_TROUBLE, user):
        store.keep(_TROUBLE, user, code)


def check(store: Store) -> list[Finding]:
    """What the doctor says of it: whom the last message did not reach."""
    name = "Direct messages to approvers"
    people = store.notes("people")
    missed = {user: str(code) for user, code in store.notes(_TROUBLE).items() if code}
    if not missed:
        return [Finding(name, True, "none failed")]
    told = [f"{(people.get(user) or {}).get('name') or user} ({code})" for user, code in missed.items()]
    do = "Mention them in the thread instead; for missing_scope take over manifest.yml and install the app again."
    return [Finding(name, False, f"could not be told: {', '.join(told)}", do)]
