<?php
// Stands in for WordPress and WooCommerce below a script of WP-CLI: keeps posts, terms and
// options in files, row by row as they do, and dies in the middle of the product that KILLED
// names, or after the call that KILL_AT counts to.

const OBJECT = 'OBJECT';
$args = array_slice($argv, 1);
define('ABSPATH', getenv('STATE') . '/html/');

// did is called once something is done, and before the script knows.
function did(string $what): void
{
    $calls = getenv('STATE') . '/calls';
    file_put_contents($calls, "$what\n", FILE_APPEND);
    if (count(file($calls)) === (int) getenv('KILL_AT')) {
        posix_kill(0, 9);
    }
}

final class Rows
{
    public static function all(): array
    {
        $file = getenv('STATE') . '/rows.json';
        return is_file($file) ? json_decode(file_get_contents($file), true) : ['posts' => [], 'terms' => []];
    }

    public static function write(array $all): void
    {
        file_put_contents(getenv('STATE') . '/rows.json', json_encode(array_map(fn (array $rows) => (object) $rows, $all)));
    }

    public static function keep(string $table, int $id, array $row): int
    {
        $all = self::all();
        $id = $id ?: max([2, ...array_keys($all[$table])]) + 1;
        $all[$table][$id] = $row + ($all[$table][$id] ?? []);
        self::write($all);
        did("$table $id");
        return $id;
    }
}

final class WP_Error
{
    public function __construct(private string $message) {}

    public function get_error_message(): string { return $this->message; }
}

final class WP_CLI
{
    public static function log(string $message): void { echo "$message\n"; }

    public static function error(string $message): never
    {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }

    public static function runcommand(string $command): void
    {
        if (str_starts_with($command, 'theme install ')) {
            touch(getenv('STATE') . '/theme-' . substr($command, 14));
        }
        did($command);
    }
}

// WooCommerce answers its deprecated option by a filter, and says that nothing was updated.
// https://developer.wordpress.org/reference/hooks/pre_update_option_option/
function update_option(string $name, mixed $value): bool
{
    $refused = ['woocommerce_task_list_hidden', getenv('BROKEN') === 'payment' ? 'woocommerce_cod_settings' : ''];
    if (in_array($name, $refused, true) || get_option($name) === $value) {
        return false;
    }
    @mkdir(getenv('STATE') . '/options');
    file_put_contents(getenv('STATE') . "/options/$name", is_array($value) ? json_encode($value) : (string) $value);
    did("option $name");
    return true;
}

function delete_option(string $name): void { @unlink(getenv('STATE') . "/options/$name"); }

function get_option(string $name, mixed $default = false): mixed
{
    $text = @file_get_contents(getenv('STATE') . "/options/$name");
    if ($text === false) {
        return $default;
    }
    return preg_match('/^[{[]/', $text) ? json_decode($text, true) : $text;
}

function wp_get_theme(string $name): object
{
    return new class($name) {
        public function __construct(private string $name) {}

        public function exists(): bool { return file_exists(getenv('STATE') . "/theme-$this->name"); }
    };
}

function switch_theme(string $name): void
{
    file_put_contents(getenv('STATE') . '/theme', $name);
    did("theme $name");
}

function WC(): object
{
    return new class {
        public function plugin_path(): string { return __DIR__ . '/woocommerce'; }

        public function mailer(): object { return $this; }

        public function get_emails(): array { return array_map(fn (string $id) => new WC_Email($id), ['new_order', 'failed_order', 'customer_invoice']); }
    };
}

final class WC_Email
{
    public function __construct(private string $id) {}

    public function get_option_key(): string { return "woocommerce_{$this->id}_settings"; }
}

function add_filter(): void {}

function users(): array { return json_decode(file_get_contents(getenv('STATE') . '/users.json'), true); }

