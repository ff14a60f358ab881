"""The tools on any site that the settings know, and which of them are this host's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actions.engine.errors import Refused
from actions.engine.store import Store
from actions.settings.settings import Settings
from actions.stack.stack import Site
from workers.runner.toolbox import DockerToolbox, docker_toolbox


def known_site(settings: Settings, name: str, run: str = "") -> Site:
    """The site of that name.

    Raises:
        Refused: the settings do not know it.
    """
    sites = settings.stack()
    if found := next((site for site in sites if site.name == name), None):
        return found
    known = ", ".join(site.name for site in sites)
    what = f"Run {run} belongs to the site '{name}'." if run else f"There is no site '{name}'."
    raise Refused(
        what,
        detail=f"The settings here know {known}.",
        hint="Its own site's worker carries it out, or mayday carry-out with the settings of that site.",
    )


def own_sites(settings: Settings) -> tuple[str, ...]:
    """The sites whose Docker is that of the default site, which is this host's: what a worker serves unless told."""
    first, *others = settings.stack()
    return (first.name, *(site.name for site in others if site.docker in ("", first.docker)))


def chosen_sites(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """The sites of these names, or this host's where none is named.

    Raises:
        Refused: the settings do not know one of them.
    """
    return tuple(dict.fromkeys(known_site(settings, name).name for name in names)) or own_sites(settings)


def site_toolbox(settings: Settings, store: Store, name: str) -> DockerToolbox:
    """The tools on a site. `[site]` tells of the default one's PostgreSQL alone: that of another is refused.

    Raises:
        Refused: the settings do not know the site.
    """
    site = known_site(settings, name)
    if name == settings.site.name:
        return docker_toolbox(settings, store)
    config = replace(settings.site.site(), name=name, postgres="", archive="", bases="", writers=())
    return DockerToolbox(store, config, site.docker or settings.site.docker_host, site.services)
