"""Which sites a worker serves: those that it is told, or those whose Docker is its own host's."""

from __future__ import annotations

from collections.abc import Sequence

from actions.settings.settings import Settings
from actions.stack.choose import site_named


def own_sites(settings: Settings) -> tuple[str, ...]:
    """The default site, and each other at the same address: what a worker serves unless it is told.

    One without a `docker_host` is not guessed to be here: its containers may have the same names.
    """
    first, *others = settings.stack()
    return (first.name, *(site.name for site in others if site.docker and site.docker == first.docker))


def chosen_sites(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """The sites of these names, or this host's where none is named.

    Raises:
        Refused: the settings do not know one of them.
    """
    known = (site_named(settings.stack(), name, "--site ") for name in names)
    return tuple(dict.fromkeys(site.name for site in known)) or own_sites(settings)
