<?php
// Stands in for a shop below its own plugin, which the order check asks. What is to be tested
// comes as JSON: options, orders by their status, what the merchant's plugins ask for.

$shop = json_decode($argv[2], true);
$routes = $filters = $said = [];
$_SERVER['HTTP_X_SHOPWRIGHT_CHECK'] = $shop['key'] ?? '';
define('ABSPATH', getenv('STATE') . '/');

function add_filter(string $name, callable $do): void { $GLOBALS['filters'][$name] = $do; }

function add_action(string $name, callable $do): void { $GLOBALS['filters'][$name] = $do; }

function register_rest_route(string $space, string $path, array $route): void { $GLOBALS['routes']["{$route['methods']} $path"] = $route; }

function get_option(string $name): mixed { return $GLOBALS['shop']['options'][$name] ?? false; }

function wp_generate_password(int $length): string { return 'drawn'; }

function wp_insert_user(array $user): int
{
    $GLOBALS['shop']['users'][$user['user_email']] = 7;
    $GLOBALS['said'][] = "made {$user['role']} {$user['user_email']}";
    return 7;
}

function get_user_by(string $field, string $value): object|false
{
    $id = $GLOBALS['shop']['users'][$value] ?? 0;
    return $id ? (object) ['ID' => $id] : false;
}

function wp_delete_user(int $id): void
{
    $GLOBALS['shop']['users'] = array_diff($GLOBALS['shop']['users'], [$id]);
    $GLOBALS['said'][] = "removed user $id";
}

function is_wp_error(mixed $thing): bool { return $thing instanceof WP_Error; }

final class WP_Error
{
    public function __construct(public string $code, public string $message) {}
}

final class WC_Order
{
    public function __construct(private int $id, private string $email, private string $status) {}

    public function get_id(): int { return $this->id; }

    public function get_billing_email(): string { return $this->email; }

    public function get_status(): string { return $this->status; }

    public function get_order_number(): string { return "#$this->id"; }

    public function has_status(string $status): bool { return $status === $this->status; }

    public function update_status(string $status): void
    {
        $this->status = $status;
        $GLOBALS['said'][] = "$status $this->id";
    }

    public function delete(bool $force): void { $GLOBALS['said'][] = "removed order $this->id"; }
}

$orders = [];
foreach ($shop['orders'] ?? [] as $id => [$email, $status]) {
    $orders[$id] = new WC_Order($id, $email, $status);
}

function wc_get_orders(array $wanted): array
{
    return array_filter($GLOBALS['orders'], fn (WC_Order $order) => $order->get_billing_email() === $wanted['billing_email']
        && in_array($order->get_status(), $wanted['status'], true));
}

// A merchant's plugins add to these.
function wc_get_order_statuses(): array
{
    $own = ['wc-pending', 'wc-processing', 'wc-on-hold', 'wc-completed', 'wc-cancelled', 'wc-refunded', 'wc-failed'];
    return array_fill_keys([...$own, ...$GLOBALS['shop']['statuses'] ?? []], 'as people read it');
}

function wc_get_order(int $id): WC_Order|false { return $GLOBALS['orders'][$id] ?? false; }

function wc_release_stock_for_order(WC_Order $order): void { $GLOBALS['said'][] = "stock of {$order->get_id()} is free"; }

$wpdb = new class {
    public string $prefix = 'wp_';

    public function prepare(string $sql, string $value): string { return "$sql $value"; }

    public function esc_like(string $text): string { return $text; }

    public function query(string $sql): void { $GLOBALS['said'][] = 'removed sessions'; }
};

function WC(): object
{
    return (object) ['countries' => new class {
        public function get_allowed_countries(): array { return array_flip($GLOBALS['shop']['sold_to'] ?? []); }

        public function get_shipping_countries(): array { return array_flip($GLOBALS['shop']['shipped_to'] ?? $GLOBALS['shop']['sold_to'] ?? []); }

        public function get_states(string $country): array { return ['US' => ['AL' => 'Alabama', 'CA' => 'California'], 'JP' => ['JP01' => 'Hokkaido']][$country] ?? []; }
    }];
}

// https://woocommerce.github.io/code-reference/classes/WC-Validation.html
final class WC_Validation
{
    public static function is_postcode(string $code, string $country): bool
    {
        $form = ['GB' => '/^[A-Z]+\d+[A-Z]* \d[A-Z]{2}$/', 'JP' => '/^\d{3}-\d{4}$/', 'AT' => '/^\d{4}$/'][$country] ?? '/^\d{5}$/';
        return (bool) preg_match($form, $code);
    }
}

require $argv[1];
($filters['rest_api_init'])();
foreach ($shop['asked'] as $asked) {
    preg_match('/^(\w+ \/check)(?:\/(\d+))?$/', $asked, $found);
    $route = $routes[isset($found[2]) ? "$found[1]/(?P<id>\d+)" : $found[1]];
    $_GET['rest_route'] = '/shopwright/v1' . strstr($asked, '/');
    $closed = ($filters['rest_authentication_errors'])(isset($shop['members_only']) ? new WP_Error('closed', 'Sign in first.') : null);
    $answer = match (true) {
        is_wp_error($closed) => $closed->code,
        ($route['permission_callback'])() => ($route['callback'])(['id' => $found[2] ?? 0]),
        default => 'refused',
    };
    $said[] = ['answer' => $answer, 'user' => ($filters['determine_current_user'])(false)];
}
echo json_encode($said);
