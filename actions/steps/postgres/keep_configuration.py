"""The configuration of the server after a recovery: the live one's is kept, unless people choose the backup's."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Away, RecoveryError
from actions.engine.facts import volatile
from actions.engine.procedure import Answer
from actions.postgres.config_changes import Changes, changes
from actions.postgres.config_files import place_of
from actions.postgres.server import Server
from actions.steps.postgres.target import Base
from actions.tools.names import Names
from actions.tools.postgres_files import PostgresFiles
from actions.wording import counted

CUT_OVER = "Cut over"
WITH_BACKUPS = "Cut over, configuration from the backup"
CONFIGURATION_SHOWN = 12


@dataclass(frozen=True)
class ConfigurationKept:
    """How the live server's configuration differs from the one that the restored data came with.

    `kept` is what keeping it takes. `broken` is the server's own word where the live one does not load,
    `broken_backup` the same of the other. `prepared` and `prepared_backup` are the max_prepared_transactions
    that they give. `unknown` says why nothing could be compared.
    """

    kept: Changes
    broken: str = volatile(default="")
    broken_backup: str = volatile(default="")
    prepared: int | None = volatile(default=None)
    prepared_backup: int | None = volatile(default=None)
    unknown: str = volatile(default="")

    @property
    def differs(self) -> bool:
        """Whether there is something to choose."""
        return bool(self.kept.lines)

    def says(self) -> str:
        """In one line."""
        if self.unknown:
            return f"not known: {self.unknown}"
        told = len(self.kept.lines)
        return f"{told} difference{'' if told == 1 else 's'}; the live server's is kept" if told else "as in the backup"


def foresee_configuration(base: Base, server: Server, files: PostgresFiles) -> ConfigurationKept:
    """Compare the live server's files with those in the base backup, before anything is restored."""
    try:
        return _compare(server, files, backup=base.name)
    except Away:
        raise
    except RecoveryError as trouble:
        # It is looked at again before the cut-over, and has to be known then.
        return ConfigurationKept(Changes(), unknown=trouble.message)


def compare_configuration(server: Server, names: Names, files: PostgresFiles) -> ConfigurationKept:
    """Compare the live server's files with those in the clone: what is approved, and then done."""
    return _compare(server, files, leaf=names.clone_leaf(server.home))


def _compare(server: Server, files: PostgresFiles, *, leaf: str = "", backup: str = "") -> ConfigurationKept:
    live, other = files.configuration(server, leaf, backup)
    if not other.there:
        return ConfigurationKept(
            Changes(),
            live.broken,
            prepared=live.prepared,
            unknown="the backup's files cannot be read before it is restored",
        )
    kept = changes(live, other, place_of(server.command, server.home.inside))
    return ConfigurationKept(kept, live.broken, other.broken, live.prepared, other.prepared)


def keep_configuration(
    configuration: ConfigurationKept, approval: Answer, server: Server, names: Names, files: PostgresFiles
) -> None:
    """Put the live server's configuration into the clone, which is stopped; the live directory is only read."""
    if approval.option != WITH_BACKUPS and (configuration.kept.lays or configuration.kept.away):
        files.lay_configuration(server, names, configuration.kept)


def configuration_is_kept(
    configuration: ConfigurationKept, approval: Answer, server: Server, names: Names, files: PostgresFiles
) -> bool:
    """Whether every file of the clone is the one that people were shown."""
    kept = configuration.kept
    if approval.option == WITH_BACKUPS or not (kept.lays or kept.away):
        return True
    there = files.configuration(server, names.clone_leaf(server.home))[1].files
    return all(there[one.path].digest == one.digest if one.path in there else False for one in kept.lays) and not any(
        path in there for path in kept.away
    )


def configuration_rows(configuration: ConfigurationKept) -> tuple[tuple[str, str], ...]:
    """For the sheet of what changes besides rows."""
    lines = configuration.kept.lines
    if configuration.unknown:
        return (("Configuration", configuration.says()),)
    if not lines:
        return ()
    more = (
        ((f"and {len(lines) - CONFIGURATION_SHOWN} more", "in the file that goes along"),)
        if len(lines) > CONFIGURATION_SHOWN
        else ()
    )
    return (
        ("Configuration", f"{counted(len(lines), 'difference')} from the backup; the live server's is kept"),
        *(tuple(line.split(": ", 1)) for line in lines[:CONFIGURATION_SHOWN]),
        *more,
    )


def what_became_of_configuration(
    configuration: ConfigurationKept, approval: Answer, names: Names
) -> tuple[tuple[str, str], ...]:
    """For the report."""
    if not configuration.differs:
        return ()
    if approval.option == WITH_BACKUPS:
        return (("Configuration", f"of the backup, as {approval.by} chose; the other lies in the old data directory"),)
    replaced = ", ".join(one.path for one in configuration.kept.lays)
    return (("Configuration", f"kept from the live server: {replaced}; the backup's lie beside, *.before_{names.run}"),)


def configuration_alerts(configuration: ConfigurationKept, server: Server) -> tuple[str, ...]:
    """What must not be overlooked of it."""
    found = []
    if configuration.broken:
        what = f"The live server's configuration does not load: {configuration.broken}."
        found.append(f"{what} {_way_out(configuration)}")
    elif server.state != "running" and configuration.differs:
        found.append(f"The live server is {server.state}. If its configuration is why, choose '{WITH_BACKUPS}'.")
    if configuration.kept.missing:
        found.append(f"Missing from the live server, so the backup's is used: {', '.join(configuration.kept.missing)}.")
    return tuple(found)


def _way_out(configuration: ConfigurationKept) -> str:
    if configuration.broken_backup:
        return f"Nor does the backup's: {configuration.broken_backup}. Mend it before the cut-over."
    return f"Mend it, or choose '{WITH_BACKUPS}'."
