"""What the database holds before the town starts to talk: the first messages, noted, and optional weight."""

from __future__ import annotations

from lab.database import connected
from lab.engine import Say
from lab.home import Lab
from lab.notes import Note, append

_FIRST_MESSAGES = """
    SELECT m.id, c.name, md5(m.body), pg_current_wal_flush_lsn()::text,
           ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int,
           to_char(pg_xact_commit_timestamp(m.xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM nchat_messages m JOIN nchat_channels c ON c.id = m.channel_id ORDER BY m.id
"""
# A row of just under a page that does not compress, so that a gigabyte asked for is a gigabyte on disk.
_WEIGHT = """
    INSERT INTO nchat_attachments (content)
    SELECT encode(gen_random_bytes(990 + 0 * n), 'hex') || encode(gen_random_bytes(990 + 0 * n), 'hex')
        || encode(gen_random_bytes(990 + 0 * n), 'hex') || encode(gen_random_bytes(990 + 0 * n), 'hex')
    FROM generate_series(1, %s) AS n
"""
_ROWS_A_GIGABYTE = 131_072
_ROWS_AT_ONCE = 16_384


def note_first_messages(lab: Lab) -> None:
    """Writes the messages of the schema into the truth; only once, when nothing is noted yet."""
    if lab.truth_file.exists():
        return
    with connected(lab) as connection:
        rows = connection.execute(_FIRST_MESSAGES).fetchall()
    append(
        lab.truth_file,
        *(
            Note(
                kind="message",
                id=ident,
                channel=channel,
                body_md5=digest,
                lsn=lsn,
                timeline=timeline,
                commit_time=moment,
                exact=False,
            )
            for ident, channel, digest, lsn, timeline, moment in rows
        ),
    )


def add_weight(lab: Lab, gigabytes: float, say: Say) -> None:
    """Grows the attachments to this size; what is there already counts."""
    with connected(lab) as connection:
        have = connection.execute("SELECT count(*) FROM nchat_attachments").fetchone()
        missing = int(gigabytes * _ROWS_A_GIGABYTE) - (int(have[0]) if have else 0)
        for done in range(0, missing, _ROWS_AT_ONCE):
            say(f"Growing the database: {done / _ROWS_A_GIGABYTE:.1f} of {missing / _ROWS_A_GIGABYTE:.1f} GB.")
            connection.execute(_WEIGHT, (min(_ROWS_AT_ONCE, missing - done),))
        # With checksums, whoever reads fresh rows first writes every page of them into the WAL once more.
        connection.execute("VACUUM nchat_attachments")
