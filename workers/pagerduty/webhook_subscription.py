"""The webhook subscription: made once with `mayday pagerduty connect`, looked at by the doctor.

PagerDuty tells a subscription's secret once, in the answer that creates it, so it goes straight into a file
that its owner alone can read; nothing prints it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from actions.engine.errors import RecoveryError, Refused
from actions.settings.kept_secrets import kept_secrets
from actions.settings.outside import PagerDutySettings
from workers.pagerduty.pagerduty_client import rest_client, speaking, trouble

EVENTS = tuple(
    f"incident.{kind}"
    for kind in (
        "triggered",
        "acknowledged",
        "unacknowledged",
        "resolved",
        "reopened",
        "escalated",
        "delegated",
        "reassigned",
        "service_updated",
        "priority_updated",
        "annotated",
    )
)
"""What Mayday wants to be told."""

_SECRETS_KEPT = 3
_DISABLED_HINT = "Mend what made PagerDuty give up (the address must answer 2xx within 5 s), then connect with --renew."


@dataclass(frozen=True)
class Hooked:
    """A subscription as PagerDuty has it: whether it is told all that it should be; `lacks` are events left out."""

    id: str
    url: str
    active: bool
    temporarily_disabled: bool
    lacks: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        return self.active and not self.temporarily_disabled and not self.lacks

    @property
    def ails(self) -> str:
        """Why it is told nothing, or not all."""
        if self.active and self.lacks and not self.temporarily_disabled:
            return f"not told of {', '.join(self.lacks)}"
        return "disabled by PagerDuty after repeated refusals" if self.temporarily_disabled else "switched off"


@dataclass(frozen=True)
class Connected:
    """A new subscription and its secret; `repr` does not show it."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Connected({self.id})"


class Webhooks:
    """The account's webhook subscriptions."""

    def __init__(self, settings: PagerDutySettings) -> None:
        self._client = rest_client(settings)
        self._once = rest_client(settings, retries=False)

    def all(self) -> Sequence[Hooked]:
        with speaking("listing webhook subscriptions"):
            return [_hooked(one) for one in self._client.iter_all("webhook_subscriptions")]

    def create(self, url: str, service: str = "") -> Connected:
        """Subscribe an address to the account's incidents, or to those of one service."""
        wanted = {"type": "service_reference", "id": service} if service else {"type": "account_reference"}
        asked = {
            "type": "webhook_subscription",
            "active": True,
            "description": "Mayday",
            "events": list(EVENTS),
            "delivery_method": {"type": "http_delivery_method", "url": url},
            "filter": wanted,
        }
        doing = "creating a webhook subscription"
        with speaking(doing):
            answer = self._once.post("/webhook_subscriptions", json={"webhook_subscription": asked})
        if not answer.is_success:
            raise trouble(answer, doing)
        made = answer.json()["webhook_subscription"]
        return Connected(str(made["id"]), str(made["delivery_method"]["secret"]))

    def delete(self, id: str) -> None:
        self._do("DELETE", id, "", f"removing the webhook subscription {id}")

    def enable(self, id: str) -> None:
        self._do("POST", id, "/enable", f"enabling the webhook subscription {id}")

    def ping(self, id: str) -> None:
        """Have PagerDuty send a test event."""
        self._do("POST", id, "/ping", f"testing the webhook subscription {id}")

    def _do(self, verb: str, id: str, more: str, doing: str) -> None:
        with speaking(doing):
            answer = self._once.request(verb, f"/webhook_subscriptions/{quote(id, safe='')}{more}")
        if not answer.is_success and answer.status_code != 404:
            raise trouble(answer, doing)


