"""What `mayday doctor` asks of PagerDuty: token, sender, who is on call, services, webhook, paging key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from actions.engine.errors import RecoveryError
from actions.findings import Finding
from actions.settings.outside import PagerDutySettings
from actions.settings.settings import Settings
from workers.pagerduty.pagerduty_client import rest_client, speaking
from workers.pagerduty.rest_api import PagerDutyRest
from workers.pagerduty.webhook_subscription import Webhooks, subscription_hint

_PATH = "/pagerduty/webhook"


def check(settings: Settings) -> list[Finding]:
    """Everything about PagerDuty, in the order in which it would be mended; the first silence ends it."""
    given = settings.pagerduty
    if not given.token.get_secret_value():
        return [Finding("PagerDuty", True, "not set up: nothing is asked of it, and nobody is paged")]
    return [*_asked(given), _paging(given)]


def _asked(given: PagerDutySettings) -> Iterator[Finding]:
    for name, look in _LOOKS:
        try:
            yield look(given)
        except RecoveryError as trouble:
            yield Finding(name, False, f"{trouble.said} {trouble.detail}".strip(), trouble.hint)
            if name == _LOOKS[0][0]:
                return


def _token(given: PagerDutySettings) -> Finding:
    with speaking("reading the services"):
        services = list(rest_client(given).iter_all("services"))
    known = {str(one[key]) for one in services for key in ("id", "name") if one.get(key)}
    strange = [name for name in given.services if name not in known]
    if strange:
        return Finding(
            "PagerDuty token",
            False,
            f"it works, but PagerDuty has no service {', '.join(strange)}",
            "Correct pagerduty.services: PagerDuty's service ids or names on the left.",
        )
    return Finding("PagerDuty token", True, f"{len(services)} services, {len(given.services)} of them mapped")


def _sender(given: PagerDutySettings) -> Finding:
    name, do = "PagerDuty sender", "Set pagerduty.sender to the email of a PagerDuty user."
    if not given.sender:
        return Finding(name, False, "not given: incidents cannot be acknowledged", do)
    with speaking("looking for the sender"):
        people = list(rest_client(given).iter_all("users", params={"query": given.sender}))
    known = any(str(one.get("email")).casefold() == given.sender.casefold() for one in people)
    return Finding(name, known, given.sender if known else f"{given.sender} is no user there", "" if known else do)


def _duty(given: PagerDutySettings) -> Finding:
    people = PagerDutyRest(given, lambda: datetime.now(UTC)).on_call(given.policies)
    first = dict.fromkeys(one.name for one in people if one.level == 1)
    empty = [policy for policy in given.policies if not any(one.policy == policy for one in people)]
    if empty or not first:
        return Finding(
            "PagerDuty on call",
            False,
            f"nobody in {', '.join(empty) or 'any policy'}",
            "Fill the escalation policy, or correct pagerduty.policies.",
        )
    return Finding("PagerDuty on call", True, ", ".join(first))


def _webhook(given: PagerDutySettings) -> Finding:
    name = "PagerDuty webhook"
    hooks = [one for one in Webhooks(given).all() if one.url.endswith(_PATH)]
    if not hooks:
        return Finding(
            name,
            True,
            f"none: incidents are looked for every {given.poll_seconds:g} s",
            "For a thread within a second: mayday pagerduty connect URL",
        )
    asleep = next((one for one in hooks if not one.works), None)
    if asleep:
        return Finding(name, False, f"{asleep.id} is {asleep.ails}", subscription_hint(asleep))
    secret = bool(given.webhook_secrets)
    return Finding(
        name,
        secret,
        hooks[0].url if secret else "no secret is known, so every event is refused",
        "" if secret else "Set pagerduty.webhook_secrets, or connect again with --renew.",
    )


def _paging(given: PagerDutySettings) -> Finding:
    key = given.routing_key.get_secret_value()
    do = "" if key else "Set pagerduty.routing_key to the integration key of an Events API v2 integration."
    return Finding("PagerDuty paging key", bool(key), "given" if key else "not given: Mayday cannot page", do)


_LOOKS: tuple[tuple[str, Callable[[PagerDutySettings], Finding]], ...] = (
    ("PagerDuty token", _token),
    ("PagerDuty sender", _sender),
    ("PagerDuty on call", _duty),
    ("PagerDuty webhook", _webhook),
)
