#!/bin/sh
# Replaces everything in the store's database by the dump on standard input.
set -eu
umask 077

access=$(mktemp)
answer=$(mktemp)
said=$(mktemp)
trap 'rm -f "$access" "$answer" "$said"' EXIT
password=$(sed 's/["\\]/\\&/g' "$CREDENTIALS/database-password")
printf '[client]\nhost=%s\nport=%s\nuser=wordpress\npassword="%s"\nconnect-timeout=5\n' "$DATABASE_HOST" "$DATABASE_PORT" "$password" >"$access"

client() { mariadb --defaults-extra-file="$access" --batch --skip-column-names "$@"; }

end=$(($(date +%s) + PATIENCE))
until client --execute='SELECT 1' >/dev/null 2>"$answer"; do
	[ "$(date +%s)" -lt "$end" ] || { cat "$answer" >&2; exit 1; }
	sleep 1
done

# The store's user may make its own database only. It takes tables, views, routines and events with it.
client --execute='DROP DATABASE IF EXISTS wordpress; CREATE DATABASE wordpress'

# Views and routines may be of a user that this server doesn't have: they become ours. Such a line begins
# with CREATE, which no line of data does. A pipeline hides that its first command failed: only the end of
# the dump brings the last answer.
failed=0
definer='DEFINER=`[^`]*`@`[^`]*`'
LC_ALL=C sed -e "s,^\\(/\\*![0-9]* CREATE\\*/\\) /\\*![0-9]* $definer\\*/,\\1," \
	-e "s,^\\(CREATE\\) $definer,\\1," \
	-e "s,^\\(/\\*![0-9]*\\) $definer\\( SQL SECURITY\\),\\1\\2," \
	-e "\$a\\
SELECT 'loaded';" |
	client --max-allowed-packet=512M wordpress >"$answer" 2>"$said" || failed=$?
# The client repeats the statement that failed, and the server quotes it: customers' data, which must not end in
# Shopwright's records.
LC_ALL=C sed -n "/^ERROR/s/\\(near\\|entry\\|value:\\{0,1\\}\\) '.*/\\1 …/;/^ERROR/p" "$said" >&2
[ "$failed" = 0 ] || exit "$failed"
tail -n 1 "$answer" | grep -q -x loaded || { echo "The dump was not read to its end" >&2; exit 1; }
