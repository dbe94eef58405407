<?php
// How the URL of a shop is found in its data. A URL may be written without its scheme, and in JSON with
// backslashes before its slashes, once for each JSON that it is in.

// The URL without its scheme and slashes: a host, perhaps a port and a path.
function site_of(string $url): string
{
    return rtrim((string) preg_replace('#^(https?:)?//#i', '', $url), '/');
}

// A regular expression for the URLs of the site, of any scheme if none is given. What follows must not make it
// another host or port: shop.example.com is not shop.example.com.au. A mail address, or another host that
// ends alike, has no slashes before it.
function pattern(string $site, string $scheme = ''): string
{
    return $scheme . '(\\\\*/\\\\*/)' . preg_quote($site, '#') . '(?![\w-]|\.[\w-]|:\d)';
}
