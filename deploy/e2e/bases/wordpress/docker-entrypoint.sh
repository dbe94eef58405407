#!/bin/bash
# The first start fills the shop's volume.
set -eu
if [ ! -e wp-includes/version.php ]; then
	echo 'WordPress not found in the volume: copying it'
	cp -r /usr/src/wordpress/. .
	rm wp-config-docker.php
fi
[ -s wp-config.php ] || { cp /usr/src/wordpress/wp-config-docker.php wp-config.php.new && mv wp-config.php.new wp-config.php; }
exec "$@"
