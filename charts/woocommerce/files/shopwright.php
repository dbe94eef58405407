<?php
// Must-use plugin of Shopwright. The setup puts it where WordPress loads it by itself.

defined('ABSPATH') || exit;

// The order check is a customer of its own; nobody wants its mail.
add_filter('woocommerce_email_classes', function ($emails) {
    foreach ($emails as $email) {
        add_filter('woocommerce_email_recipient_' . $email->id, function ($recipient, $order) {
            $ours = $order instanceof WC_Order && $order->get_billing_email() === 'order-check@shopwright.invalid';
            return $ours ? '' : $recipient;
        }, 99, 2);
    }
    return $emails;
}, 99);

// Whether the owner has closed the shop on purpose, which the check must not call a failure.
add_action('rest_api_init', function () {
    register_rest_route('shopwright/v1', '/state', [
        'methods' => 'GET',
        'permission_callback' => '__return_true',
        'callback' => fn () => ['closed' => get_option('woocommerce_coming_soon') === 'yes'],
    ]);
});
