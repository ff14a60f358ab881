"""The areas of error codes: what each is about, and which one a new error gets by where it is raised.

A code stays with its error for good. Where the error moves to another folder, the area of its code stays as well.
"""

from __future__ import annotations

import re

AREAS = {
    "CMD": "what was typed or pressed",
    "RUN": "runs, their questions and who may answer them",
    "ST": "the store of the runs",
    "SET": "settings",
    "STK": "sites and services",
    "WHEN": "moments and time zones",
    "PG": "PostgreSQL: servers, backups, WAL, recoveries",
    "FO": "failover and replication",
    "REP": "replication: standbys, and how they follow their primary",
    "DK": "Docker: containers, folders, commands in them",
    "INC": "incidents, their documents and what the public is told",
    "SL": "Slack",
    "PD": "PagerDuty",
    "SP": "the status page",
}
"""Every area, in the order of the page."""

CODE = re.compile(r"MD-([A-Z]+)-(\d{3})")
"""A whole code; its area and its number."""

_BY_PLACE = (
    (r"actions/clock/", "WHEN"),
    (r"actions/settings/", "SET"),
    (r"actions/stack/|bot/(stack_shown|named_service)|workers/stack_web", "STK"),
    (r"actions/store/(?!claims_check)|bot/response_deadline", "ST"),
    (r"workers/statuspage/|bot/terminal/status_page|actions/errands/status_page", "SP"),
    (r"workers/pagerduty/|workers/api_rate|actions/.*pagerduty", "PD"),
    (r"actions/incidents/|actions/errands/|bot/incidents/|bot/terminal/incident", "INC"),
    (r"actions/steps/failover/|actions/recoveries/(failover_parts|postgres_(failover|fence|switchover|rejoin))", "FO"),
    (r".*(steps/replication/|postgres_standby|host_standbys|hba_lines)", "REP"),
    (r".*postgres", "PG"),
    (r"workers/docker/", "DK"),
    (r"bot/slack/", "SL"),
    (r"bot/|mayday\.py", "CMD"),
    (r"actions/|workers/", "RUN"),
)


def area_of(place: str) -> str:
    """The area of what is raised in that file, a path from the root; the first fitting row counts."""
    return next(area for pattern, area in _BY_PLACE if re.match(pattern, place))
