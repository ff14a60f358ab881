"""A direct connection to the practice company's live database, for the lab's own bookkeeping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from actions.engine.errors import RecoveryError
from lab.home import DATABASE, Lab


@contextmanager
def connected(lab: Lab, service: str = "postgres") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Opens a connection in autocommit mode; an unreachable server becomes an error for people."""
    try:
        connection = psycopg.connect(
            host="127.0.0.1",
            port=lab.port(service),
            dbname=DATABASE,
            user="postgres",
            password=lab.password_file.read_text().strip(),
            application_name="lab",
            connect_timeout=5,
            options="-c timezone=UTC",
            autocommit=True,
        )
    except (psycopg.OperationalError, FileNotFoundError) as problem:
        raise RecoveryError(
            "The practice company's database cannot be reached.",
            detail=str(problem).strip(),
            hint="See what runs with: mayday lab status",
        ) from problem
    with connection:
        yield connection
