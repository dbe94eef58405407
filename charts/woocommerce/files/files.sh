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

# A database of a newer WordPress is none that this one knows. Patches of one version change nothing in it. Points of
# before version.php was in them are let in.
version_of() { sed -n "s/^\$wp_version = '\([0-9]*\.[0-9]*\).*/\1/p"; }
made=$(sh "$restore" file "$html/wp-includes/version.php" 2>/dev/null | version_of)
here=$(cat "$html/wp-includes/version.php" 2>/dev/null | version_of) # none after a copy of the code that was killed
if [ -n "$made" ] && [ -n "$here" ] && [ "$(printf '%s\n' "$here" "$made" | sort -V | tail -n 1)" != "$here" ]; then
	echo "WordPress $made, and this store has $here" >&2
	exit 65 # Shopwright says what this means
fi

# As does a later one. A file system without locks is no reason to fail.
exec 9>"$notes/lock"
flock 9 || true

rm -f "$html/.shopwright-installed" # the pod would be ready
: >"$notes/wordpress"               # code.sh then brings WordPress again: a point has only a part of it
sh "$restore" files "$html" --exclude=/.shopwright-installed --exclude=/wp-admin --exclude=/wp-includes
# The image is that of this store, and not the one of the point.
sh "$restore" files "$notes" --exclude=/image --exclude=/from-image --exclude=/wordpress --exclude=/lock
cp "$TARGET/old-url" "$notes/restored.new" && mv "$notes/restored.new" "$notes/restored" # for the setup
