"""The practice company's stack as tables of Mayday's settings: the manual's, under the names of its containers."""

from __future__ import annotations

import json

from actions.stack import manual
from actions.stack.stack import Service, ServiceKind
from lab.home import DATABASE, STANDBY, Lab

_PREFIX = "nself-"


def settings(lab: Lab) -> str:
    """A `[[services]]` table for each service that the company has."""
    tables = [_table(lab, one) for one in manual.SERVICES if _short(one.name) in lab.services]
    return "\n".join([*tables, *([_standby(lab)] if lab.standby else [])])


def _table(lab: Lab, service: Service) -> str:
    needs = [lab.container(_short(name)) for name in service.needs if _short(name) in lab.services]
    return f'''[[services]]
name = "{lab.container(_short(service.name))}"
kind = "{service.kind}"
needs = {json.dumps(needs)}
health = {json.dumps("" if "://" in service.health else service.health)}
folders = {json.dumps(_folders(lab, service))}
'''


def _standby(lab: Lab) -> str:
    """Its site is without an address of Docker: its own worker serves it, as on a host of its own."""
    name = lab.container(STANDBY)
    return f'''[[sites]]
name = "{lab.standby_site}"
postgres = "{name}"
database = "{DATABASE}"

[[services]]
name = "{name}"
kind = "postgres"
site = "{lab.standby_site}"
follows = "{lab.container("postgres")} @ {lab.project}"
folders = {json.dumps([str(lab.data(STANDBY))])}
'''


def _folders(lab: Lab, service: Service) -> list[str]:
    """Where its data lies; where that is in a volume, Docker alone knows."""
    in_volume = service.kind is ServiceKind.POSTGRES and lab.layout != "bind"
    return [str(lab.data(_short(service.name)))] if service.folders and not in_volume else []


def _short(name: str) -> str:
    return name.removeprefix(_PREFIX)
