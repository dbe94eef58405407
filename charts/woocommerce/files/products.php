<?php
// Puts products into a shop that is set up for the first time. One that is there is brought to
// what it should be: it is found by its slug, which is written with its first row, so that a run
// that was killed in the middle leaves none that comes twice.

function category_of(string $name): int
{
    $found = term_exists($name, 'product_cat') ?: wp_insert_term($name, 'product_cat');
    if (is_wp_error($found)) {
        WP_CLI::error("the category $name cannot be made: " . $found->get_error_message());
    }
    return (int) $found['term_id'];
}

function put_product(array $wanted): void
{
    $slug = strtolower($wanted['sku']);
    $there = get_page_by_path($slug, OBJECT, 'product');
    $product = new WC_Product_Simple($there ? $there->ID : 0);
    $refused = $product->set_props([
        'name' => $wanted['name'], 'slug' => $slug, 'sku' => $wanted['sku'], 'status' => 'publish',
        'description' => $wanted['description'] ?? '', 'regular_price' => (string) $wanted['price'],
        'category_ids' => isset($wanted['category']) ? [category_of($wanted['category'])] : [],
        'manage_stock' => isset($wanted['stock']), 'stock_quantity' => $wanted['stock'] ?? null,
    ]);
    if (is_wp_error($refused)) {
        WP_CLI::error("the product {$wanted['sku']} cannot be made: " . $refused->get_error_message());
    }
    $product->save();
}
