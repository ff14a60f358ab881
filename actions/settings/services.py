"""The tables `[[services]]` and `[[sites]]`: what is on which site, where that is not the operations manual's stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field

from actions.settings.site import SiteSettings, ToldServer
from actions.stack import manual
from actions.stack.objectives import Objective
from actions.stack.stack import Service, ServiceKind

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HEALTH = re.compile(r"(|postgres|redis|https?://\S+)")


def _name(said: str) -> str:
    if not _NAME.fullmatch(said):
        raise ValueError(f"'{said[:70]}' is no name; write letters, digits, dashes, dots and underscores, no spaces")
    return said


def _kind(said: str) -> str:
    if said and said not in list(ServiceKind):
        near = get_close_matches(said, list(ServiceKind), 1) or list(ServiceKind)
        raise ValueError(f"'{said[:70]}' is no kind of service; write {' or '.join(near)}")
    return said


def _health(said: str | None) -> str | None:
    if said is not None and not _HEALTH.fullmatch(said):
        raise ValueError(f"'{said[:70]}' is no health check; write postgres, redis, an address (http://…) or nothing")
    return said


Name = Annotated[str, AfterValidator(_name)]


class SiteTable(SiteSettings):
    """A site beside the default one. Without a `docker_host` its Docker is known to its own worker alone."""

    name: Name


class ServiceTable(ToldServer):
    """One service. What is not said is the manual's, where it knows a service of that name; else that of its kind."""

    name: Name
    kind: Annotated[str, AfterValidator(_kind)] = ""
    site: str = ""
    container: str = ""
    compose: str = ""
    needs: tuple[str, ...] | None = None
    health: Annotated[str | None, AfterValidator(_health)] = None
    wait_seconds: float | None = Field(default=None, gt=0)
    optional: bool | None = None
    writes: bool | None = None
    folders: tuple[str, ...] | None = None
    follows: str = ""
    rto_minutes: float | None = Field(default=None, gt=0)
    rpo_minutes: float | None = Field(default=None, ge=0)

    @property
    def tells_of_server(self) -> bool:
        """Whether it says where the backups of its server lie, and which database people mean."""
        return None not in (self.archive, self.bases, self.database)

    def service(self) -> Service:
        """The service as the stack knows it.

        Raises:
            ValueError: nothing says of which kind it is; or it has what only a PostgreSQL has.
        """
        known = manual.known(self.name)
        if not self.kind and known is None:
            raise ValueError(
                f"services: nothing says what '{self.name}' is; write kind = \"…\", one of {', '.join(ServiceKind)}"
            )
        same = known if known is not None and self.kind in ("", known.kind) else self._of_kind(ServiceKind(self.kind))
        if same.kind is not ServiceKind.POSTGRES and (told := self.said_of_server()):
            raise ValueError(
                f"services: '{self.name}' is no postgres and has no {next(iter(told))}; write it into the table of one"
            )
        if same.kind is not ServiceKind.POSTGRES and self.follows:
            raise ValueError(f"services: '{self.name}' is no postgres and follows nobody; take its `follows` away")
        said = {
            "container": self.container or None,
            "compose": self.compose or None,
            "needs": self.needs,
            "health": self.health,
            "wait": timedelta(seconds=self.wait_seconds) if self.wait_seconds is not None else None,
            "optional": self.optional,
            "writes": self.writes,
            "folders": self.folders,
            "follows": self.follows or None,
        }
        given = {key: value for key, value in said.items() if value is not None}
        return replace(same, objective=self._objective(same.objective), **given)  # type: ignore[arg-type]

    def _of_kind(self, kind: ServiceKind) -> Service:
        """A service of that kind under our name. Where the manual's lies and listens is its own affair."""
        like = manual.first_of(kind)
        if like is None:
            return Service(self.name, kind)
        health = "" if "://" in like.health else like.health
        return replace(like, name=self.name, compose="", needs=(), folders=(), health=health)

    def _objective(self, promised: Objective | None) -> Objective | None:
        if self.rto_minutes is None and self.rpo_minutes is None:
            return promised
        rto, rpo = self.rto_minutes, self.rpo_minutes
        if promised is None and (rto is None or rpo is None):
            raise ValueError(
                f"services: '{self.name}' has one of rto_minutes and rpo_minutes, and the manual promises nothing for "
                "its kind; write both"
            )
        return Objective(
            promised.name if promised else self.name,
            timedelta(minutes=rto) if rto is not None or promised is None else promised.rto,  # type: ignore[arg-type]
            timedelta(minutes=rpo) if rpo is not None or promised is None else promised.rpo,  # type: ignore[arg-type]
        )


def tables_of(tables: Sequence[ServiceTable], site: str, default: str) -> tuple[ServiceTable, ...]:
    """The tables of the services on a site; one without a site is on the default one."""
    return tuple(table for table in tables if (table.site or default) == site)
