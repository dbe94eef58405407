<?php
// Must-use plugin of Shopwright: what the order check needs of the shop. The check comes with a
// key of its own, of which the setup keeps a hash. It needs no user whom the owner may change or
// remove, and leaves none behind: it shops as a guest, or where the shop has none as a customer
// who is there for as long as the check takes.

defined('ABSPATH') || exit;

final class Shopwright_Check
{
    // RFC 2606 keeps .invalid from ever being anybody's.
    public const CUSTOMER = 'order-check@shopwright.invalid';
    private const LOGIN = 'shopwright-order-check';
    // One of them is right for every country, as WooCommerce checks them.
    private const POSTCODES = ['10115', '1010', '110 00', '00-001', 'SW1A 1AA', 'D02 X285', 'K1A 0A6', '1011 AB', '100-0001', '110001',
        '01000-000', '1000-001', '9490', '71000'];

    public static function hook(): void
    {
        add_filter('determine_current_user', [self::class, 'sign_in'], 99);
        add_filter('rest_authentication_errors', [self::class, 'admit'], 999);
        add_action('rest_api_init', [self::class, 'routes']);
        add_filter('woocommerce_email_classes', [self::class, 'mute'], 99);
        add_filter('woocommerce_can_reduce_order_stock', [self::class, 'mute_stock'], 99, 2);
    }

    public static function routes(): void
    {
        $route = fn (string $path, string $method, callable $do) => register_rest_route('shopwright/v1', $path, [
            'methods' => $method, 'permission_callback' => [self::class, 'is_let_in'], 'callback' => $do,
        ]);
        $route('/check', 'POST', fn () => self::begin());
        $route('/check', 'DELETE', fn () => ['cancelled' => self::tidy()]);
        $route('/check/(?P<id>\d+)', 'GET', fn ($request) => self::order((int) $request['id']));
    }

    public static function is_let_in(): bool
    {
        $key = (string) ($_SERVER['HTTP_X_SHOPWRIGHT_CHECK'] ?? '');
        return $key !== '' && hash_equals((string) get_option('shopwright_check'), hash('sha256', $key));
    }

    public static function sign_in($user)
    {
        return $user ?: (self::is_let_in() ? self::customer() : $user);
    }

    // Plugins may keep everybody out who is not signed in, as the check is not before it has begun
    // and after it has ended. That goes for the check's own routes only: a shop that keeps its
    // customers out does not sell.
    public static function admit($errors)
    {
        $route = (string) ($_GET['rest_route'] ?? '');
        return str_starts_with($route, '/shopwright/v1/') && self::is_let_in() ? true : $errors;
    }

    // Where its owner has closed the shop on purpose there is nothing to check.
    private static function begin(): array
    {
        self::tidy(); // what a check that was killed has left
        if (get_option('woocommerce_coming_soon') === 'yes') {
            return ['closed' => true];
        }
        if (get_option('woocommerce_enable_guest_checkout') !== 'yes') {
            $made = wp_insert_user(['user_login' => self::LOGIN, 'user_email' => self::CUSTOMER, 'user_pass' => wp_generate_password(32), 'role' => 'customer']);
            if (is_wp_error($made)) {
                return ['message' => 'The check has no account to order with: ' . $made->get_error_message()];
            }
        }
        return ['closed' => false, 'address' => self::address() + self::fields('address'), 'fields' => self::fields('contact') + self::fields('order')];
    }

    // The statuses of orders that go on, with those of the merchant's plugins.
    private static function open_statuses(): array
    {
        $all = array_map(fn (string $status): string => substr($status, 3), array_keys(wc_get_order_statuses()));
        return [...array_diff($all, ['cancelled', 'refunded', 'failed']), 'checkout-draft'];
    }

