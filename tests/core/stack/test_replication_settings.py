"""The settings with which a standby reaches its primary: whose they are, and what is no address."""

from __future__ import annotations

import pytest

from actions.settings.settings import Settings

PRIMARY = {"name": "db", "kind": "postgres", "address": "10.0.0.5:5433", "replication_user": "r"}
STANDBY = {"name": "db-2", "kind": "postgres", "follows": "db"}


def settings(**site: str) -> Settings:
    return Settings.model_validate({"site": {"name": "main", **site}, "services": [PRIMARY, STANDBY]})


def test_an_address_is_that_of_one_server_alone() -> None:
    made = settings(replication_from="10.0.0.0/24")
    primary, standby = made.server("db", "main"), made.server("db-2", "main")
    assert primary is not None
    assert standby is not None
    assert (primary.address, primary.replication_user) == ("10.0.0.5:5433", "r")
    assert (standby.address, standby.replication_user) == ("", "")
    assert standby.replication_from == "10.0.0.0/24"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("address", "10.0.0.5 5432"),
        ("address", "db:port"),
        ("replication_from", "samenet trust\nhost all all all"),
        ("replication_from", ""),
        ("replication_user", "Robert'); drop"),
    ],
)
def test_what_would_become_part_of_a_line_or_a_statement_is_looked_at(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings(**{name: said})
