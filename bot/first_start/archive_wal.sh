#!/bin/sh
# archive_command: archive_wal.sh %p %f
# Copies one WAL file into the archive so that it is there whole or not at all, on disk before the server
# forgets it. A file of the same name is success if it is the same file, and a refusal otherwise: two
# servers that write into one archive must never mix.
set -eu

source=$1
name=$2
archive=/backups/postgres/wal

# Docker makes a missing bind path as an empty directory; the mark tells the real archive from that.
[ -e "$archive/.archive-id" ] || { echo "archive_wal: $archive is not the archive (no .archive-id)" >&2; exit 1; }

if [ -e "$archive/$name" ]; then
    cmp -s "$source" "$archive/$name" && exit 0
    echo "archive_wal: $name is archived already with other content" >&2
    exit 1
fi

draft="$archive/.$name.draft"
cp "$source" "$draft"
chmod 0644 "$draft"
sync "$draft"
mv "$draft" "$archive/$name"
sync "$archive"
