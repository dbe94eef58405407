package views

// htmxConfig configures htmx: it adheres to the content security policy, leaves the browser's history
// alone, keeps open menus open when the elements around them are replaced, and does not swap error pages
// into the place of a form.
const htmxConfig = `{
	"includeIndicatorCSS": false,
	"history": false,
	"morphIgnore": ["data-htmx-powered", "open"],
	"noSwap": [204, 304, "4xx", "5xx"],
	"sse": {"reconnectMaxDelay": 5000}
}`
