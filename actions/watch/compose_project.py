"""The Compose project that a site's services are in, as it was last seen.

With the stack gone, another project's container of the same Compose service would be the only one left to find.
"""

from __future__ import annotations

from collections.abc import Sequence

from actions.stack.containers import Listed, project_of
from actions.stack.stack import Service
from actions.store.store import Store

NOTE = "compose project"
"""The kind of the note; its key is the site's name."""


def remembered(store: Store, site: str) -> str:
    """The project, empty where none was seen yet."""
    noted = store.note(NOTE, site) or {}
    return str(noted.get("project") or "")


def remember(store: Store, site: str, listed: Listed, services: Sequence[Service]) -> str:
    """The project of what Docker lists; noted where it can be told and is another than before."""
    known = remembered(store, site)
    found = project_of(listed, services, known)
    if found and found != known:
        store.keep(NOTE, site, {"project": found})
    return found or known
