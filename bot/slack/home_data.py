"""What the home tab shows, read from the store."""

from __future__ import annotations

from actions.engine.folding import fold
from actions.engine.ids import is_errand
from actions.incidents import on_call
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import open_incidents
from actions.stack.stack import objective_of
from actions.watch.service_condition import conditions
from bot.context import BotContext
from bot.incidents.thread_places import thread_link as incident_link
from bot.parse_command import command_of
from bot.requests import has_worker, thread_link
from bot.views.home_view import HomeData, OpenItem
from bot.views.mrkdwn import escape
from bot.views.run_header import state_text

_MOST_RUNS = 20
_OFFERS = (
    ("Window", "recover window", ""),
    ("Verify", "recover postgres verify", ""),
    ("Base backup", "backup run base", "A base backup reads the whole database once. It changes nothing in it."),
)


def home_data(bot: BotContext) -> HomeData:
    """Everything at one moment."""
    store, site = bot.store, bot.settings.site
    seen = conditions(store, site.name)
    # What is ill stands first; what nobody made a promise for comes last.
    found = {name: objective_of(bot.settings.stack(), name, site.name) for name in seen}
    promised = {name: objective for name, objective in found.items() if objective is not None}
    order = sorted(seen, key=lambda name: (seen[name].well, name not in promised, name))
    known = {command_of(procedure) for procedure in bot.catalog}
    return HomeData(
        runs=tuple(_run(bot, run) for run in store.runs(open_only=True, limit=_MOST_RUNS) if not is_errand(run)),
        services=tuple(seen[name] for name in order),
        now=bot.clock(),
        incidents=tuple(_incident(bot, incident) for incident in open_incidents(store)),
        on_call=on_call.known(store, site.name),
        offers=tuple(offer for offer in _OFFERS if offer[1] in known),
        promised=promised,
        worker=has_worker(bot),
    )


def _incident(bot: BotContext, incident: Incident) -> OpenItem:
    alerts = f", {incident.count} alerts" if incident.count > 1 else ""
    return OpenItem(
        incident.id,
        incident_link(bot.store, incident.id),
        incident.title,
        incident.began_at,
        f"{incident.state}{alerts}",
    )


def _run(bot: BotContext, name: str) -> OpenItem:
    entries = bot.store.entries(name)
    run = fold(entries)
    who = escape(str(entries[0].data.get("name") or run.requester))
    state = state_text(bot.procedure(run.procedure), run)
    return OpenItem(
        run.id,
        thread_link(bot, run),
        f"{run.procedure} of {run.service}",
        run.requested_at,
        f"{state} · asked by {who}" + (f" · child of run {escape(run.parent)}" if run.parent else ""),
    )
