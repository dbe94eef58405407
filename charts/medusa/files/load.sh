#!/bin/sh
# Replaces everything in the store's database by the dump on standard input, in one transaction. The marks
# of the setup are left out: Medusa must not start before the setup of this store has ended.
set -eu
umask 077

PGPASSFILE=$(mktemp)
answer=$(mktemp)
said=$(mktemp)
export PGPASSFILE
trap 'rm -f "$PGPASSFILE" "$answer" "$said"' EXIT
password=$(sed 's/[:\\]/\\&/g' "$CREDENTIALS/database-password")
printf '*:*:medusa:medusa:%s\n' "$password" >"$PGPASSFILE"

client() {
	psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \
		--host="$DATABASE_HOST" --port="$DATABASE_PORT" --username=medusa --dbname=medusa "$@"
}

end=$(($(date +%s) + PATIENCE))
until client --command='SELECT 1' >/dev/null 2>"$answer"; do
	[ "$(date +%s)" -lt "$end" ] || { cat "$answer" >&2; exit 1; }
	sleep 1
done

# A pipeline hides that its first command failed: then the transaction is not committed, and the last
# answer doesn't come.
{
	cat <<-'SQL'
		SET client_min_messages = warning;
		BEGIN;
		DO $$ DECLARE name text; BEGIN
			FOR name IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' LOOP
				EXECUTE format('DROP SCHEMA %I CASCADE', name);
			END LOOP;
		END $$;
		CREATE SCHEMA public;
	SQL
	pg_restore --no-owner --no-privileges --file=- 2>"$said" &&
		printf '%s\n' 'DROP TABLE IF EXISTS public.shopwright_setup;' 'COMMIT;' '\echo loaded'
} | client >"$answer"
[ "$(tail -n 1 "$answer")" = loaded ] || { cat "$said" >&2; echo "The dump was not read to its end" >&2; exit 1; }
