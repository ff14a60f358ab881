"""Files of a server that no WAL tells of: its configuration, its slots, and what it keeps of prepared transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actions.postgres.config_changes import Changes
from actions.postgres.config_files import ConfigTree
from actions.postgres.server import Server
from actions.tools.names import Names


class UnwrittenFiles(Protocol):
    """The part of `PostgresFiles` that is about them. The live directory is only read."""

    def configuration(self, server: Server, leaf: str = "", backup: str = "") -> tuple[ConfigTree, ConfigTree]:
        """The configuration files of the live directory; and of another one beside it, or of a base backup."""

    def lay_configuration(self, server: Server, names: Names, changes: Changes) -> None:
        """Put the live server's configuration into the clone; what it replaces becomes `<file>.before_<run>`.

        Raises:
            RecoveryError: a file of the live server is not what the changes name.
        """

    def slot_states(self, server: Server) -> Sequence[bytes]:
        """The first bytes of each slot's state file in the live directory, for `parse_slot_file`."""

    def prepared_states(self, server: Server, names: Names) -> Sequence[bytes]:
        """The first bytes of each prepared transaction's state file in the clone, for `parse_state_file`."""

    def prepared_records(
        self, server: Server, names: Names, stretches: Sequence[tuple[int, str, str]], at: str = ""
    ) -> Sequence[str]:
        """Lines of pg_waldump on the clone's WAL that begin a prepared transaction which does not end there.

        A stretch is a timeline with its first and last position; with `at` the record there is read too.
        """

    def first_relation(
        self, server: Server, names: Names, stretches: Sequence[tuple[int, str, str]], xid: int
    ) -> Sequence[str]:
        """The first line on the clone's WAL in which a transaction names a relation; nothing where none does."""
