/*! Contains htmx 4.0.1 and its hx-sse extension (https://htmx.org), Zero-Clause BSD licence. */
