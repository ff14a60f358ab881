"""Building the standby: its password, the copy of the primary beside its data, and the settings that make it follow.

The password is made in the act that lays it, and is in no fact: tried again, what was laid is set.
"""

from __future__ import annotations

import posixpath
import secrets
from datetime import timedelta

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import parse_controldata
from actions.postgres.following import PASSFILE, PrimaryAddress, password_in, settings_of
from actions.postgres.primary_state import PrimaryState
from actions.postgres.quoting import literal
from actions.postgres.scram import SALT_BYTES, scram_verifier
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.replication.plan_changes import StandbyChanges
from actions.steps.replication.prepare_primary import ask_leader, wait_until_unread
from actions.tools.folders import Folders
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.progress import Progress
from actions.tools.registry import SiteTools
from actions.tools.sql import LoginRefused
from actions.tools.standbys import Standbys
from actions.tools.throughput import Throughput

COPY_LIMIT = timedelta(hours=24)
COPIES = "standby copy"
"""The phase under which this host's figures of such copies are kept."""
_PASSWORD_BYTES = 24


def give_password(
    upstream: PrimaryAddress, leader: Server, server: Server, names: Names, standbys: Standbys, there: SiteTools
) -> None:
    """Give the role a random password, and lay it for the standby's server alone; the primary sees a verifier.

    Raises:
        RecoveryError: the primary does not let the standby in with it, or somebody else answers at that address.
    """
    laid = standbys.passfile(server, names)
    # One that it has from before stays: with another one, an undo would bring back a standby that is shut out.
    own = standbys.own_passfile(server)
    before = password_in(own) if own == upstream.passfile_line(password_in(own)) else ""
    password = password_in(laid) or before or secrets.token_urlsafe(_PASSWORD_BYTES)
    if not laid:
        standbys.lay_passfile(server, names, upstream.passfile_line(password))
    verifier = scram_verifier(password, secrets.token_bytes(SALT_BYTES))
    ask_leader(f"alter role {upstream.role} password {literal(verifier)}", leader, there)
    try:
        found = standbys.identify(server, names, upstream)
    except LoginRefused as refused:
        raise RecoveryError(
            f"{leader.service} does not let {server.service} in as {upstream.role}.",
            code="MD-REP-002",
            detail=refused.detail,
            hint="Where it names another address than those of the line in pg_hba.conf, write that into "
            f"{leader.setting('replication_from')}, Undo, and ask again; else Retry.",
        ) from refused
    if found != leader.system_identifier:
        raise RecoveryError(
            f"Another server than {leader.service} answers at {upstream.at}.",
            code="MD-REP-003",
            detail=f"Its system identifier is {found}, not {leader.system_identifier}.",
            hint=f"Correct {leader.setting('address')}, Undo, and ask again.",
        )


def may_log_in(upstream: PrimaryAddress, leader: Server, server: Server, names: Names, standbys: Standbys) -> bool:
    """Whether the primary lets the standby in with what was laid, over the standby's own networks."""
    try:
        return standbys.identify(server, names, upstream) == leader.system_identifier
    except LoginRefused:
        return False


def withdraw_password(server: Server, names: Names, standbys: Standbys) -> None:
    """Remove the passfile; the role's password is of no use without it."""
    standbys.withdraw_passfile(server, names)


def copy_primary(
    upstream: PrimaryAddress,
    state: PrimaryState,
    leader: Server,
    server: Server,
    names: Names,
    site: SiteConfig,
    standbys: Standbys,
    throughput: Throughput,
    polling: Polling,
    progress: Progress,
    there: SiteTools,
) -> None:
    """Take a base backup of the primary into a folder beside the standby's data, at the pace of the settings."""
    wait_until_unread(upstream, leader, there, polling)
    began = polling.seconds()
    standbys.copy(server, names, upstream, state.bytes, progress, site.backup_rate)
    throughput.note(COPIES, state.bytes, polling.seconds() - began)


def copy_is_whole(server: Server, names: Names, files: PostgresFiles, standbys: Standbys) -> bool:
    """Whether the copy is just what its manifest says, byte for byte.

    Raises:
        RecoveryError: it is not.
    """
    if not standbys.copied(server, names):
        return False
    if wrong := files.verify_base(server, names):
        raise RecoveryError(
            "The copy of the primary is not what its manifest says.",
            code="MD-REP-004",
            detail=wrong,
            hint="Look at the disk of the standby; Undo, and ask again.",
        )
    return True


def set_copy_aside(server: Server, names: Names, site: SiteConfig, folders: Folders) -> None:
    """Rename the copy out of the way; a person removes it later."""
    label = {"run": names.run, "why": "the standby was given up", "keep_days": str(site.kept_days)}
    folders.set_aside(server.data, names, label)


def make_follow(
    upstream: PrimaryAddress,
    changes: StandbyChanges,
    leader: Server,
    server: Server,
    names: Names,
    files: PostgresFiles,
    folders: Folders,
    standbys: Standbys,
) -> None:
    """Write what makes a standby of the copy, and mark it as whole.

    Raises:
        RecoveryError: the copy is of another cluster than the primary's.
    """
    found = parse_controldata(files.control(server, names.clone_leaf(server.home))).system_identifier
    if found != leader.system_identifier:
        raise RecoveryError(
            "The copy is of another cluster than the primary of the plan.",
            code="MD-REP-005",
            detail=f"Its system identifier is {found}, not {leader.system_identifier}.",
            hint="Undo, and ask again; the standby's old data is where it was.",
        )
    passfile = posixpath.join(server.home.inside, PASSFILE)
    standbys.follow(server, names, settings_of(upstream, passfile, changes.limits))
    folders.complete(server.data, names)


def follows(server: Server, names: Names, folders: Folders) -> bool:
    """Whether the copy is marked as whole, which is done last."""
    return folders.leaves(server.data, names).clone_complete
