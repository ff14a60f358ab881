"""The stack as people ask for it, in Slack and in a terminal: all sites, or the one that they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.engine.errors import Refused
from actions.stack import picture
from actions.stack.drawing import drawn
from actions.stack.order import waves
from actions.stack.picture import SiteSeen
from actions.stack.stack import Service, Site
from actions.watch.service_condition import Condition, conditions
from bot.context import BotContext


def sites(bot: BotContext, about: str = "") -> Sequence[Site]:
    """The sites that are meant; `about` is a site's name, after `@` or alone.

    Raises:
        Refused: there is no such site.
    """
    stack, name = bot.settings.stack(), about.replace("@", "").strip().casefold()
    found = [site for site in stack if name in ("", site.name.casefold())]
    if found:
        return found
    names = ", ".join(site.name for site in stack)
    raise Refused(
        f"There is no site '{name[:60]}'.",
        code="MD-STK-008",
        detail=f"Sites: {names}.",
        hint="Name one of them, or none.",
    )


def rows(bot: BotContext, about: str = "") -> list[dict[str, Any]]:
    """The same for programs: each service with its site, its wave and how it was last seen."""
    found = []
    for site in sites(bot, about):
        known = conditions(bot.store, site.name)
        for number, wave in enumerate(waves(site.services), 1):
            found += [_row(one, site, number, known.get(one.name)) for one in wave]
    return found


def _row(service: Service, site: Site, wave: int, seen: Condition | None) -> dict[str, Any]:
    promised = service.objective
    return {
        "site": site.name,
        "service": service.name,
        "kind": service.kind,
        "wave": wave,
        "needs": service.needs,
        "optional": service.optional,
        "folders": service.folders,
        "rto_seconds": promised.rto.total_seconds() if promised else None,
        "rpo_seconds": promised.rpo.total_seconds() if promised else None,
        "container": (seen.health.inside if seen else "") or service.container or service.name,
        "health": seen.health.word if seen else None,
        "detail": seen.health.detail if seen else "",
        "seen_at": seen.seen_at if seen else None,
    }


def seen(bot: BotContext, site: Site) -> SiteSeen:
    """A site, and how its services were last seen."""
    return SiteSeen(site, conditions(bot.store, site.name))


def svg(bot: BotContext, about: str = "") -> str:
    """The sites that are meant as one picture."""
    return picture.svg([seen(bot, site) for site in sites(bot, about)], bot.clock())


def text(bot: BotContext, about: str = "") -> str:
    """The drawing of the sites that are meant."""
    now = bot.clock()
    return "\n\n".join(drawn(site, conditions(bot.store, site.name), now) for site in sites(bot, about))
