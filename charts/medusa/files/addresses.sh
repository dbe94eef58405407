#!/bin/sh
# Gives the data of a restore point the store's own URL, and marks them for the setup, which lets the owner in.
set -eu
umask 077

PGPASSFILE=$(mktemp)
export PGPASSFILE
trap 'rm -f "$PGPASSFILE"' EXIT
password=$(sed 's/[:\\]/\\&/g' "$CREDENTIALS/database-password")
printf '*:*:medusa:medusa:%s\n' "$password" >"$PGPASSFILE"

psql --no-psqlrc --no-password --quiet --single-transaction --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \
	--host="$DATABASE_HOST" --port="$DATABASE_PORT" --username=medusa --dbname=medusa \
	--set=old="$(cat "$TARGET/old-url")" --set=new="$SHOP_URL" --file="$SQL"
