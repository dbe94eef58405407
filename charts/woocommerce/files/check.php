<?php
// Shops as a customer would, over the shop's own addresses, and looks that the order stands in
// its books. What it found is one line of JSON. An order is cancelled again, which puts the stock
// back; files/shopwright-check.php keeps its mail in, and removes what it leaves.

declare(strict_types=1);

const CUSTOMER = 'order-check@shopwright.invalid';
const CHECK = '/shopwright/v1/check';

final class Refusal extends Exception {}

final class Shop
{
    private array $session = [];
    public float $until;

    public function __construct(private string $address, private string $url, private string $key, float $patience)
    {
        $this->until = microtime(true) + $patience;
    }

    // Requests as the ingress passes them on. The route is a parameter, as the merchant may have
    // any structure of addresses.
    public function ask(string $method, string $route, ?array $body = null, array $query = []): array
    {
        $headers = [
            'Host: ' . preg_replace('#^https?://#', '', $this->url), 'Accept: application/json',
            'X-Forwarded-Proto: ' . parse_url($this->url, PHP_URL_SCHEME), 'X-Shopwright-Check: ' . $this->key,
        ];
        foreach ($this->session as $name => $value) {
            $headers[] = "$name: $value";
        }
        $left = (int) (($this->until - microtime(true)) * 1000);
        if ($left <= 0) {
            throw new Refusal('The shop did not respond in time.');
        }
        $curl = curl_init($this->address . '/?' . http_build_query(['rest_route' => $route] + $query));
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT_MS => $left,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line): int {
                $this->remember($line);
                return strlen($line);
            },
        ]);
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
        }
        curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
        $answer = curl_exec($curl);
        if ($answer === false) {
            throw new Refusal('The shop is not responding: ' . curl_error($curl));
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
            throw new Refusal(strip_tags((string) ($data['message'] ?? "The shop returned status $status.")));
        }
        if (!is_array($data)) {
            throw new Refusal("The shop returned status $status without JSON.");
        }
        return $data;
    }
}

// What to put into the cart for each product that can be bought: the product, or one of its
// variations with a choice for everything that the variation leaves open.
function offers(array $products): array
{
    $offers = [];
    foreach ($products as $product) {
        if (!($product['is_purchasable'] ?? false) || !($product['is_in_stock'] ?? false)) {
            continue;
        }
        $quantity = (int) ($product['add_to_cart']['minimum'] ?? 1);
        if (!($product['has_options'] ?? false)) {
            $offers[] = ['id' => (int) $product['id'], 'quantity' => $quantity];
        }
        foreach (array_slice($product['variations'] ?? [], 0, 5) as $variation) {
            $offers[] = ['id' => (int) $variation['id'], 'quantity' => $quantity, 'variation' => choices($product, $variation)];
        }
    }
    return $offers;
}

function choices(array $product, array $variation): array
{
    $fixed = array_column($variation['attributes'] ?? [], 'value', 'name');
    $choices = [];
    foreach ($product['attributes'] ?? [] as $attribute) {
        if ($attribute['has_variations'] ?? false) {
            $any = $attribute['terms'][0]['slug'] ?? '';
            $choices[] = ['attribute' => $attribute['taxonomy'] ?: $attribute['name'], 'value' => ($fixed[$attribute['name']] ?? '') ?: $any];
        }
    }
    return $choices;
}

final class Check
{
    private array $found = ['ok' => true, 'placed' => false];
    private array $steps = [];
    private string $at = 'open';
    private bool $begun = false;
    private int $order = 0;

    public function __construct(private Shop $shop) {}

    public function run(bool $places): array
    {
        $this->tell(fn () => $this->walk($places));
        $this->shop->until = microtime(true) + 15; // whatever the walk has taken
        if ($this->order > 0) {
            $this->tell(fn () => $this->step('cancel', fn () => $this->cancel()));
        } elseif ($this->begun) {
            try {
                $this->shop->ask('DELETE', CHECK);
            } catch (Refusal) { // the next check begins with it
            }
        }
        return $this->found + ['steps' => $this->steps];
    }

