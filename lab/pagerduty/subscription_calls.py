"""/webhook_subscriptions: where webhooks go, switched off by repeated drops and on again by hand."""

from __future__ import annotations

import secrets

from lab.pagerduty.account import News
from lab.pagerduty.calls import Call
from lab.pagerduty.errors import PagerDutyError, invalid, not_found
from lab.pagerduty.shapes import subscription_shape
from lab.pagerduty.things import Json, Subscription, new_id

FILTERS = ("account_reference", "service_reference", "team_reference")
PING = "pagey.ping"


def list_subscriptions(call: Call) -> Json:
    shapes = [subscription_shape(one) for one in call.account.subscriptions.values()]
    return call.page("webhook_subscriptions", shapes)


def create(call: Call) -> Json:
    """Make one; its secret is in this answer and never again."""
    asked = call.wrapped("webhook_subscription")
    method, wanted, events = asked.get("delivery_method") or {}, asked.get("filter") or {}, asked.get("events") or []
    if not str(method.get("url") or "").startswith(("http://", "https://")):
        raise invalid("delivery_method.url must be an URL")
    if wanted.get("type") not in FILTERS or not events:
        raise invalid("filter.type and events are required")
    secret = secrets.token_urlsafe(48)
    made = Subscription(
        new_id("P"),
        str(method["url"]),
        [secret],
        [str(e) for e in events],
        dict(wanted),
        str(asked.get("description") or ""),
        bool(asked.get("active", True)),
        custom_headers=list(method.get("custom_headers") or ()),
    )
    call.account.subscriptions[made.id] = made
    call.account.changed()
    return {"webhook_subscription": subscription_shape(made, secret)}


def read(call: Call) -> Json:
    return {"webhook_subscription": subscription_shape(_asked(call))}


def change(call: Call) -> Json:
    subscription, asked = _asked(call), call.wrapped("webhook_subscription")
    subscription.description = str(asked.get("description", subscription.description))
    subscription.events = [str(e) for e in asked.get("events", subscription.events)]
    subscription.filter = dict(asked.get("filter", subscription.filter))
    subscription.active = bool(asked.get("active", subscription.active))
    call.account.changed()
    return {"webhook_subscription": subscription_shape(subscription)}


def delete(call: Call) -> None:
    del call.account.subscriptions[_asked(call).id]
    call.account.changed()


def enable(call: Call) -> Json:
    subscription = _asked(call)
    subscription.temporarily_disabled, subscription.drops, subscription.disabled_until = False, 0, 0.0
    call.account.changed()
    return {"webhook_subscription": subscription_shape(subscription)}


def ping(call: Call) -> None:
    """Send a test event to this subscription alone."""
    subscription = _asked(call)
    if subscription.temporarily_disabled:
        raise PagerDutyError(400, 2001, "Invalid Input Provided", "The subscription is disabled")
    data = {"message": "Hello from your friend Pagey!", "type": "ping"}
    call.account.announce(News(PING, call.account.clock(), subscription.id, "", data))


def _asked(call: Call) -> Subscription:
    found = call.account.subscriptions.get(str(call.path["id"]))
    if found is None:
        raise not_found()
    return found
