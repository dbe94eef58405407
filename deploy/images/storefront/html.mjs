// HTML in which everything is text unless it is HTML already.

class Html {
  constructor(text) { this.text = text }
  toString() { return this.text }
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => escapes[sign])

function show(value) {
  if (value === undefined || value === null || value === false) return ''
  if (Array.isArray(value)) return value.map(show).join('')
  return value instanceof Html ? value.text : escape(value)
}

/** html is the tag of a template: html`<b>${name}</b>`. */
export const html = (parts, ...values) => new Html(parts.map((part, i) => part + (i < values.length ? show(values[i]) : '')).join(''))