    // Keeps the first thing that went wrong.
    private function tell(callable $do): void
    {
        try {
            $do();
        } catch (Throwable $wrong) {
            $why = $wrong instanceof Refusal ? $wrong->getMessage() : 'The check itself broke: ' . $wrong->getMessage();
            if ($this->found['ok']) {
                $this->found = ['ok' => false, 'failed' => $this->at, 'message' => substr($why, 0, 500)] + $this->found;
            }
        }
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
        $shop = $this->step('open', fn () => $this->open());
        if ($shop['closed'] ?? false) {
            $this->found['closed'] = true;
            return;
        }
        $address = $shop['address'];
        $offers = $this->step('catalogue', fn () => $this->choose());
        $this->step('cart', fn () => $this->fill($offers));
        $cart = $this->step('address', fn () => $this->shop->ask('POST', '/wc/store/v1/cart/update-customer', [
            'billing_address' => $address + ['email' => CUSTOMER], 'shipping_address' => $address,
        ]));
        $this->step('shipping', fn () => self::deliver($cart, $address['country']));
        $this->step('payment', fn () => ($cart['payment_methods'] ?? []) ?: throw new Refusal('No payment method is available.'));
        // Where its owner takes cards only there is no order without money.
        if ($places && in_array('cod', $cart['payment_methods'], true)) {
            $this->buy($address, $shop['fields'] ?? []);
        }
    }

    private function open(): array
    {
        $shop = $this->shop->ask('POST', CHECK);
        $this->begun = true;
        return isset($shop['message']) ? throw new Refusal($shop['message']) : $shop;
    }

    private function choose(): array
    {
        $products = $this->shop->ask('GET', '/wc/store/v1/products', null, ['per_page' => 50, 'stock_status' => 'instock']);
        return offers($products) ?: throw new Refusal('No product is for sale.');
    }

    // Some products need what only a person can say; the next one may not.
    private function fill(array $offers): void
    {
        $this->shop->ask('GET', '/wc/store/v1/cart');
        $first = null;
        foreach (array_slice($offers, 0, 10) as $offer) {
            try {
                $this->shop->ask('POST', '/wc/store/v1/cart/add-item', $offer);
                return;
            } catch (Refusal $refusal) {
                $first ??= $refusal;
            }
        }
        throw $first;
    }

    private static function deliver(array $cart, string $country): void
    {
        $ways = array_merge(...array_column($cart['shipping_rates'] ?? [], 'shipping_rates'));
        if (($cart['needs_shipping'] ?? false) && $ways === []) {
            throw new Refusal("No shipping method for $country.");
        }
    }

    private function buy(array $address, array $fields): void
    {
        $placed = $this->step('checkout', fn () => $this->shop->ask('POST', '/wc/store/v1/checkout', [
            'billing_address' => $address + ['email' => CUSTOMER], 'shipping_address' => $address,
            'payment_method' => 'cod', 'customer_note' => 'Shopwright checks that this shop sells.',
        ] + ($fields === [] ? [] : ['additional_fields' => $fields])));
        $this->order = (int) $placed['order_id'];
        $this->found = ['placed' => true, 'order' => (string) $this->order] + $this->found;
        $this->step('order', fn () => $this->readBack());
    }

    private function readBack(): void
    {
        $order = $this->shop->ask('GET', CHECK . "/$this->order");
        $this->found['order'] = (string) $order['number'];
        // A merchant's plugins may have other statuses for orders that are good.
        if (in_array($order['status'], ['pending', 'failed', 'cancelled', 'refunded', 'trash', 'checkout-draft'], true)) {
            throw new Refusal("The order {$order['number']} is {$order['status']}.");
        }
    }

    private function cancel(): void
    {
        $this->shop->ask('DELETE', CHECK);
        $status = $this->shop->ask('GET', CHECK . "/$this->order")['status'];
        if ($status !== 'cancelled') {
            throw new Refusal("The order {$this->found['order']} can't be cancelled: its status is $status.");
        }
    }
}

$secret = fn (string $name): string => trim((string) file_get_contents((getenv('CREDENTIALS') ?: '/run/credentials') . "/$name"));
$check = new Check(new Shop((string) getenv('WORDPRESS_URL'), (string) getenv('SHOP_URL'), $secret('rest-key') . ':' . $secret('rest-secret'), 90));
$found = $check->run(getenv('CHECK_PLACE_ORDER') === 'true');
$line = json_encode($found, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
file_put_contents(getenv('REPORT') ?: '/dev/termination-log', $line);
echo $line, "\n";
exit($found['ok'] ? 0 : 1);
