<?php
// Some countries, in the form of WooCommerce's own table.
return [
    'AT' => ['currency_code' => 'EUR', 'currency_pos' => 'left_space', 'thousand_sep' => '.', 'decimal_sep' => ',', 'num_decimals' => 2, 'weight_unit' => 'kg', 'dimension_unit' => 'cm', 'default_locale' => 'de_AT'],
    'BH' => ['currency_code' => 'BHD', 'currency_pos' => 'right_space', 'thousand_sep' => '.', 'decimal_sep' => ',', 'num_decimals' => 3, 'weight_unit' => 'kg', 'dimension_unit' => 'cm', 'default_locale' => 'ar_BH'],
    'DE' => ['currency_code' => 'EUR', 'currency_pos' => 'right_space', 'thousand_sep' => '.', 'decimal_sep' => ',', 'num_decimals' => 2, 'weight_unit' => 'kg', 'dimension_unit' => 'cm', 'default_locale' => 'de_DE'],
    'JP' => ['currency_code' => 'JPY', 'currency_pos' => 'left', 'thousand_sep' => ',', 'decimal_sep' => '.', 'num_decimals' => 0, 'weight_unit' => 'kg', 'dimension_unit' => 'cm', 'default_locale' => 'ja_JP'],
    'US' => ['currency_code' => 'USD', 'currency_pos' => 'left', 'thousand_sep' => ',', 'decimal_sep' => '.', 'num_decimals' => 2, 'weight_unit' => 'lbs', 'dimension_unit' => 'in', 'default_locale' => 'en_US'],
];
