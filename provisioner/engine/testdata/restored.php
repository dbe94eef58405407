<?php
// As much of WordPress and WP-CLI as files/addresses.php uses, for a shop at the URL in SITEURL. What is
// done is printed, a line each. The tables and their columns with URLs are those in COLUMNS.

const ARRAY_A = 'assoc';
const ARRAY_N = 'num';

function did(string $what): void { echo "$what\n"; }

final class WP_CLI
{
    public static function log(string $text): void {}

    public static function error(string $text): never { did("error: $text"); exit(1); }

    public static function run_command(array $args, array $options): void { did(json_encode([$args, $options], JSON_UNESCAPED_SLASHES)); }
}

final class WP_Error
{
    public function __construct(private string $message) {}

    public function get_error_message(): string { return $this->message; }
}

final class WP_User
{
    public function __construct(private int $id) {}

    public function add_role(string $role): void { did("user $this->id is $role"); }
}

$wpdb = new class {
    public string $prefix = 'wp_';
    public string $options = 'wp_options';
    public string $usermeta = 'wp_usermeta';

    public function esc_like(string $text): string { return addcslashes($text, '_%\\'); }

    public function prepare(string $sql, string ...$values): string { return vsprintf(str_replace('%s', "'%s'", $sql), $values); }

    public function query(string $sql): void { did($sql); }

    public function get_col(string $sql): array { return [getenv('SITEURL'), getenv('HOME_URL')]; }

    public function get_var(string $sql): ?string { return 'wp_woocommerce_sessions'; }

    // Every column in COLUMNS; those with an ! hold the URL.
    public function get_results(string $sql, string $as): array
    {
        return array_map(fn (string $c): array => array_combine(['name', 'col'], explode('.', trim($c, '!'))), explode(' ', getenv('COLUMNS')));
    }

    public function get_row(string $sql, string $as): array
    {
        preg_match('/FROM `(\w+)`$/', $sql, $table);
        $all = array_filter(explode(' ', getenv('COLUMNS')), fn (string $c): bool => str_starts_with($c, "$table[1]."));
        return array_values(array_map(fn (string $c): string => str_ends_with($c, '!') ? '1' : '0', $all));
    }
};

function get_user_by(string $field, string $name): object|false { return getenv('OWNER') ? (object) ['ID' => 7, 'user_email' => getenv('OWNER')] : false; }

function add_option(string $name, string $value): void { did("add $name=$value"); }

function email_exists(string $email): int|false { return getenv('TAKEN') === $email ? 3 : false; }

function wp_generate_password(int $length): string { return 'drawn'; }

function wp_insert_user(array $user): int|WP_Error
{
    did("new user $user[user_login] <$user[user_email]>");
    return getenv('BROKEN') ? new WP_Error(getenv('BROKEN')) : 9;
}

function is_wp_error(mixed $thing): bool { return $thing instanceof WP_Error; }

function wp_set_password(string $password, int $id): void { did("password of $id has " . strlen($password) . ' letters'); }

function delete_user_meta(int $id, string $key): void { did("no $key of $id"); }

function wp_cache_flush(): void {}

$args = [getenv('RESTORED')];
require getenv('SCRIPT');
