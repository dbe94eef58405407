#!/bin/sh
# Brings the code that is in the image into the shop's volume: before the first start, and when
# the image has another version. A copy that was interrupted is made again.
set -eu

. /setup/follow.sh
source=/usr/src/wordpress
html=/var/www/html

# Files of a restore point may be on their way into the volume. A file system without locks is no reason to fail.
exec 9>"$notes/lock"
flock 9 || true

wordpress_version() { sed -n "s/^\$wp_version = '\([^']*\)';.*/\1/p" "$1/wp-includes/version.php" 2>/dev/null || true; }

copy_wordpress() {
	mkdir -p "$html/wp-content/plugins" "$html/wp-content/themes"
	for entry in "$source"/* "$source"/.[!.]* "$source"/wp-content/* "$source"/wp-content/plugins/index.php "$source"/wp-content/themes/index.php; do
		to=$html${entry#"$source"}
		case ${entry#"$source"} in
		/wp-content | /wp-content/plugins | /wp-content/themes) continue ;;
		/wp-content/* | /.*) [ ! -e "$to" ] || continue ;; # the merchant's
		esac
		[ -e "$entry" ] || continue
		[ ! -d "$entry" ] || rm -rf "$to"
		cp -r "$entry" "$to"
	done
}

copy_folder() { # FOLDER
	rm -rf "${html:?}/$1"
	cp -r "$source/$1" "$html/$1"
}

wanted=$(wordpress_version "$source")
[ -n "$wanted" ] || { echo "the image has no WordPress in $source" >&2; exit 1; }
! is_due wordpress "$wanted" "$(wordpress_version "$html")" || bring wordpress "$wanted" copy_wordpress

: >"$notes/from-image.new"
for folder in "$source"/wp-content/plugins/*/ "$source"/wp-content/themes/*/; do
	[ -d "$folder" ] || continue
	folder=${folder#"$source/"} && folder=${folder%/}
	part=$(echo "${folder#wp-content/}" | tr / -)
	echo "$part" >>"$notes/from-image.new"
	wanted=$(version_of "$source/$folder")
	! is_due "$part" "${wanted:-unknown}" "$(version_of "$html/$folder")" || bring "$part" "${wanted:-unknown}" copy_folder "$folder"
done
mv "$notes/from-image.new" "$notes/from-image"
printf %s "$SHOP_IMAGE" >"$notes/image.new" && mv "$notes/image.new" "$notes/image" # what the setup waits for
