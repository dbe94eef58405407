<?php
// What customers read while an upgrade has taken the shop away. Search engines and programs that
// buy learn from the status that it is not for long.
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
http_response_code(503);
header('Retry-After: 30');
header('Cache-Control: no-store');
$text = 'We are updating our shop. Please try again in a few minutes.';
if (str_starts_with($_SERVER['REQUEST_URI'], '/wp-json/')) {
    header('Content-Type: application/json');
    exit(json_encode(['code' => 'maintenance', 'message' => $text, 'data' => ['status' => 503]]));
}
header('Content-Type: text/html; charset=utf-8');
$name = htmlspecialchars((string) getenv('SHOP_NAME'));
echo <<<HTML
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="15">
<title>$name</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }
body { display: grid; place-content: center; min-height: 90vh; margin: 1.5rem; text-align: center }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere }
</style>
<main>
<h1>$name</h1>
<p>$text</p>
</main>
</html>

HTML;
