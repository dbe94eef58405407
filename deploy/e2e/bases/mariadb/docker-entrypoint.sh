#!/bin/bash
# The first start makes the database and its user, as that of the public image does.
set -eu

data=/var/lib/mysql
quoted() { local text; text=$(cat "$1"); echo "${text//\'/\'\'}"; }

if [ ! -d "$data/mysql" ]; then
	new=$data/.new
	rm -rf "$new"
	mariadb-install-db --datadir="$new" --auth-root-authentication-method=normal --skip-test-db >/dev/null
	# One statement a line.
	mariadbd --bootstrap --datadir="$new" --skip-grant-tables=0 --socket=/tmp/bootstrap.sock <<SQL
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$(quoted "$MARIADB_ROOT_PASSWORD_FILE")';
CREATE DATABASE \`$MARIADB_DATABASE\`;
CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$(quoted "$MARIADB_PASSWORD_FILE")';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
SQL
	mv "$new"/* "$data"/
	rm -rf "$new"
	for script in /docker-entrypoint-initdb.d/*.sh; do [ ! -e "$script" ] || . "$script"; done
fi
exec "$@" --datadir="$data" --socket=/run/mysqld/mysqld.sock --pid-file=/run/mysqld/mysqld.pid --bind-address=0.0.0.0 --skip-name-resolve
