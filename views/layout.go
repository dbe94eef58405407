package views

// htmxConfig keeps htmx within the content security policy and out of the browser's
// history. Menus that are open stay open when their surroundings are replaced, and error
// pages are not swapped into the place of a form.
const htmxConfig = `{
	"includeIndicatorCSS": false,
	"history": false,
	"morphIgnore": ["data-htmx-powered", "open"],
	"noSwap": [204, 304, "4xx", "5xx"],
	"sse": {"reconnectMaxDelay": 5000}
}`
