<?php
// Run by WP-CLI over the data of a restore point, which are another shop's until then: the shop gets its own
// URL, nobody is signed in, and the owner of this store can sign in. Every step may run again. The argument is a
// file with the URL of that shop, which may be empty.

require __DIR__ . '/pattern.php';

function credential(string $name): string
{
    return trim((string) file_get_contents(getenv('CREDENTIALS') . "/$name"));
}

// The URLs that the data may have. WordPress keeps the one that it was installed with, even if the shop has
// had another one since.
function old_sites(string $last): array
{
    global $wpdb;
    $urls = $wpdb->get_col("SELECT option_value FROM $wpdb->options WHERE option_name IN ('siteurl', 'home')");
    $urls[] = $last;
    return array_diff(array_unique(array_filter(array_map(site_of(...), $urls))), [site_of(getenv('SHOP_URL'))]);
}

// Which text columns hold a text that is like one of these, by table. WP-CLI reads a column row by row.
function columns_with(string ...$likes): array
{
    global $wpdb;
    $columns = $wpdb->get_results($wpdb->prepare(
        'SELECT c.table_name AS name, c.column_name AS col FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)'
        . " WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND c.table_name LIKE %s AND c.column_name <> 'guid'"
        . " AND c.data_type IN ('varchar', 'tinytext', 'text', 'mediumtext', 'longtext')",
        $wpdb->esc_like($wpdb->prefix) . '%',
    ), ARRAY_A);
    $all = [];
    foreach ($columns as ['name' => $table, 'col' => $column]) {
        $all[$table][] = $column;
    }
    $found = [];
    foreach ($all as $table => $columns) {
        $tests = array_map(fn (string $c): string => 'MAX(' . implode(' OR ', array_map(fn (string $like): string => $wpdb->prepare("`$c` LIKE %s", $like), $likes)) . ')', $columns);
        $holds = $wpdb->get_row('SELECT ' . implode(', ', $tests) . " FROM `$table`", ARRAY_N) ?? [];
        $found[$table] = array_values(array_intersect_key($columns, array_filter($holds)));
    }
    return array_filter($found);
}

// WP-CLI knows how lengths are written in serialized data.
function replace(string $pattern, string $replacement, array $tables): void
{
    foreach ($tables as $table => $columns) {
        WP_CLI::run_command(['search-replace', $pattern, $replacement, $table], [
            'all-tables-with-prefix' => true, 'skip-columns' => 'guid', 'include-columns' => implode(',', $columns),
            'regex' => true, 'regex-flags' => 'i', 'regex-delimiter' => '#', 'report-changed-only' => true,
        ]);
    }
}

function move(string $last): void
{
    global $wpdb;
    $url = (string) getenv('SHOP_URL');
    $site = site_of($url);
    foreach (old_sites($last) as $old) {
        replace(pattern($old), '${1}' . $site, columns_with('%' . $wpdb->esc_like($old) . '%'));
    }
    $scheme = strtok($url, ':');
    $other = $scheme === 'https' ? 'http' : 'https';
    replace(pattern($site, "$other:"), "$scheme:\${1}$site", columns_with("%$other:%" . $wpdb->esc_like($site) . '%'));
}

// Customers' carts and sign-ins at the other URL, and what was reckoned there.
function forget_visitors(): void
{
    global $wpdb;
    $sessions = "{$wpdb->prefix}woocommerce_sessions";
    if ($wpdb->get_var($wpdb->prepare('SHOW TABLES LIKE %s', $wpdb->esc_like($sessions))) === $sessions) {
        $wpdb->query("TRUNCATE `$sessions`");
    }
    $wpdb->query("DELETE FROM $wpdb->usermeta WHERE meta_key = 'session_tokens'");
    $wpdb->query($wpdb->prepare(
        "DELETE FROM $wpdb->options WHERE option_name LIKE %s OR option_name LIKE %s",
        $wpdb->esc_like('_transient_') . '%', $wpdb->esc_like('_site_transient_') . '%',
    ));
}

function owner(): int
{
    $name = credential('admin-username');
    $found = get_user_by('login', $name);
    if ($found) {
        // files/open.php replaces the address of the former owner where the shop has it.
        add_option('shopwright_owner', $found->user_email);
        return $found->ID;
    }
    $email = credential('admin-email');
    $made = wp_insert_user(['user_login' => $name, 'user_email' => email_exists($email) ? '' : $email, 'user_pass' => wp_generate_password(32)]);
    if (is_wp_error($made)) {
        WP_CLI::error($made->get_error_message());
    }
    return $made;
}

function let_owner_in(): void
{
    $id = owner();
    (new WP_User($id))->add_role('administrator');
    wp_set_password(credential('admin-password'), $id); // unlike wp_update_user, it sends no mail
    delete_user_meta($id, '_application_passwords');
}

WP_CLI::log('clearing sessions');
forget_visitors();
WP_CLI::log('replacing the shop’s URL');
$GLOBALS['wpdb']->query('START TRANSACTION'); // else each changed row waits for the disk
move(trim((string) file_get_contents($args[0])));
$GLOBALS['wpdb']->query('COMMIT');
WP_CLI::log('letting the owner in');
let_owner_in();
wp_cache_flush();