def connect(
    settings: PagerDutySettings, url: str, say: Callable[[str], object], *, renew: bool = False, service: str = ""
) -> str:
    """Create the subscription, keep its secret, send a test event; the id. Old ones of that address go with `renew`.

    One that works, with a secret that is kept, is left as it is.

    Raises:
        Refused: there is one already that will not do, there is no place for the secret, or the address is none.
    """
    _confirm(url)
    keep = _keeper(settings)
    hooks = Webhooks(settings)
    before = [one for one in hooks.all() if one.url == url]
    if before and not renew:
        return _as_it_is(settings, before[0], say)
    made = hooks.create(url, service)
    try:
        keep(made.secret)
    except OSError as wrong:
        hooks.delete(made.id)
        raise RecoveryError(
            f"The secret could not be kept in {settings.secrets_file}.",
            code="MD-PD-014",
            detail=str(wrong),
            hint="Make the folder writable; the subscription was removed again.",
        ) from None
    # Only now that the new secret is kept: a full disk must not leave PagerDuty without anybody to tell.
    for old in before:
        hooks.delete(old.id)
    hooks.ping(made.id)
    say(f"PagerDuty tells {url} of incidents now (subscription {made.id}).")
    say(f"Its secret is in {settings.secrets_file}. Start the bot again, so that it reads it.")
    return made.id


def _confirm(url: str) -> None:
    where, hint = urlsplit(url), "Give it as PagerDuty reaches it: https://HOST/pagerduty/webhook"
    if where.scheme not in ("http", "https") or not where.hostname:
        raise Refused(f"{url} is no address.", code="MD-PD-015", hint=hint)
    # Any other path may be a proxy's; at the root nobody listens, and PagerDuty would be told so only page by page.
    if where.path in ("", "/"):
        raise Refused(f"{url} is the host alone; nobody listens there.", code="MD-PD-016", hint=hint)


def _as_it_is(settings: PagerDutySettings, hook: Hooked, say: Callable[[str], object]) -> str:
    """Leave a subscription alone that does what it should. PagerDuty tells nobody its secret again."""
    if not hook.works:
        raise Refused(
            f"PagerDuty has a subscription to {hook.url}, and it is {hook.ails}.",
            code="MD-PD-017",
            detail=hook.id,
            hint=subscription_hint(hook),
        )
    if not kept_secrets(settings.secrets_file):
        raise Refused(
            f"PagerDuty already has a subscription to {hook.url}.",
            code="MD-PD-018",
            detail=f"{hook.id}; its secret was told once and cannot be read again",
            hint="Add --renew for a new one with a new secret.",
        )
    say(f"PagerDuty tells {hook.url} of incidents already (subscription {hook.id}). Nothing was changed.")
    say("For a new one with a new secret, add --renew.")
    return hook.id


def _keeper(settings: PagerDutySettings) -> Callable[[str], None]:
    if not settings.secrets_file:
        raise Refused(
            "There is no place to keep the webhook's secret.",
            code="MD-PD-019",
            hint="Set pagerduty.secrets_file to a file that only the bot's user can read.",
        )
    path, known = Path(settings.secrets_file), kept_secrets(settings.secrets_file)

    def keep(secret: str) -> None:
        """The newest first; older ones stay a while, for webhooks that are on their way."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f"{path.suffix}.{os.getpid()}.new")
        # The mode comes before the words, so that at no moment somebody else can read them.
        draft.touch(mode=0o600)
        draft.write_text("\n".join((secret, *known)[:_SECRETS_KEPT]) + "\n")
        draft.replace(path)

    return keep


def _hooked(one: dict[str, Any]) -> Hooked:
    method, told = one.get("delivery_method") or {}, one.get("events") or EVENTS
    lacks = tuple(name for name in EVENTS if name not in told)
    return Hooked(
        str(one["id"]),
        str(method.get("url") or ""),
        bool(one.get("active", True)),
        bool(method.get("temporarily_disabled")),
        lacks,
    )


def subscription_hint(hook: Hooked) -> str:
    """What to do about a subscription that is not told what it should be."""
    if hook.active and hook.lacks and not hook.temporarily_disabled:
        return "Connect again with --renew: the subscription is older than this version of Mayday."
    return _DISABLED_HINT if hook.temporarily_disabled else "Switch it on in PagerDuty: Integrations, Webhooks."
