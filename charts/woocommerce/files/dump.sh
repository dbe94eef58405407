#!/bin/sh
# Writes the database to standard output, as it was at one moment. Tables without transactions must be
# locked for that, and are counted in $WORK/locked. What the shop has is counted in $WORK/contents.
set -eu
umask 077

access=$(mktemp)
trap 'rm -f "$access"' EXIT
password=$(sed 's/["\\]/\\&/g' "$CREDENTIALS/database-password")
printf '[client]\nhost=%s\nport=%s\nuser=wordpress\npassword="%s"\n' "$DATABASE_HOST" "$DATABASE_PORT" "$password" >"$access"

query() { mariadb --defaults-extra-file="$access" --batch --skip-column-names --execute="$1" wordpress; }

locked=$(query "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'")
consistency=--single-transaction
[ "$locked" = 0 ] || consistency=--lock-tables
echo "$locked" >"$WORK/locked"

# Orders have tables of their own, or are posts if the merchant has chosen so. Whatever isn't there is no
# reason to fail.
left="('trash', 'auto-draft', 'wc-checkout-draft')"
orders="SELECT COUNT(*) FROM wp_posts WHERE post_type = 'shop_order' AND post_status NOT IN $left"
own=$(query "SELECT option_value FROM wp_options WHERE option_name = 'woocommerce_custom_orders_table_enabled'" 2>/dev/null) || own=
[ "$own" != yes ] || orders="SELECT COUNT(*) FROM wp_wc_orders WHERE type = 'shop_order' AND status NOT IN $left"
products="SELECT COUNT(*) FROM wp_posts WHERE post_type = 'product' AND post_status NOT IN $left"
query "SELECT JSON_OBJECT('orders', ($orders), 'products', ($products), 'customers', (SELECT COUNT(*) FROM wp_wc_customer_lookup))" \
	>"$WORK/contents" 2>/dev/null || rm -f "$WORK/contents"

mariadb-dump --defaults-extra-file="$access" "$consistency" --quick --hex-blob --routines --triggers --events \
	--default-character-set=utf8mb4 --skip-dump-date --max-allowed-packet=512M wordpress
