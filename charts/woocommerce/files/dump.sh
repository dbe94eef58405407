#!/bin/sh
# Writes the database to standard output, as it was at one moment. Tables without transactions must be
# locked for that, and are counted in $WORK/locked.
set -eu
umask 077

access=$(mktemp)
trap 'rm -f "$access"' EXIT
password=$(sed 's/["\\]/\\&/g' "$CREDENTIALS/database-password")
printf '[client]\nhost=%s\nport=%s\nuser=wordpress\npassword="%s"\n' "$DATABASE_HOST" "$DATABASE_PORT" "$password" >"$access"

count="SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'"
locked=$(mariadb --defaults-extra-file="$access" --batch --skip-column-names --execute="$count" wordpress)
consistency=--single-transaction
[ "$locked" = 0 ] || consistency=--lock-tables
echo "$locked" >"$WORK/locked"

mariadb-dump --defaults-extra-file="$access" "$consistency" --quick --hex-blob --routines --triggers --events \
	--default-character-set=utf8mb4 --skip-dump-date --max-allowed-packet=512M wordpress
