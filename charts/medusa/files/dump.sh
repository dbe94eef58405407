#!/bin/sh
# Writes the database to standard output, as it was at one moment. It isn't compressed, so that what has
# not changed since the last dump is found again. What the shop has is counted in $WORK/contents.
set -eu
umask 077

PGPASSFILE=$(mktemp)
export PGPASSFILE
trap 'rm -f "$PGPASSFILE"' EXIT
password=$(sed 's/[:\\]/\\&/g' "$CREDENTIALS/database-password")
printf '*:*:medusa:medusa:%s\n' "$password" >"$PGPASSFILE"

# Whatever isn't there is no reason to fail.
psql --no-psqlrc --quiet --tuples-only --no-align --no-password --host="$DATABASE_HOST" --port="$DATABASE_PORT" --username=medusa \
	--command="SELECT json_build_object('orders', (SELECT count(*) FROM \"order\" WHERE deleted_at IS NULL AND NOT is_draft_order),
		'products', (SELECT count(*) FROM product WHERE deleted_at IS NULL), 'customers', (SELECT count(*) FROM customer WHERE deleted_at IS NULL))" \
	medusa >"$WORK/contents" 2>/dev/null || rm -f "$WORK/contents"

pg_dump --format=custom --compress=0 --no-privileges --lock-wait-timeout=60000 --no-password \
	--host="$DATABASE_HOST" --port="$DATABASE_PORT" --username=medusa medusa
