<?php
// Must-use plugin of Shopwright. The setup puts it where WordPress loads it by itself.

defined('ABSPATH') || exit;

// The setup migrates the database after an upgrade. WooCommerce would do it a second time, beside
// it. What the merchant updates in the admin migrates by itself, as ever.
add_filter('woocommerce_enable_auto_update_db', fn ($may) => $may && !getenv('SHOPWRIGHT_SETUP'));

// The theme asks a third party for its font, and so would the browser of every visitor.
add_action('wp_enqueue_scripts', fn () => wp_dequeue_style('storefront-fonts'), 100);
add_action('enqueue_embed_scripts', fn () => wp_dequeue_style('source-sans-pro'), 100);
// As does WordPress for the emoji that a browser does not have.
add_action('init', function () {
    remove_action('wp_head', 'print_emoji_detection_script', 7);
    remove_action('embed_head', 'print_emoji_detection_script');
    add_filter('emoji_svg_url', '__return_false');
});

// The address alone, of an address with or without a name before it. Empty for what is none.
function shopwright_address(string $from): string
{
    $address = preg_match('/<([^<>]+)>\s*$/', $from, $found) ? trim($found[1]) : trim($from);
    return is_email($address) ? $address : '';
}

// Mail goes through the server that the installation has for its shops. That takes mail from
// the sender it knows only; the shop's name stays.
add_action('phpmailer_init', function ($mailer) {
    $folder = getenv('SMTP_FOLDER');
    if (!$folder) {
        return;
    }
    $read = fn (string $name): string => is_readable("$folder/$name") ? trim((string) file_get_contents("$folder/$name")) : '';
    $port = (int) getenv('SMTP_PORT');
    $mailer->isSMTP();
    $mailer->Host = $read('host');
    $mailer->Port = $port;
    $mailer->SMTPSecure = [465 => 'ssl', 587 => 'tls'][$port] ?? '';
    $mailer->Username = $read('username');
    $mailer->Password = $read('password');
    $mailer->SMTPAuth = $mailer->Username !== '';
    $mailer->Timeout = 15;
    $from = $read('from');
    $address = shopwright_address($from);
    if ($address !== '') {
        $mailer->setFrom($address, $mailer->FromName, false);
    } elseif ($from !== '') {
        error_log("Shopwright: the sender in the mail server's Secret is not a mail address: $from");
    }
}, 99);
