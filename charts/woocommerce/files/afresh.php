<?php
// An installation of WordPress that was interrupted before the shop had its owner would pass
// for complete: WordPress counts its first rows. It is removed, and begins anew. A shop that
// was set up once, or has an owner, is never touched: it is said to be installed.

declare(strict_types=1);

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$name = (string) getenv('WORDPRESS_DB_NAME');
$db = new mysqli((string) getenv('WORDPRESS_DB_HOST'), (string) getenv('WORDPRESS_DB_USER'), (string) getenv('WORDPRESS_DB_PASSWORD'), $name);
$tables = array_column($db->query('SHOW TABLES')->fetch_all(), 0);
$holds = fn (string $table, string $where): bool => in_array($table, $tables, true)
    && $db->query("SELECT 1 FROM `$table` WHERE $where LIMIT 1")->num_rows > 0;
if ($tables === []) {
    exit;
}
if ($holds('wp_options', "option_name = 'shopwright_setup'") || $holds('wp_usermeta', "meta_value LIKE '%administrator%'")) {
    exit('installed');
}
fwrite(STDERR, "setup: the installation was interrupted: beginning anew\n");
$db->query('SET FOREIGN_KEY_CHECKS = 0');
foreach ($tables as $table) {
    $db->query("DROP TABLE `$table`");
}
