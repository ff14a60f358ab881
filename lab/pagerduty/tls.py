"""A certificate of its own: PagerDuty's client speaks to https alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """`authority` is the public file that a client must trust, `server` the server's key and certificate."""

    authority: Path
    server: Path


def certificate_in(folder: Path) -> Certificate:
    """The certificate of a folder, made at the first time: who trusted it yesterday still does today."""
    made = Certificate(folder / "pagerduty-ca.pem", folder / "pagerduty-server.pem")
    if made.authority.exists() and made.server.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Mayday practice company")
    server = authority.issue_cert("127.0.0.1", "localhost")
    made.server.touch(mode=0o600)
    server.private_key_and_cert_chain_pem.write_to_path(str(made.server))
    # Whoever waits for the file reads it as soon as it is there.
    beside = made.authority.with_suffix(".new")
    authority.cert_pem.write_to_path(str(beside))
    beside.replace(made.authority)
    return made
