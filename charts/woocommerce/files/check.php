<?php
// Shops as a customer would, over the shop's own addresses, and reads the order back as its
// owner. What it found is one line of JSON. An order is cancelled again, which puts the stock
// back; files/shopwright.php keeps its mail in.

declare(strict_types=1);

final class Refusal extends Exception {}

final class Shop
{
    private array $session = [];

    public function __construct(private string $address, private string $url) {}

    // Requests as the ingress passes them on.
    public function ask(string $method, string $path, ?array $body = null, string $login = ''): array
    {
        $headers = ['Host: ' . preg_replace('#^https?://#', '', $this->url), 'Accept: application/json'];
        // The shop takes its owner's key over HTTPS only; behind its ingress it believes this.
        $scheme = $login !== '' ? 'https' : (string) parse_url($this->url, PHP_URL_SCHEME);
        $headers[] = 'X-Forwarded-Proto: ' . $scheme;
        foreach ($this->session as $name => $value) {
            $headers[] = "$name: $value";
        }
        $curl = curl_init($this->address . $path);
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line): int {
                $this->remember($line);
                return strlen($line);
            },
        ]);
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
        }
        if ($login !== '') {
            curl_setopt($curl, CURLOPT_USERPWD, $login);
        }
        curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
        $answer = curl_exec($curl);
        if ($answer === false) {
            throw new Refusal('The shop does not answer: ' . curl_error($curl));
        }
        return self::read(curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $answer);
    }

    // A cart belongs to whoever has its token.
    private function remember(string $line): void
    {
        if (preg_match('/^(cart-token|nonce):\s*(\S+)/i', $line, $found)) {
            $this->session[$found[1]] = $found[2];
        }
    }

    private static function read(int $status, string $answer): array
    {
        $data = json_decode($answer, true);
        if ($status >= 400) {
            throw new Refusal(strip_tags((string) ($data['message'] ?? "The shop answers with $status.")));
        }
        if (!is_array($data)) {
            throw new Refusal("The shop answers with $status and something that is not JSON.");
        }
        return $data;
    }
}

function sellable(array $products): array
{
    foreach ($products as $product) {
        if (($product['is_purchasable'] ?? false) && ($product['is_in_stock'] ?? false) && !($product['has_options'] ?? false)) {
            return $product;
        }
    }
    throw new Refusal('There is no product that a customer could buy.');
}

function customer(string $country, string $postcode): array
{
    [$land, $state] = explode(':', $country . ':');
    $usual = ['AT' => '1010', 'AU' => '2000', 'BE' => '1000', 'CA' => 'K1A 0A6', 'CH' => '8001', 'CZ' => '110 00', 'DE' => '10115',
        'DK' => '1050', 'ES' => '28001', 'FI' => '00100', 'FR' => '75001', 'GB' => 'SW1A 1AA', 'IE' => 'D02 X285', 'IT' => '00118',
        'LU' => '1009', 'NL' => '1011 AB', 'NO' => '0150', 'NZ' => '6011', 'PL' => '00-001', 'PT' => '1000-001', 'SE' => '111 20',
        'US' => '10001'];
    // Where a state is asked for: https://github.com/woocommerce/woocommerce, WC_Countries::get_country_locale
    $states = ['AU' => 'NSW', 'CA' => 'ON', 'ES' => 'M', 'IE' => 'D', 'IT' => 'RM', 'US' => 'NY'];
    return [
        'first_name' => 'Order', 'last_name' => 'Check', 'company' => '', 'address_1' => 'Check 1', 'address_2' => '',
        'city' => 'Check', 'state' => $state !== '' ? $state : ($states[$land] ?? ''),
        'postcode' => $postcode !== '' ? $postcode : ($usual[$land] ?? '10115'), 'country' => $land, 'phone' => '000',
    ];
}

function report(array $said): never
{
    $line = json_encode($said, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
    file_put_contents(getenv('REPORT') ?: '/dev/termination-log', $line);
    echo $line, "\n";
    exit($said['ok'] ? 0 : 1);
}

$steps = [];
$at = '';
$step = function (string $name, callable $do) use (&$steps, &$at) {
    $at = $name;
    $began = hrtime(true);
    $result = $do();
    $steps[] = ['name' => $name, 'ms' => intdiv(hrtime(true) - $began, 1_000_000)];
    return $result;
};
$secret = fn (string $name): string => trim((string) file_get_contents((getenv('CREDENTIALS') ?: '/run/credentials') . "/$name"));
$places = getenv('CHECK_PLACE_ORDER') === 'true';
$shop = new Shop((string) getenv('WORDPRESS_URL'), (string) getenv('SHOP_URL'));

try {
    $state = $step('open', fn () => $shop->ask('GET', '/wp-json/shopwright/v1/state'));
    if ($state['closed'] ?? false) {
        report(['ok' => true, 'closed' => true, 'placed' => false, 'steps' => $steps]);
    }
    $product = $step('catalogue', fn () => sellable($shop->ask('GET', '/wp-json/wc/store/v1/products?per_page=50&stock_status=instock')));
    $cart = $step('cart', function () use ($shop, $product) {
        $shop->ask('GET', '/wp-json/wc/store/v1/cart');
        return $shop->ask('POST', '/wp-json/wc/store/v1/cart/add-item', ['id' => $product['id'], 'quantity' => 1]);
    });
    $ways = $cart['payment_methods'] ?? [];
    if ($ways === []) {
        $at = 'payment';
        throw new Refusal('There is no way to pay.');
    }
    if (!$places) {
        report(['ok' => true, 'placed' => false, 'steps' => $steps]);
    }
    if (!in_array('cod', $ways, true)) { // its owner takes cards only: no order without money
        report(['ok' => true, 'placed' => false, 'steps' => $steps]);
    }
    $login = $secret('rest-key') . ':' . $secret('rest-secret');
    $placed = $step('checkout', function () use ($shop) {
        $address = customer((string) getenv('SHOP_COUNTRY'), (string) getenv('SHOP_POSTCODE'));
        return $shop->ask('POST', '/wp-json/wc/store/v1/checkout', [
            'billing_address' => $address + ['email' => 'order-check@shopwright.invalid'],
            'shipping_address' => $address, 'payment_method' => 'cod', 'customer_note' => 'Shopwright checks that this shop sells.',
        ]);
    });
    $order = $step('order', function () use ($shop, $placed, $login) {
        $order = $shop->ask('GET', '/wp-json/wc/v3/orders/' . (int) $placed['order_id'], null, $login);
        if (!in_array($order['status'], ['processing', 'on-hold', 'completed'], true)) {
            throw new Refusal("The order {$order['number']} is {$order['status']}.");
        }
        return $order;
    });
    $step('cancel', function () use ($shop, $order, $login) {
        $after = $shop->ask('PUT', '/wp-json/wc/v3/orders/' . (int) $order['id'], ['status' => 'cancelled'], $login);
        if ($after['status'] !== 'cancelled') {
            throw new Refusal("The order {$order['number']} cannot be cancelled.");
        }
    });
    report(['ok' => true, 'placed' => true, 'order' => (string) $order['number'], 'steps' => $steps]);
} catch (Refusal $refusal) {
    report(['ok' => false, 'failed' => $at, 'message' => $refusal->getMessage(), 'steps' => $steps]);
}
