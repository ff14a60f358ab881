"""Building a standby, as steps may ask for it: the copy of its primary over the network, and what makes it follow.

Everything is done from where the standby is: in a container of its image, in its container's networks. A change on
another container than the one that a `Server` names is refused. Every method that changes something may be repeated.
"""

from __future__ import annotations

from typing import Protocol

from actions.postgres.following import PrimaryAddress
from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.progress import Progress


class Standbys(Protocol):
    """The standby's side, and the primary's pg_hba.conf. Its password stands in a passfile and nowhere else."""

    def major(self, server: Server) -> int:
        """Which PostgreSQL the image of the standby's container has."""

    def has_tables(self, server: Server) -> bool:
        """Whether anybody has put rows into what lies in the data directory: it holds tables of no initdb."""

    def reaches(self, server: Server, upstream: PrimaryAddress) -> str:
        """Empty where a server answers at that address in the standby's networks, else what was said instead."""

    def passfile(self, server: Server, names: Names) -> str:
        """The line of the run's passfile that was laid; empty where none was."""

    def own_passfile(self, server: Server) -> str:
        """The line of the passfile in its data directory, which it has from when it was a standby; empty without."""

    def lay_passfile(self, server: Server, names: Names, line: str) -> None:
        """Lay the passfile beside the data directory, for its server's user alone."""

    def withdraw_passfile(self, server: Server, names: Names) -> None:
        """Remove it; finds nothing to do where there is none."""

    def identify(self, server: Server, names: Names, upstream: PrimaryAddress) -> str:
        """The system identifier that the primary gives to a replication connection with the passfile.

        Raises:
            LoginRefused: it lets nobody in so; `detail` is what it said.
        """

    def copy(
        self, server: Server, names: Names, upstream: PrimaryAddress, total: int, progress: Progress, rate: str = ""
    ) -> None:
        """pg_basebackup of the primary into the clone's directory, its WAL streamed along by the slot.

        One that is whole is left as it is; what an attempt that was cut off left is removed first. `rate` as of
        `PostgresFiles.take_base`.
        """

    def copied(self, server: Server, names: Names) -> bool:
        """Whether the clone's directory has its manifest, which comes last."""

    def follow(self, server: Server, names: Names, settings: str) -> None:
        """Make a standby of the clone: these lines of postgresql.auto.conf, the passfile, standby.signal."""

    def lay_rule(self, server: Server, hba_file: str, run: str, rule: str) -> None:
        """Put a rule before all others of pg_hba.conf, with a comment that names the run; once."""

    def withdraw_rule(self, server: Server, hba_file: str, run: str) -> None:
        """Take the run's rule out again; finds nothing to do where there is none."""