function get_user_by(string $field, string $login): object|false
{
    foreach (users() as $id => $user) {
        if ($field === 'login' && $user['login'] === $login) {
            return (object) ['ID' => $id, 'user_email' => $user['email']];
        }
    }
    return false;
}

function email_exists(string $email): int|false
{
    foreach (users() as $id => $user) {
        if ($user['email'] === $email) {
            return $id;
        }
    }
    return false;
}

// WordPress has no two users of one address.
function wp_update_user(array $changed): int|WP_Error
{
    if (!in_array(email_exists($changed['user_email']), [false, $changed['ID']], true)) {
        return new WP_Error('Sorry, that email address is already used!');
    }
    $users = users();
    $users[$changed['ID']]['email'] = $changed['user_email'];
    file_put_contents(getenv('STATE') . '/users.json', json_encode($users));
    did("user $changed[ID]");
    return $changed['ID'];
}

// WooCommerce chooses its order tables while nothing stands in the way.
final class WC_Install
{
    public static function newly_installed(): void
    {
        if (get_option('woocommerce_newly_installed') === 'no') {
            return;
        }
        update_option('woocommerce_custom_orders_table_enabled', 'yes');
        update_option('woocommerce_coming_soon', 'yes');
        update_option('woocommerce_newly_installed', 'no');
    }

    public static function create_pages(): void
    {
        file_put_contents(getenv('STATE') . '/pages', "shop cart checkout\n");
        did('pages');
    }
}

$wpdb = new class {
    public string $posts = 'wp_posts';

    public function query(string $sql): void
    {
        file_put_contents(getenv('STATE') . '/counted', $sql);
        did($sql);
    }
};

$wp_rewrite = new class {
    public function set_permalink_structure(string $structure): void { update_option('permalink_structure', $structure); }
};

function flush_rewrite_rules(): void { did('rewrite flush'); }

function wc_get_page_id(string $page): int { return 5; }

function get_available_languages(): array { return array_filter(explode(' ', (string) getenv('LANGUAGES'))); }

function switch_to_locale(string $locale): void { did("locale $locale"); }

function wc_get_products(array $wanted): array { return array_filter(Rows::all()['posts'], fn (array $post) => isset($post['sku'])); }

function is_wp_error(mixed $thing): bool { return $thing instanceof WP_Error; }

function term_exists(string $name, string $taxonomy): ?array
{
    $id = array_search(['name' => $name, 'taxonomy' => $taxonomy], Rows::all()['terms']);
    return $id === false ? null : ['term_id' => (string) $id];
}

function wp_insert_term(string $name, string $taxonomy): array
{
    return ['term_id' => Rows::keep('terms', 0, ['name' => $name, 'taxonomy' => $taxonomy])];
}

function get_page_by_path(string $slug, string $output, string $type): ?object
{
    foreach (Rows::all()['posts'] as $id => $post) {
        if ($post['slug'] === $slug && ($post['type'] ?? 'product') === $type) {
            return (object) ['ID' => $id];
        }
    }
    return null;
}

function wp_delete_post(int $id): void
{
    $all = Rows::all();
    unset($all['posts'][$id]);
    Rows::write($all);
    did("deleted $id");
}

final class WC_Product_Simple
{
    private array $props = [];

    public function __construct(private int $id) {}

    public function set_props(array $props): bool|WP_Error
    {
        foreach (Rows::all()['posts'] as $id => $post) {
            if ($id !== $this->id && ($post['sku'] ?? '') === $props['sku']) {
                return new WP_Error('Invalid or duplicated SKU.');
            }
        }
        $this->props = $props;
        return true;
    }

    public function save(): void
    {
        $first = ['name' => true, 'slug' => true, 'status' => true, 'description' => true];
        $this->id = Rows::keep('posts', $this->id, array_intersect_key($this->props, $first));
        if (getenv('KILLED') === $this->props['sku']) {
            exit(137);
        }
        Rows::keep('posts', $this->id, array_diff_key($this->props, $first));
    }
}