    // Cancels what the check has ordered, which puts the stock back, and removes all else of it.
    private static function tidy(): array
    {
        global $wpdb;
        $cancelled = [];
        $left = wc_get_orders(['billing_email' => self::CUSTOMER, 'limit' => -1, 'status' => self::open_statuses()]);
        foreach ($left as $order) {
            if ($order->has_status('checkout-draft')) {
                wc_release_stock_for_order($order);
                $order->delete(true);
                continue;
            }
            $order->update_status('cancelled');
            $cancelled[] = $order->get_id();
        }
        $wpdb->query($wpdb->prepare("DELETE FROM {$wpdb->prefix}woocommerce_sessions WHERE session_value LIKE %s", '%' . $wpdb->esc_like(self::CUSTOMER) . '%'));
        $account = self::customer();
        if ($account) {
            require_once ABSPATH . 'wp-admin/includes/user.php';
            wp_delete_user($account);
        }
        return $cancelled;
    }

    private static function order(int $id)
    {
        $order = wc_get_order($id);
        if (!$order instanceof WC_Order || $order->get_billing_email() !== self::CUSTOMER) {
            return new WP_Error('not_found', "The order $id is not in the shop's admin.", ['status' => 404]);
        }
        return ['number' => $order->get_order_number(), 'status' => $order->get_status()];
    }

    private static function customer(): int
    {
        $user = get_user_by('email', self::CUSTOMER);
        return $user ? $user->ID : 0;
    }

    // An address that the shop sells and ships to, at home where it does, with every field filled:
    // any of them may be required.
    private static function address(): array
    {
        [$home, $region] = explode(':', get_option('woocommerce_default_country') . ':');
        $served = array_intersect_key(WC()->countries->get_allowed_countries(), WC()->countries->get_shipping_countries());
        $at_home = $served === [] || isset($served[$home]);
        $country = $at_home ? $home : (string) array_key_first($served);
        $states = WC()->countries->get_states($country) ?: [];
        $postcodes = array_merge($at_home ? [(string) get_option('woocommerce_store_postcode')] : [], self::POSTCODES);
        $fitting = array_filter($postcodes, fn (string $code): bool => $code !== '' && WC_Validation::is_postcode($code, $country));
        return [
            'first_name' => 'Order', 'last_name' => 'Check', 'company' => 'Order check', 'address_1' => 'Check 1', 'address_2' => 'Order check',
            'city' => 'Check', 'state' => $at_home && $region !== '' ? $region : (string) array_key_first($states),
            'postcode' => reset($fitting) ?: '10000', 'country' => $country, 'phone' => '030123456',
        ];
    }

    // What plugins ask for besides: https://developer.woocommerce.com/docs/block-development/extensible-blocks/cart-and-checkout-blocks/additional-checkout-fields/
    private static function fields(string $location): array
    {
        $class = 'Automattic\WooCommerce\Blocks\Domain\Services\CheckoutFields';
        if (!class_exists($class)) {
            return [];
        }
        $checkout = Automattic\WooCommerce\Blocks\Package::container()->get($class);
        $asked = array_intersect_key($checkout->get_additional_fields(), array_flip((array) array_keys($checkout->get_fields_for_location($location))));
        return array_map(fn (array $field) => match ($field['type'] ?? 'text') {
            'checkbox' => true,
            'select' => $field['options'][0]['value'] ?? '',
            default => 'Order check',
        }, $asked);
    }

    // Nobody wants the mail about it.
    public static function mute($emails)
    {
        foreach ($emails as $email) {
            add_filter('woocommerce_email_recipient_' . $email->id, fn ($recipient, $about) => self::is_about($about) ? '' : $recipient, 99, 2);
        }
        return $emails;
    }

    // Nor what is told of the stock that it takes and gives back.
    public static function mute_stock($may, $order)
    {
        if (self::is_about($order)) {
            add_filter('woocommerce_should_send_low_stock_notification', '__return_false', 99);
            add_filter('woocommerce_should_send_no_stock_notification', '__return_false', 99);
        }
        return $may;
    }

    private static function is_about($thing): bool
    {
        return $thing instanceof WC_Order && $thing->get_billing_email() === self::CUSTOMER
            || $thing instanceof WP_User && $thing->user_email === self::CUSTOMER;
    }
}

Shopwright_Check::hook();
