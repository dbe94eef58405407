#!/bin/sh
# Starts MariaDB. The image makes the database and its user when there are no data yet; where
# that was interrupted it would go on without the user, so it begins anew. files/made.sh
# notes when it came to its end. Data from before there was such a note have tables in them.
set -eu

data=/var/lib/mysql
made=$data/.shopwright-made

if [ -d "$data/mysql" ] && [ ! -e "$made" ]; then
	if [ -n "$(find "$data/wordpress" -name '*.ibd' 2>/dev/null | head -n 1)" ]; then
		touch "$made"
	else
		echo "the first start was interrupted: beginning anew"
		find "$data" -mindepth 1 -delete
	fi
fi
# A row takes up to twice its length in a dump, which has to be loaded again.
exec docker-entrypoint.sh mariadbd --max-allowed-packet=256M "$@"
