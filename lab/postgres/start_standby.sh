#!/usr/bin/env bash
# Starts a standby: the first time it copies the primary, then it follows it. Runs as root, the server does not.
# PRIMARY_HOST, STANDBY_NAME and STANDBY_SLOT say whom it follows, as whom, and by which slot.
set -Eeuo pipefail

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$@"; }

passfile=/var/lib/postgresql/standby.pgpass
install -o postgres -g postgres -m 0600 /dev/null "$passfile"
printf '%s:*:*:replicator:%s\n' "$PRIMARY_HOST" "$(cat /run/secrets/replication_password)" >"$passfile"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # Into a folder beside it and then renamed: a copy that was cut off is no cluster.
    copy=$PGDATA/.copying
    rm -rf "$copy"
    install -d -o postgres -g postgres -m 0700 "$PGDATA" "$copy"
    as_postgres pg_basebackup -D "$copy" -R -X stream -c fast -S "$STANDBY_SLOT" \
        -d "host=$PRIMARY_HOST user=replicator passfile=$passfile application_name=$STANDBY_NAME"
    rm -f "$copy/PG_VERSION.last"
    mv "$copy/PG_VERSION" "$copy/PG_VERSION.last"
    find "$copy" -mindepth 1 -maxdepth 1 -exec mv -t "$PGDATA" '{}' +
    rmdir "$copy"
    mv "$PGDATA/PG_VERSION.last" "$PGDATA/PG_VERSION"
fi
exec docker-entrypoint.sh "$@"
