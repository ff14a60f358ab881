"""What the home tab shows, read from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from actions.engine.folding import fold
from actions.engine.ids import is_errand
from actions.engine.needs_people import is_unseen
from actions.incidents import on_call
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import open_incidents
from actions.stack.stack import Site, objective_of
from actions.watch.cluster_status import ClusterStatus, statuses
from actions.watch.cluster_words import steady_words
from actions.watch.service_condition import conditions
from bot.commands.addressed_commands import addressed
from bot.commands.parse_command import command_of
from bot.context import BotContext
from bot.incidents.thread_places import thread_link as incident_link
from bot.runs.requests import has_worker, thread_link
from bot.views.home_view import HomeData, OpenItem, SiteHome
from bot.views.mrkdwn import Block, escape
from bot.views.run_header import UNSEEN, state_text

_MOST_RUNS = 20
_OFFERS = (
    ("Window", "recover window", ""),
    ("Verify", "recover postgres verify", ""),
    ("Base backup", "backup run base", "A base backup reads the whole database once. It changes nothing in it."),
)


def home_data(bot: BotContext, pictures: Callable[[Site], Block | None] = lambda site: None) -> HomeData:
    """Everything at one moment, of all sites of the settings, with the pictures of their stacks that there are."""
    store, sites = bot.store, bot.settings.stack()
    under_way = [run for run in store.readable(store.runs(open_only=True)) if not is_errand(run)]
    return HomeData(
        runs=tuple(_run(bot, run, several=len(sites) > 1) for run in under_way[:_MOST_RUNS]),
        more_runs=max(0, len(under_way) - _MOST_RUNS),
        sites=tuple(_site(bot, site, pictures(site)) for site in sites),
        now=bot.clock(),
        incidents=tuple(_incident(bot, incident) for incident in open_incidents(store)),
        offers=tuple(_offers(bot)),
        clusters=tuple(steady_words(one, bot.clock()) for one in _clusters(bot)),
    )


def _clusters(bot: BotContext) -> tuple[ClusterStatus, ...]:
    return statuses(bot.store, bot.settings.stack(), bot.settings.failover.dead_seconds, bot.clock())


def _site(bot: BotContext, site: Site, picture: Block | None) -> SiteHome:
    """What is ill stands first; what nobody made a promise for comes last."""
    seen = conditions(bot.store, site.name)
    found = {name: objective_of(bot.settings.stack(), name, site.name) for name in seen}
    promised = {name: objective for name, objective in found.items() if objective is not None}
    order = sorted(seen, key=lambda name: (seen[name].well, name not in promised, name))
    return SiteHome(
        site.name,
        services=tuple(seen[name] for name in order),
        on_call=on_call.known(bot.store, site.name),
        promised=promised,
        worker=has_worker(bot, site.name),
        picture=picture,
    )


def _offers(bot: BotContext) -> Iterator[tuple[str, str, str]]:
    """What one press begins; of several servers one for each, as nobody could know which one is meant."""
    about = {command_of(procedure): procedure.about for procedure in bot.catalog}
    default, *others = bot.settings.stack()
    for label, command, sure in _OFFERS:
        if command not in about:
            continue
        for said, name in addressed(command, about[command], default):
            yield f"{label} {name}".strip(), said, sure
        for site in others:
            for said, name in addressed(command, about[command], site) if site.of_kind(about[command]) else ():
                yield " ".join(f"{label} {name} @ {site.name}".split()), f"{said} @ {site.name}", sure


def _incident(bot: BotContext, incident: Incident) -> OpenItem:
    alerts = f", {incident.count} alerts" if incident.count > 1 else ""
    return OpenItem(
        incident.id,
        incident_link(bot.store, incident.id),
        incident.title,
        incident.began_at,
        f"{incident.state}{alerts}",
    )


def _run(bot: BotContext, name: str, *, several: bool) -> OpenItem:
    entries = bot.store.entries(name)
    run = fold(entries)
    who = escape(str(entries[0].data.get("name") or run.requester))
    procedure = bot.procedure(run.procedure)
    state = state_text(procedure, run)
    of = f" · child of run {escape(run.parent)}" if run.parent else ""
    return OpenItem(
        run.id,
        thread_link(bot, run),
        f"{run.procedure} of {run.service}{f' @ {run.site}' if several else ''}",
        run.requested_at,
        f"{state} · asked by {who}{of}{UNSEEN if is_unseen(entries, procedure) else ''}",
    )
