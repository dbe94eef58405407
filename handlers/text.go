package handlers

import "shopwright.dev/shopwright/provisioner/legible"

// plain and word are short names for what nearly every line of a page needs.

func plain(text string) string { return legible.Plain(text) }

func word(text string) string { return legible.Word(text) }
