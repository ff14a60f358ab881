#!/bin/sh
# Runs once, after the cluster was created: marks the archive with the cluster's system identifier, so that
# the archive can be told from an empty directory, and from that of another server.
set -eu

mark=/backups/postgres/wal/.archive-id
id=$(psql -XAtU postgres -d postgres -c 'SELECT system_identifier FROM pg_control_system()')
if [ -s "$mark" ] && [ "$(cat "$mark")" != "$id" ]; then
    echo "mark_archive: the archive belongs to the system $(cat "$mark"), and this one is $id" >&2
    exit 1
fi
umask 022
echo "$id" > "$mark"
