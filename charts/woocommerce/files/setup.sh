#!/bin/sh
# Brings an empty database to a shop that sells. Every step may run again: what is there
# is left as it is, and once the shop was set up only its plugins' database is migrated and
# the result verified, so that nothing is reset that the merchant has changed.
set -eu

html=/var/www/html
files=/setup
. "$files/follow.sh"
credentials=/run/credentials
installed=$html/.shopwright-installed
admin=$(cat "$credentials/admin-username")

step=beginning
why=
say() { echo "setup: $*"; }
fail() { why=$*; echo "setup: FAILED: $why" >&2; exit 1; }

# What it was at, in the words that a person reads, is left as the termination message.
report() { # STATUS
	[ "$1" != 0 ] && [ -n "${REPORT-}" ] || return 0
	printf '{"ok":false,"failed":"%s","message":"%s"}' "$step" "$(printf %s "$why" | tr '"\\' "'/" | tr '\000-\037' ' ')" >"$REPORT"
}
said=$(mktemp)
trap 'report $?; rm -f "$said"' EXIT
at() { step=$1 why=; }

# What it complains of last is why the setup fails, if it does.
wp() {
	did=0
	command wp --path="$html" --no-color "$@" 2>"$said" || did=$?
	cat "$said" >&2
	[ "$did" = 0 ] || why=$(tail -n 1 "$said")
	return "$did"
}

# On standard input, as a value may look like an option of WP-CLI.
option() { printf %s "$2" | wp option update "$1" --quiet; }

wait_for() { # WHAT COMMAND...
	what=$1
	shift
	tries=0
	until answer=$("$@" 2>&1); do
		tries=$((tries + 1))
		[ "$tries" -lt 240 ] || fail "$what did not come within eight minutes. $answer"
		[ $((tries % 15)) -ne 1 ] || say "waiting for $what"
		sleep 2
	done
}

database_answers() {
	php -r 'mysqli_report(MYSQLI_REPORT_OFF); if (!@mysqli_connect(getenv("WORDPRESS_DB_HOST"), getenv("WORDPRESS_DB_USER"), getenv("WORDPRESS_DB_PASSWORD"), getenv("WORDPRESS_DB_NAME"))) { echo mysqli_connect_error(); exit(1); }'
}

# The pod of this release has brought its code.
code_is_there() { [ -f "$html/wp-config.php" ] && [ "$(cat "$notes/image" 2>/dev/null)" = "$SHOP_IMAGE" ]; }

install_wordpress() {
	php "$files/afresh.php"
	if wp core is-installed 2>/dev/null; then
		say "WordPress is installed"
		return
	fi
	say "installing WordPress"
	# The password comes on standard input: arguments are seen by every process.
	wp core install --url="$SHOP_URL" --title="$SHOP_NAME" --admin_user="$admin" \
		--admin_email="$(cat "$credentials/admin-email")" --skip-email --prompt=admin_password \
		<"$credentials/admin-password" >/dev/null
}

# The plugin comes with the image, where that has it, or is downloaded.
install_plugin() {
	present=$(wp plugin get woocommerce --field=version 2>/dev/null || true)
	if ! grep -qx plugins-woocommerce "$notes/from-image" && is_due plugins-woocommerce "$WOOCOMMERCE_VERSION" "$present"; then
		bring plugins-woocommerce "$WOOCOMMERCE_VERSION" download_plugin
	fi
	wp plugin is-active woocommerce || wp plugin activate woocommerce
}

# --force is what replaces a version that is there.
download_plugin() { wp plugin install woocommerce --version="$WOOCOMMERCE_VERSION" --force; }

# The order check is let in as a customer whose mail nobody gets, and reads its order back.
let_check_in() {
	mkdir -p "$html/wp-content/mu-plugins"
	cp "$files/shopwright.php" "$html/wp-content/mu-plugins/shopwright.php"
	wp eval-file "$files/key.php"
}

install_theme() {
	wp theme is-installed "$SHOP_THEME" || wp theme install "$SHOP_THEME"
	wp theme activate "$SHOP_THEME"
}

# What makes a new shop sell. Done once, so that it never overrules the merchant.
open_shop() {
	wp wc tool run install_pages --user="$admin" >/dev/null
	option woocommerce_store_address "$SHOP_ADDRESS"
	option woocommerce_store_city "$SHOP_CITY"
	option woocommerce_store_postcode "$SHOP_POSTCODE"
	option woocommerce_default_country "$SHOP_COUNTRY"
	option woocommerce_currency "$SHOP_CURRENCY"
	option woocommerce_calc_taxes no
	option woocommerce_enable_guest_checkout yes
	option woocommerce_task_list_hidden yes
	# New installations hide shop, cart and checkout until these two are set.
	option woocommerce_coming_soon no
	option woocommerce_store_pages_only no
	wp option update woocommerce_onboarding_profile '{"skipped":true}' --format=json --quiet
	wp option update woocommerce_cod_settings '{"enabled":"yes","title":"Cash on delivery"}' --format=json --quiet
	wp eval-file "$files/products.php" "$files/products.json"
	wp rewrite structure '/%postname%/' --quiet
	write_rules
	wp rewrite flush --quiet
}

# The marker of a first run that came to its end.
remember() { option shopwright_setup "$(date -u +%Y-%m-%dT%H:%M:%SZ)"; }

# WP-CLI cannot write these without Apache.
write_rules() {
	[ ! -s "$html/.htaccess" ] || return 0
	cat >"$html/.htaccess" <<'RULES'
# BEGIN WordPress
<IfModule mod_rewrite.c>
RewriteEngine On
RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteBase /
RewriteRule ^index\.php$ - [L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . /index.php [L]
</IfModule>
# END WordPress
RULES
}

verify_first() {
	[ "$(wp option get woocommerce_coming_soon)" = no ] || fail "the shop is hidden as coming soon"
	[ "$(wp option pluck woocommerce_cod_settings enabled)" = yes ] || fail "there is no way to pay"
	[ "$(cat "$files/products.json")" = "[]" ] || [ "$(wp wc product list --format=count --user="$admin")" -gt 0 ] || fail "there is no product"
}

verify() {
	wp core is-installed || fail "WordPress is not installed"
	wp plugin is-active woocommerce || fail "WooCommerce is not active"
}

at "waiting for the database"
wait_for "the database" database_answers
at "waiting for WordPress’s files"
wait_for "WordPress's files" code_is_there
at "installing WordPress"
install_wordpress
at "installing WooCommerce"
install_plugin
at "letting the order check in"
let_check_in
if wp option get shopwright_setup >/dev/null 2>&1; then
	say "the shop was set up before: migrating only"
	at "migrating the database of WordPress"
	wp core update-db --quiet
	at "migrating the database of WooCommerce"
	wp wc update --quiet || fail "WooCommerce's database cannot be migrated"
else
	at "installing the theme"
	install_theme
	at "opening the shop"
	open_shop
	at "looking whether the shop sells"
	verify_first
	remember
fi
at "looking whether all is there"
verify
touch "$installed"
say "done"
