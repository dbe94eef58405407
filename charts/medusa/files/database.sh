#!/bin/sh
# Starts PostgreSQL, and makes its data before the first start. What is made gets its name
# when it is complete, so that a first start that was interrupted begins again.
set -eu

data=$VOLUME/data
password=$(cat "$CREDENTIALS/database-password")

# Nobody signs in as the superuser but from inside the pod. The application's user owns
# its database and nothing else.
make_data() {
	new=$VOLUME/new
	rm -rf "$new"
	initdb --pgdata="$new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256
	cat >"$new/pg_hba.conf" <<-RULES
		local all    postgres     peer
		host  medusa medusa   all scram-sha-256
	RULES
	# On standard input, as arguments are seen by every process.
	postgres --single -D "$new" -j postgres >/dev/null <<SQL
CREATE ROLE medusa LOGIN PASSWORD '$password';

CREATE DATABASE medusa OWNER medusa;

SQL
	sync
	mv "$new" "$data"
}

[ -d "$data" ] || make_data
exec postgres -D "$data" -c listen_addresses='*' "$@"
