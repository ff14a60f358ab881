"""Who and what there is: people, services, escalation policies, who is on call."""

from __future__ import annotations

from lab.pagerduty.calls import Call
from lab.pagerduty.errors import not_found
from lab.pagerduty.shapes import (
    person_reference,
    person_shape,
    policy_reference,
    policy_shape,
    priority_shape,
    service_shape,
)
from lab.pagerduty.things import Json


def list_people(call: Call) -> Json:
    wanted = (call.query.get("query") or "").lower()
    people = [p for p in call.account.company.people if wanted in f"{p.name} {p.email}".lower()]
    return call.page("users", [person_shape(call.account, person) for person in people])


def read_person(call: Call) -> Json:
    person = call.account.company.person(str(call.path["id"]))
    if person is None:
        raise not_found()
    return {"user": person_shape(call.account, person)}


def read_me(call: Call) -> Json:
    """The sender; with an account's key, PagerDuty answers that there is no user behind it."""
    if call.sender is None:
        raise not_found("No user is behind this key")
    return {"user": person_shape(call.account, call.sender)}


def list_services(call: Call) -> Json:
    wanted, name = (call.query.get("query") or "").lower(), call.query.get("name")
    services = [s for s in call.account.company.services if wanted in s.name.lower() and name in (None, s.name)]
    return call.page("services", [service_shape(call.account, service) for service in services])


def read_service(call: Call) -> Json:
    service = call.account.company.service(str(call.path["id"]))
    if service is None:
        raise not_found()
    return {"service": service_shape(call.account, service)}


def list_policies(call: Call) -> Json:
    wanted = (call.query.get("query") or "").lower()
    policies = [p for p in call.account.company.policies if wanted in p.name.lower()]
    return call.page("escalation_policies", [policy_shape(call.account, policy) for policy in policies])


def read_policy(call: Call) -> Json:
    policy = call.account.company.policy(str(call.path["id"]))
    if policy is None:
        raise not_found()
    return {"escalation_policy": policy_shape(call.account, policy)}


def list_priorities(call: Call) -> Json:
    return call.page("priorities", [priority_shape(call.account, p) for p in call.account.company.priorities])


def list_oncalls(call: Call) -> Json:
    """Everybody on call, policy by policy and level by level; they are so always, so there is no end."""
    wanted, people = call.many("escalation_policy_ids"), call.many("user_ids")
    whole = "users" in call.many("include")
    found = [
        {
            "escalation_policy": policy_reference(call.account, policy.id),
            "escalation_level": level,
            "user": person_shape(call.account, person) if whole else person_reference(call.account, person.id),
            "schedule": None,
            "start": None,
            "end": None,
        }
        for policy in call.account.company.policies
        if not wanted or policy.id in wanted
        for level in range(1, len(policy.levels) + 1)
        for person in call.account.on_call(policy.id, level)
        if not people or person.id in people
    ]
    return call.page("oncalls", found)


def list_abilities(_call: Call) -> Json:
    return {"abilities": ["urgencies", "service_support_hours", "webhooks", "status_pages", "event_rules"]}
