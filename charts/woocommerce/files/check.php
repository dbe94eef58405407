<?php
// Shops as a customer would, over the shop's own addresses, and reads the order back as its
// owner. What it found is one line of JSON. An order is cancelled again, which puts the stock
// back; files/shopwright.php keeps its mail in.

declare(strict_types=1);

// Whose mail files/shopwright.php keeps in.
const CUSTOMER = 'order-check@shopwright.invalid';

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

// What to put into the cart: a product, or one of its variations where it has options.
function sellable(array $products): int
{
    foreach ($products as $product) {
        $sold = ($product['is_purchasable'] ?? false) && ($product['is_in_stock'] ?? false);
        $variation = $product['variations'][0]['id'] ?? null;
        if ($sold && (!($product['has_options'] ?? false) || $variation !== null)) {
            return (int) ($product['has_options'] ?? false ? $variation : $product['id']);
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
        'US' => '10001', 'BR' => '01000-000', 'HU' => '1011', 'IN' => '110001', 'JP' => '100-0001', 'SI' => '1000', 'SK' => '811 01'];
    // Where a state is asked for: https://github.com/woocommerce/woocommerce, WC_Countries::get_country_locale
    $states = ['AU' => 'NSW', 'BR' => 'SP', 'CA' => 'ON', 'ES' => 'M', 'IE' => 'D', 'IN' => 'DL', 'IT' => 'RM', 'JP' => 'JP13', 'US' => 'NY'];
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

final class Check
{
    private array $found = ['ok' => true, 'placed' => false];
    private array $steps = [];
    private string $at = 'open';
    private int $goods = 0;

    public function __construct(private Shop $shop, private string $login) {}

    public function run(bool $places): array
    {
        try {
            $this->walk($places);
        } catch (Throwable $wrong) {
            $why = $wrong instanceof Refusal ? $wrong->getMessage() : 'The check itself broke: ' . $wrong->getMessage();
            $this->found = ['ok' => false, 'failed' => $this->at, 'message' => substr($why, 0, 500)] + $this->found;
        }
        return $this->found + ['steps' => $this->steps];
    }

    private function step(string $name, callable $do): mixed
    {
        $this->at = $name;
        $began = hrtime(true);
        $result = $do();
        $this->steps[] = ['name' => $name, 'ms' => intdiv(hrtime(true) - $began, 1_000_000)];
        return $result;
    }

    private function walk(bool $places): void
    {
        $state = $this->step('open', fn () => $this->shop->ask('GET', '/wp-json/shopwright/v1/state'));
        if ($state['closed'] ?? false) {
            $this->found['closed'] = true;
            return;
        }
        $address = customer((string) $state['country'], (string) $state['postcode']);
        $this->step('catalogue', fn () => $this->choose());
        $this->step('cart', fn () => $this->fill());
        $cart = $this->step('address', fn () => $this->shop->ask('POST', '/wp-json/wc/store/v1/cart/update-customer', [
            'billing_address' => $address + ['email' => CUSTOMER], 'shipping_address' => $address,
        ]));
        $this->step('shipping', fn () => self::deliver($cart, $address['country']));
        $this->step('payment', fn () => ($cart['payment_methods'] ?? []) ?: throw new Refusal('There is no way to pay.'));
        // Where its owner takes cards only there is no order without money.
        if ($places && in_array('cod', $cart['payment_methods'], true)) {
            $this->buy($address);
        }
    }

    private function choose(): void
    {
        $this->goods = sellable($this->shop->ask('GET', '/wp-json/wc/store/v1/products?per_page=50&stock_status=instock'));
    }

    private function fill(): void
    {
        $this->shop->ask('GET', '/wp-json/wc/store/v1/cart');
        $this->shop->ask('POST', '/wp-json/wc/store/v1/cart/add-item', ['id' => $this->goods, 'quantity' => 1]);
    }

    private static function deliver(array $cart, string $country): void
    {
        $ways = array_merge(...array_column($cart['shipping_rates'] ?? [], 'shipping_rates'));
        if (($cart['needs_shipping'] ?? false) && $ways === []) {
            throw new Refusal("There is no way to ship to $country.");
        }
    }

    private function buy(array $address): void
    {
        $placed = $this->step('checkout', fn () => $this->shop->ask('POST', '/wp-json/wc/store/v1/checkout', [
            'billing_address' => $address + ['email' => CUSTOMER], 'shipping_address' => $address,
            'payment_method' => 'cod', 'customer_note' => 'Shopwright checks that this shop sells.',
        ]));
        $id = (int) $placed['order_id'];
        $this->found = ['placed' => true, 'order' => (string) $id] + $this->found;
        try {
            $this->step('order', fn () => $this->readBack($id));
        } finally { // it leaves no order behind, however it was found
            $at = $this->at;
            $this->step('cancel', fn () => $this->cancel($id));
            $this->at = $at;
        }
    }

    private function readBack(int $id): void
    {
        $order = $this->shop->ask('GET', "/wp-json/wc/v3/orders/$id", null, $this->login);
        $this->found['order'] = (string) $order['number'];
        if (!in_array($order['status'], ['processing', 'on-hold', 'completed'], true)) {
            throw new Refusal("The order {$order['number']} is {$order['status']}.");
        }
    }

    private function cancel(int $id): void
    {
        $after = $this->shop->ask('PUT', "/wp-json/wc/v3/orders/$id", ['status' => 'cancelled'], $this->login);
        if ($after['status'] !== 'cancelled') {
            throw new Refusal("The order {$this->found['order']} cannot be cancelled.");
        }
    }
}

$secret = fn (string $name): string => trim((string) file_get_contents((getenv('CREDENTIALS') ?: '/run/credentials') . "/$name"));
$check = new Check(
    new Shop((string) getenv('WORDPRESS_URL'), (string) getenv('SHOP_URL')),
    $secret('rest-key') . ':' . $secret('rest-secret'),
);
$found = $check->run(getenv('CHECK_PLACE_ORDER') === 'true');
$line = json_encode($found, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
file_put_contents(getenv('REPORT') ?: '/dev/termination-log', $line);
echo $line, "\n";
exit($found['ok'] ? 0 : 1);
