<?php
// What the country of a new shop decides: how prices are written, units, time zone, language.

// Where a country has several time zones, the one in which most of its people live.
const TIME_ZONES = [
    'AR' => 'America/Argentina/Buenos_Aires', 'AU' => 'Australia/Sydney', 'BR' => 'America/Sao_Paulo', 'CA' => 'America/Toronto',
    'CD' => 'Africa/Kinshasa', 'CL' => 'America/Santiago', 'CN' => 'Asia/Shanghai', 'CY' => 'Asia/Nicosia', 'DE' => 'Europe/Berlin',
    'EC' => 'America/Guayaquil', 'ES' => 'Europe/Madrid', 'FM' => 'Pacific/Pohnpei', 'GL' => 'America/Nuuk', 'ID' => 'Asia/Jakarta',
    'KI' => 'Pacific/Tarawa', 'KZ' => 'Asia/Almaty', 'MH' => 'Pacific/Majuro', 'MN' => 'Asia/Ulaanbaatar', 'MX' => 'America/Mexico_City',
    'MY' => 'Asia/Kuala_Lumpur', 'NZ' => 'Pacific/Auckland', 'PF' => 'Pacific/Tahiti', 'PG' => 'Pacific/Port_Moresby', 'PS' => 'Asia/Gaza',
    'PT' => 'Europe/Lisbon', 'RU' => 'Europe/Moscow', 'UA' => 'Europe/Kyiv', 'UM' => 'Pacific/Wake', 'US' => 'America/New_York',
    'UZ' => 'Asia/Tashkent', 'XK' => 'Europe/Belgrade',
];

function time_zone_of(string $country): string
{
    return TIME_ZONES[$country] ?? DateTimeZone::listIdentifiers(DateTimeZone::PER_COUNTRY, $country)[0] ?? 'UTC';
}

// The formats of the country, with the decimals of the currency, which may be another country's.
// The table is WooCommerce's own i18n/locale-info.php.
function formats_of(string $country, string $currency, array $table): array
{
    $own = $table[$country] ?? [];
    return [
        'woocommerce_currency_pos' => $own['currency_pos'] ?? 'left',
        'woocommerce_price_thousand_sep' => $own['thousand_sep'] ?? ',',
        'woocommerce_price_decimal_sep' => $own['decimal_sep'] ?? '.',
        'woocommerce_price_num_decimals' => array_column($table, 'num_decimals', 'currency_code')[$currency] ?? 2,
        'woocommerce_weight_unit' => ($own['weight_unit'] ?? 'kg') === 'lbs' ? 'lbs' : 'kg',
        'woocommerce_dimension_unit' => ($own['dimension_unit'] ?? 'cm') === 'in' ? 'in' : 'cm',
    ];
}

// The country's language among those that are installed: as it is spoken there, or else elsewhere.
// Empty is American English, which is always there.
function language_of(string $country, array $table, array $installed): string
{
    $wanted = $table[$country]['default_locale'] ?? '';
    $language = strtok($wanted, '_');
    foreach ([$wanted, "{$language}_" . strtoupper((string) $language), $language] as $locale) {
        if (in_array($locale, $installed, true)) {
            return $locale;
        }
    }
    return '';
}
