#!/usr/bin/env bash
# Starts PostgreSQL in a container, and creates the cluster first where there is none.
# It honours the environment of the official image: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB,
# POSTGRES_INITDB_ARGS, POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD, and the _FILE form of each.
set -Eeo pipefail

say() { printf 'entrypoint: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Gives a setting its value from NAME, from the file that NAME_FILE names, or from the default.
setting() {
    local name=$1 default=${2:-} file_name="${1}_FILE"
    [ -z "${!name:-}" ] || [ -z "${!file_name:-}" ] || fail "both $name and $file_name are set; set one of them."
    local value=${!name:-$default}
    [ -z "${!file_name:-}" ] || value=$(<"${!file_name}")
    export "$name=$value"
    unset "$file_name"
}

prepare_directories_as_root() {
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    chmod 3775 /var/run/postgresql
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
        mkdir -p "$POSTGRES_INITDB_WALDIR"
        chown -R postgres "$POSTGRES_INITDB_WALDIR"
        chmod 0700 "$POSTGRES_INITDB_WALDIR"
    fi
}

read_settings() {
    setting POSTGRES_PASSWORD
    setting POSTGRES_USER postgres
    setting POSTGRES_DB "$POSTGRES_USER"
    setting POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

require_a_password() {
    [ -n "$POSTGRES_PASSWORD" ] || [ "$POSTGRES_HOST_AUTH_METHOD" = trust ] ||
        fail "no superuser password. Set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE."
}

create_cluster() {
    local wal_directory=()
    [ -z "${POSTGRES_INITDB_WALDIR:-}" ] || wal_directory=(--waldir "$POSTGRES_INITDB_WALDIR")
    # The arguments are a shell line in the official image too, quotes included.
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${wal_directory[@]}" '"$POSTGRES_INITDB_ARGS"
    local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

in_the_database() { PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password -U "$POSTGRES_USER" "$@"; }

run_first_scripts() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) say "running $file"; if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) say "running $file"; in_the_database --dbname "$POSTGRES_DB" -f "$file" ;;
            *.sql.gz) say "running $file"; gunzip -c "$file" | in_the_database --dbname "$POSTGRES_DB" ;;
            *) [ ! -e "$file" ] || say "ignoring $file" ;;
        esac
    done
}

# While it is being prepared, the server listens on its socket alone: nobody meets a half-made database.
fill_cluster() {
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses='' -p "${PGPORT:-5432}")" -w start
    if [ "$POSTGRES_DB" != postgres ]; then
        printf 'CREATE DATABASE :"db";\n' | in_the_database --dbname postgres --set db="$POSTGRES_DB"
    fi
    run_first_scripts
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
}

main() {
    [ "${1:0:1}" != - ] || set -- postgres "$@"
    if [ "$1" = postgres ] && [[ " $* " != *" --help "* && " $* " != *" --version "* && " $* " != *" -C "* ]]; then
        if [ "$(id -u)" = 0 ]; then
            prepare_directories_as_root
            exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$BASH_SOURCE" "$@"
        fi
        read_settings
        if [ -s "$PGDATA/PG_VERSION" ]; then
            say "the data directory holds a cluster; nothing is initialised."
        else
            require_a_password
            mkdir -p "$PGDATA"
            chmod 0700 "$PGDATA"
            create_cluster "${@:2}"
            fill_cluster "${@:2}"
            say "the cluster is initialised."
        fi
        unset POSTGRES_PASSWORD
    fi
    exec "$@"
}

main "$@"
