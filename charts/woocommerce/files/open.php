<?php
// Run by WP-CLI once WooCommerce is active: opens a new shop, or migrates the database of one
// that was opened before. All in one start of WordPress, which takes longer than what is done.
// Every step may run again. Once the shop was opened nothing is reset that the merchant changed.

require "$args[0]/country.php";
require "$args[0]/products.php";

// The step that the setup names when it fails.
function at(string $step): void
{
    file_put_contents(getenv('STEP'), $step);
    WP_CLI::log("setup: $step");
}

// Plugins may refuse a value by a filter, and say nothing.
function set_option(string $name, mixed $value): void
{
    update_option($name, $value);
    if (get_option($name) != $value) {
        WP_CLI::error("the option $name cannot be set");
    }
}

function credential(string $name): string
{
    return trim((string) file_get_contents(getenv('CREDENTIALS') . "/$name"));
}

// Only a hash of the order check's key is in the database: files/shopwright-check.php.
function let_check_in(): void
{
    set_option('shopwright_check', hash('sha256', credential('rest-key') . ':' . credential('rest-secret')));
}

// No two users have one address: while a customer has the new one, the owner's user keeps its own,
// which is remembered as ours for the next change.
function readdress_owner(string $before, string $email): void
{
    $owner = get_user_by('login', credential('admin-username'));
    $ours = get_option('shopwright_owner_user') ?: $before;
    if (!$owner || $owner->user_email !== $ours) {
        return;
    }
    if (!in_array(email_exists($email), [false, $owner->ID], true)) {
        set_option('shopwright_owner_user', $ours);
        return;
    }
    $done = wp_update_user(['ID' => $owner->ID, 'user_email' => $email]);
    if (is_wp_error($done)) {
        WP_CLI::error($done->get_error_message());
    }
    delete_option('shopwright_owner_user');
}

// Mail about orders goes to the owner, and replies of customers to the address that the shop's mail
// is from. An address that the merchant has set in the shop stays.
function write_to_owner(string $email): void
{
    $before = (string) get_option('shopwright_owner', credential('admin-email'));
    if ($email === '' || $email === $before) {
        return;
    }
    // Nobody is told: the setup cannot send mail.
    add_filter('send_site_admin_email_change_email', '__return_false');
    add_filter('send_email_change_email', '__return_false');
    foreach (['admin_email', 'woocommerce_email_from_address', 'woocommerce_stock_email_recipient'] as $name) {
        if (get_option($name) === $before) {
            set_option($name, $email);
        }
    }
    foreach (WC()->mailer()->get_emails() as $mail) {
        $name = $mail->get_option_key();
        $settings = get_option($name);
        if (is_array($settings) && ($settings['recipient'] ?? '') === $before) {
            set_option($name, ['recipient' => $email] + $settings);
        }
    }
    readdress_owner($before, $email);
    set_option('shopwright_owner', $email); // last: until then the next run goes on
}

function install_theme(string $theme): void
{
    if (!wp_get_theme($theme)->exists()) {
        WP_CLI::runcommand("theme install $theme", ['launch' => false]);
    }
    switch_theme($theme);
}

// WordPress begins with a blog: its samples, and a column of widgets about them.
function remove_samples(): void
{
    foreach (['hello-world' => 'post', 'sample-page' => 'page'] as $slug => $type) {
        $sample = get_page_by_path($slug, OBJECT, $type);
        if ($sample) {
            wp_delete_post($sample->ID, true);
        }
    }
    set_option('sidebars_widgets', ['wp_inactive_widgets' => [], 'array_version' => 3]);
}

function suit_country(string $country, string $currency): void
{
    $table = include WC()->plugin_path() . '/i18n/locale-info.php';
    foreach (formats_of($country, $currency, $table) as $name => $value) {
        set_option($name, $value);
    }
    set_option('timezone_string', time_zone_of($country));
    $language = language_of($country, $table, get_available_languages());
    set_option('WPLANG', $language);
    if ($language !== '') {
        switch_to_locale($language); // in which the pages are made
    }
}

// Orders are counted with everything else that WordPress holds. The first one is to be 1001, or
// what comes after that.
function begin_order_numbers(): void
{
    global $wpdb;
    $wpdb->query("ALTER TABLE $wpdb->posts AUTO_INCREMENT = 1001"); // never below what is there
}

// WordPress writes these by itself under Apache only.
function write_rules(): void
{
    $file = ABSPATH . '.htaccess';
    if (is_file($file) && filesize($file) > 0) {
        return;
    }
    file_put_contents($file, <<<'RULES'
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

        RULES);
}

// What makes a new shop sell.
function open_shop(array $products): void
{
    [$country] = explode(':', getenv('SHOP_COUNTRY'));
    // WooCommerce chooses what new shops begin with, such as its order tables, once, and while
    // there is no order.
    WC_Install::newly_installed();
    suit_country($country, getenv('SHOP_CURRENCY'));
    foreach ([
        'woocommerce_store_address' => getenv('SHOP_ADDRESS'), 'woocommerce_store_city' => getenv('SHOP_CITY'),
        'woocommerce_store_postcode' => getenv('SHOP_POSTCODE'), 'woocommerce_default_country' => getenv('SHOP_COUNTRY'),
        'woocommerce_currency' => getenv('SHOP_CURRENCY'), 'woocommerce_calc_taxes' => 'no',
        'woocommerce_enable_guest_checkout' => 'yes',
        'woocommerce_task_list_hidden_lists' => ['setup'], 'woocommerce_onboarding_profile' => ['skipped' => true],
        // New installations hide shop, cart and checkout until these two are set.
        'woocommerce_coming_soon' => 'no', 'woocommerce_store_pages_only' => 'no',
        'woocommerce_cod_settings' => ['enabled' => 'yes', 'title' => 'Cash on delivery'],
        // Avatars come from a third party, to which every visitor’s browser would go.
        'show_avatars' => '0',
    ] as $name => $value) {
        set_option($name, $value);
    }
    WC_Install::create_pages();
    array_walk($products, fn (array $product) => put_product($product));
    remove_samples();
    set_option('page_on_front', wc_get_page_id('shop'));
    set_option('show_on_front', 'page');
    begin_order_numbers();
    global $wp_rewrite;
    $wp_rewrite->set_permalink_structure('/%postname%/');
    write_rules();
    flush_rewrite_rules(false);
}

function migrate(): void
{
    foreach (['WordPress' => 'core update-db', 'WooCommerce' => 'wc update'] as $what => $command) {
        at("migrating the database of $what");
        WP_CLI::runcommand($command, ['launch' => false]);
    }
}

at('letting the order check in');
let_check_in();
at('setting the owner’s address');
write_to_owner((string) getenv('SHOP_EMAIL'));
if (get_option('shopwright_setup')) {
    migrate();
    return;
}
at('installing the theme');
install_theme(getenv('SHOP_THEME'));
at('opening the shop');
$products = json_decode(file_get_contents("$args[0]/products.json"), true, 16, JSON_THROW_ON_ERROR);
open_shop($products);
at('looking whether the shop sells');
if ($products !== [] && wc_get_products(['limit' => 1, 'status' => 'publish', 'return' => 'ids']) === []) {
    WP_CLI::error('there is no product');
}
set_option('shopwright_setup', gmdate('Y-m-d\TH:i:s\Z')); // the marker of a first run that came to its end
