#!/bin/sh
# Writes the database to standard output, as it was at one moment. It isn't compressed, so that what has
# not changed since the last dump is found again.
set -eu
umask 077

PGPASSFILE=$(mktemp)
export PGPASSFILE
trap 'rm -f "$PGPASSFILE"' EXIT
password=$(sed 's/[:\\]/\\&/g' "$CREDENTIALS/database-password")
printf '*:*:medusa:medusa:%s\n' "$password" >"$PGPASSFILE"

pg_dump --format=custom --compress=0 --no-privileges --lock-wait-timeout=60000 --no-password \
	--host="$DATABASE_HOST" --port="$DATABASE_PORT" --username=medusa medusa
