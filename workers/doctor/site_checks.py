"""What `mayday doctor` asks of the workers' side: queue, worker, every site's Docker and PostgreSQL, the outside."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

import redis

from actions.engine.errors import RecoveryError
from actions.engine.run import Run
from actions.findings import Finding
from actions.incidents.kept_events import set_aside
from actions.settings.settings import Settings
from actions.settings.site import SiteConfig
from actions.stack.choose import untold
from actions.stack.stack import Service, ServiceKind, Site
from actions.store.store import Store
from workers.docker.helper import LOOKS
from workers.doctor import clock_checks, file_checks, pagerduty_checks, postgres_checks, stack_checks, worker_checks
from workers.doctor.postgres_checks import Patient
from workers.runner.queue import connect, open_to_all
from workers.runner.toolbox import docker_toolbox
from workers.statuspage import page_checks as status_page
from workers.watch import audit


def check(settings: Settings, store: Store) -> list[Finding]:
    """Everything on this side, in the order in which it would be mended."""
    outside = [*pagerduty_checks.check(settings), *event_findings(store), *status_page.check(settings, store.clock)]
    workers = [*worker_checks.check(settings, store), clock_checks.clocks(store)]
    here = [_queue(settings), *workers, *stack_checks.check(settings), *file_checks.check(settings)]
    return [*here, audit.finding(settings, store), *site_findings(settings, store), *outside]


def _queue(settings: Settings) -> Finding:
    try:
        connect(settings.redis.get_secret_value()).ping()
    except (redis.RedisError, ValueError) as away:
        return Finding(
            "queue (Redis)",
            False,
            str(away)[:200],
            "Start Redis or mend `redis` in the settings. Runs go on without it, only later.",
        )
    if open_to_all(settings.redis.get_secret_value()):
        do = "Give Redis a password, better a user of its own, and put it into `redis`: docs/security.md."
        return Finding("queue (Redis)", False, "answers whoever reaches it: it asks for no password", do)
    return Finding("queue (Redis)", True, "answers")


def event_findings(store: Store) -> Iterator[Finding]:
    """What PagerDuty sent and nobody could read; nothing where there is none."""
    if aside := set_aside(store):
        key, why = next(iter(aside.items()))
        yield Finding(
            "PagerDuty events",
            False,
            f"{len(aside)} could not be read, for example {key}: {why}",
            "Look at those incidents in PagerDuty itself; the events are kept for 30 days.",
        )


def site_findings(settings: Settings, store: Store) -> Iterator[Finding]:
    """Look at every site as a run would, at each PostgreSQL by its name; what is not there ends the list of its own."""
    servers = settings.servers()
    for site in settings.stack():
        default = site.name == settings.site.name
        if not default and not site.docker:
            # Its own worker has settings that tell of it; what lies on the Docker here is another site's.
            yield Finding(f"site {site.name}", True, "not looked at: no docker_host is told; run mayday doctor there")
            continue
        yield from _docker(settings, store, site, "Docker" if default else f"Docker @ {site.name}")
        yield from (_untold(one.name) for one in site.of_kind(ServiceKind.POSTGRES) if not _told(servers, site, one))
        folders: dict[str, str] = {}
        for server in (one for one in servers if one.name == site.name):
            name = f"{server.postgres}: " if len(servers) > 1 else ""
            at = "" if default or not name else f" @ {site.name}"
            for found in _server(settings, store, server, folders):
                yield replace(found, name=f"{name}{found.name}{at}")


def _told(servers: Sequence[SiteConfig], site: Site, service: Service) -> bool:
    return any((one.name, one.postgres) == (site.name, service.name) for one in servers)


def _untold(service: str) -> Finding:
    refused = untold(service)
    return Finding(f"{service}: backups", False, f"{refused.said} {refused.detail}", refused.hint)


def _docker(settings: Settings, store: Store, site: Site, name: str) -> Iterator[Finding]:
    try:
        with docker_toolbox(settings, store, site.name).open(_run(store, site.name, "")) as tools:
            yield Finding(name, True, f"answers on {tools.docker.host}")
    except RecoveryError as trouble:
        yield Finding(name, False, f"{trouble.said} {trouble.detail}".strip(), trouble.hint)


def _server(settings: Settings, store: Store, site: SiteConfig, folders: dict[str, str]) -> Iterator[Finding]:
    try:
        run = _run(store, site.name, site.postgres)
        with docker_toolbox(settings, store, site.name).open(run) as tools:
            at = "" if site.name == settings.site.name else f" @ {site.name}"
            named = f" {site.postgres}{at}" if len(settings.servers()) > 1 else ""
            yield from postgres_checks.check(settings, Patient(tools, store.clock, named), folders)
    except RecoveryError as trouble:
        yield Finding("host", False, f"{trouble.said} {trouble.detail}".strip(), trouble.hint)


def _run(store: Store, site: str, service: str) -> Run:
    # A name of its own: two doctors at once must not take each other's helper away.
    return Run(f"{LOOKS}{secrets.token_hex(3)}", "doctor", "", service, site, "", {}, {}, store.clock())
