"""Worlds that lie on a single point, so that whatever has to notice that point can be seen to do so."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from actions import catalog
from actions.engine import injection
from actions.postgres.archive import WalFile
from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.postgres_files import ServerDirectories
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.planned import Company, WorldWorkshop
from tests.support.worlds.sql import WorldSql
from workers.runner.scope import by_name, scope_of

PAUSE, KEEP = "Pause writers and restore", "Restore, keep serving"


def called(here: Company, step: Callable[..., Any], **lies: Any) -> Any:
    """A step's function on the world of a run as it stands, but for what is a lie."""
    run = here.run()
    with WorldWorkshop(here.world).open(run) as tools:
        told = {**by_name(tools), "now": here.world.clock(), "progress": lambda *_: None}
        return injection.call(step, ChainMap(lies, scope_of(catalog.find(run.procedure), run, told)))


def previewed(here: Company, when: str = "08:30:30", mode: str = PAUSE) -> Company:
    here.ask("postgres pitr", when)
    here.work()
    here.answer(mode)
    here.work()
    assert here.run().asking, here.run().failure
    return here


class LyingSql(WorldSql):
    """The world's servers, of which some rows are told wrongly."""

    def __init__(self, here: Company, words: str, **lies: Any) -> None:
        super().__init__(here.world)
        self._words, self._lies = words, lies

    def rows(self, container: str, server: Server, sql: str, **more: Any) -> list[dict[str, Any]]:
        found = super().rows(container, server, sql, **more)
        return [{**row, **self._lies} for row in found] if self._words in sql else found


class LyingFiles(WorldFiles):
    """The world's files, of which what `leaves` says, the control file or the count of rows is another."""

    def __init__(self, here: Company, lost: str = "", control: tuple[str, str] = ("", ""), **leaves: Any) -> None:
        super().__init__(here.world)
        self._leaves, self._lost, self._control = leaves, lost, control

    def leaves(self, server: Server, names: Names) -> ServerDirectories:
        return replace(super().leaves(server, names), **self._leaves)

    def losses(self, *about: Any, **more: Any) -> str:
        return self._lost + super().losses(*about, **more)

    def control(self, server: Server, leaf: str) -> str:
        return super().control(server, leaf).replace(*self._control)


class Log(WorldDocker):
    """Docker, with another log of the clone."""

    def logs(self, name: str, lines: int = 40) -> str:
        return "LOG:  pausing at the end of recovery"


class DamagedTail(WorldFiles):
    """The world's files, where the server's own last segment is no WAL."""

    def tail(self, server: Server) -> Sequence[WalFile]:
        before, written, recycled = super().tail(server)
        return [before, replace(written, wrong="only zeros"), recycled]
