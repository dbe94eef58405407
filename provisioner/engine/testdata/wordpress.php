<?php
// Stands in for WordPress and WooCommerce below a script of WP-CLI: keeps posts and terms in
// a file, row by row as they do, and dies in the middle of the product that KILLED names.

const OBJECT = 'OBJECT';
$args = array_slice($argv, 1);

final class Rows
{
    public static function all(): array
    {
        $file = getenv('STATE') . '/rows.json';
        return is_file($file) ? json_decode(file_get_contents($file), true) : ['posts' => [], 'terms' => []];
    }

    public static function keep(string $table, int $id, array $row): int
    {
        $all = self::all();
        $id = $id ?: count($all[$table]) + 1;
        $all[$table][$id] = $row + ($all[$table][$id] ?? []);
        file_put_contents(getenv('STATE') . '/rows.json', json_encode(array_map(fn (array $rows) => (object) $rows, $all)));
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
    public static function error(string $message): never
    {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }
}

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
        if ($post['slug'] === $slug && $type === 'product') {
            return (object) ['ID' => $id];
        }
    }
    return null;
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
