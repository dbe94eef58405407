#!/bin/sh
# Brings an empty database to a shop that sells. Every step may run again: what is there
# is left as it is, and once the shop was set up only its database is migrated.
set -eu

html=/var/www/html
files=/setup
. "$files/follow.sh"
export CREDENTIALS=/run/credentials
export SHOPWRIGHT_SETUP=yes # files/shopwright.php then leaves the migration to us

step=$(mktemp)
said=$(mktemp)
export STEP="$step"
why=
say() { echo "setup: $*"; }
fail() { why=$*; echo "setup: FAILED: $why" >&2; exit 1; }
at() { printf %s "$1" >"$step"; why=; }

# What it was at, in the words that a person reads, is left as the termination message.
report() { # STATUS
	[ "$1" != 0 ] && [ -n "${REPORT-}" ] || return 0
	printf '{"ok":false,"failed":"%s","message":"%s"}' "$(cat "$step")" "$(printf %s "$why" | tr '"\\' "'/" | tr '\000-\037' ' ')" >"$REPORT"
}
trap 'report $?; rm -f "$said" "$step"' EXIT

# What it complains of last is why the setup fails, if it does.
wp() {
	did=0
	command wp --path="$html" --no-color "$@" 2>"$said" || did=$?
	cat "$said" >&2
	[ "$did" = 0 ] || why=$(tail -n 1 "$said" | sed 's/^Error: //')
	return "$did"
}

wait_for() { # WHAT COMMAND...
	what=$1
	shift
	tries=0
	until answer=$("$@" 2>&1); do
		tries=$((tries + 1))
		[ "$tries" -lt 960 ] || fail "$what was not ready within eight minutes. $answer"
		[ $((tries % 60)) -ne 1 ] || say "waiting for $what"
		sleep 0.5
	done
}

database_answers() {
	php -r 'mysqli_report(MYSQLI_REPORT_OFF); $db = mysqli_init(); $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 5); if (!@$db->real_connect(getenv("WORDPRESS_DB_HOST"), getenv("WORDPRESS_DB_USER"), getenv("WORDPRESS_DB_PASSWORD"), getenv("WORDPRESS_DB_NAME"))) { echo mysqli_connect_error(); exit(1); }'
}

# The pod of this release has brought its code.
code_is_there() { [ -f "$html/wp-config.php" ] && [ "$(cat "$notes/image" 2>/dev/null)" = "$SHOP_IMAGE" ]; }

install_wordpress() {
	[ "$(php "$files/afresh.php")" != installed ] || { say "WordPress is installed"; return 0; }
	say "installing WordPress"
	# The password comes on standard input: arguments are seen by every process.
	wp core install --url="$SHOP_URL" --title="$SHOP_NAME" --admin_user="$(cat "$CREDENTIALS/admin-username")" \
		--admin_email="${SHOP_EMAIL:-$(cat "$CREDENTIALS/admin-email")}" --skip-email --prompt=admin_password \
		<"$CREDENTIALS/admin-password" >/dev/null
}

# The plugin comes with the image, where that has it, or is downloaded.
install_plugin() {
	present=$(version_of "$html/wp-content/plugins/woocommerce")
	if ! grep -qx plugins-woocommerce "$notes/from-image" && is_due plugins-woocommerce "$WOOCOMMERCE_VERSION" "$present"; then
		bring plugins-woocommerce "$WOOCOMMERCE_VERSION" download_plugin
	fi
	wp plugin activate woocommerce
}

# --force is what replaces a version that is there.
download_plugin() { wp plugin install woocommerce --version="$WOOCOMMERCE_VERSION" --force; }

install_own_plugins() {
	mkdir -p "$html/wp-content/mu-plugins"
	cp "$files/shopwright.php" "$files/shopwright-check.php" "$html/wp-content/mu-plugins/"
}

# The data of a restore point are another shop's until then. Its plugins may not fit its code before their data
# are migrated.
adopt_data() {
	[ -f "$notes/restored" ] || return 0
	say "replacing the address of the restored shop"
	wp --skip-plugins --skip-themes eval-file "$files/addresses.php" "$notes/restored"
	rm "$notes/restored"
}

at "waiting for the database"
wait_for "the database" database_answers
at "waiting for WordPress’s files"
wait_for "WordPress's files" code_is_there
at "installing WordPress"
install_own_plugins
install_wordpress
at "replacing the address of the restored shop"
adopt_data
at "installing WooCommerce"
install_plugin
at "opening the shop"
wp eval-file "$files/open.php" "$files"
printf '%s' "$SHOP_CODE" >"$html/.shopwright-installed" # what the pod waits for
say "done"
