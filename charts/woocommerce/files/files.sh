#!/bin/sh
# Restores the files of a point into the volume, which the shop's pod has mounted too. What the image
# brings is left to files/code.sh, which runs afterwards.
set -eu

html=/var/www/html
notes=/var/lib/shopwright
restore=/restore/restore.sh

# The pod's first start writes to the same folders.
end=$(($(date +%s) + PATIENCE))
until [ -f "$html/wp-config.php" ] && [ "$(cat "$notes/image" 2>/dev/null)" = "$SHOP_IMAGE" ]; do
	[ "$(date +%s)" -lt "$end" ] || { echo "The shop’s pod didn’t bring its code within $PATIENCE seconds" >&2; exit 1; }
	sleep 1
done
# As does a later one. A file system without locks is no reason to fail.
exec 9>"$notes/lock"
flock 9 || true

rm -f "$html/.shopwright-installed" # the pod would be ready
: >"$notes/wordpress"               # code.sh then brings WordPress again: a point has only a part of it
sh "$restore" files "$html" --exclude=/.shopwright-installed --exclude=/wp-admin --exclude=/wp-includes
# The image is that of this store, and not the one of the point.
sh "$restore" files "$notes" --exclude=/image --exclude=/from-image --exclude=/wordpress --exclude=/lock
cp "$TARGET/old-url" "$notes/restored.new" && mv "$notes/restored.new" "$notes/restored" # for the setup
