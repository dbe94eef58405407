// What programs and the owner get in Medusa's place while an upgrade has taken it away. They learn
// from the status that it is not for long. Customers read the storefront's own page meanwhile.
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
import { createServer } from 'node:http'

const text = 'We are updating our shop. Please try again in a few minutes.'
const name = (process.env.SHOP_NAME ?? '').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="15">
<title>${name}</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }
body { display: grid; place-content: center; min-height: 90vh; margin: 1.5rem; text-align: center }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere }
</style>
<main>
<h1>${name}</h1>
<p>${text}</p>
</main>
</html>
`
const json = JSON.stringify({ type: 'maintenance', message: text })

createServer((request, response) => {
  const reads = (request.headers.accept ?? '').includes('text/html')
  response.writeHead(503, {
    'content-type': reads ? 'text/html; charset=utf-8' : 'application/json',
    'retry-after': '30',
    'cache-control': 'no-store',
    vary: 'accept',
  })
  response.end(reads ? page : json)
}).listen(process.env.PORT ?? 9000)
process.on('SIGTERM', () => process.exit())
