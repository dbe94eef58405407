// The storefront: pages made on the server from what Medusa says. It keeps nothing itself; a
// customer's cart is in Medusa, and its id in a cookie.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Away, Medusa, Refusal } from './medusa.mjs'
import { Pages } from './pages.mjs'

const { env } = process
for (const name of ['MEDUSA_URL', 'PUBLISHABLE_KEY', 'SHOP_URL']) {
  if (!env[name]) {
    console.error(`${name} is not set`)
    process.exit(1)
  }
}

const asset = (name) => readFileSync(new URL(`assets/${name}`, import.meta.url))
const style = asset('style.css')
const stylesheet = `/assets/style-${createHash('sha256').update(style).digest('hex').slice(0, 8)}.css`
const assets = { [stylesheet]: ['text/css; charset=utf-8', style], '/assets/icon.svg': ['image/svg+xml', asset('icon.svg')] }

const origin = new URL(env.SHOP_URL).origin
const secure = origin.startsWith('https:')
const medusa = new Medusa({ url: env.MEDUSA_URL, key: env.PUBLISHABLE_KEY, country: env.SHOP_COUNTRY ?? '' })
const pages = new Pages({ shop: env.SHOP_NAME || 'Shop', stylesheet })
const pageSize = 24
const bodyLimit = 64 * 1024

const routes = [
  ['GET', /^\/$/, listProducts],
  ['GET', /^\/products\/([^/]+)$/, showProduct],
  ['GET', /^\/cart$/, showCart],
  ['POST', /^\/cart\/items$/, addItem],
  ['POST', /^\/cart\/items\/([^/]+)$/, changeItem],
  ['GET', /^\/checkout$/, askAddress],
  ['POST', /^\/checkout$/, takeAddress],
  ['GET', /^\/checkout\/review$/, review],
  ['POST', /^\/checkout\/order$/, placeOrder],
  ['GET', /^\/orders\/([^/]+)$/, showOrder],
]

async function listProducts(request) {
  const search = (request.query.get('q') ?? '').trim().slice(0, 100)
  const page = Math.min(Math.max(1, Number.parseInt(request.query.get('page') ?? '1', 10) || 1), 10_000)
  const [{ products, count }, basket] = await Promise.all([medusa.products({ search, page, size: pageSize }), request.basket()])
  return view(pages.products({ products, count, search, page, size: pageSize, basket }))
}

async function showProduct(request, handle) {
  const [product, basket] = await Promise.all([medusa.product(handle), request.basket()])
  return product ? view(pages.product({ product, basket })) : notFound(basket)
}

async function showCart(request, problem) {
  const cart = await request.cart()
  return view(pages.cart({ cart, problem, basket: countOf(cart) }), problem ? 422 : 200)
}

async function addItem(request) {
  const form = await request.form()
  const cart = (await request.cart()) ?? (await medusa.createCart())
  try {
    await medusa.add(cart, form.get('variant') ?? '', quantityIn(form, 1))
  } catch (error) {
    const product = error instanceof Refusal && (await medusa.product(form.get('product') ?? ''))
    if (!product) throw error
    return view(pages.product({ product, problem: inWords(error), basket: countOf(cart) }), 422)
  }
  return goTo('/cart', cookie('cart', cart.id))
}

async function changeItem(request, item) {
  const form = await request.form()
  const cart = await request.cart()
  if (!cart) return goTo('/cart')
  try {
    await medusa.change(cart, item, quantityIn(form, 0))
  } catch (error) {
    request.forgetCart()
    if (error instanceof Refusal) return showCart(request, inWords(error))
    throw error
  }
  return goTo('/cart')
}

async function askAddress(request, problem, typed) {
  const cart = await request.cart()
  if (!cart?.items?.length) return goTo('/cart')
  const { countries } = await medusa.region()
  const values = typed ?? { email: cart.email, country_code: env.SHOP_COUNTRY?.toLowerCase(), ...present(cart.shipping_address) }
  return view(pages.checkout({ cart, countries, values, problem, basket: countOf(cart) }), problem ? 422 : 200)
}

async function takeAddress(request) {
  const values = Object.fromEntries([...(await request.form())].map(([name, value]) => [name, value.trim().slice(0, 200)]))
  const cart = await request.cart()
  if (!cart?.items?.length) return goTo('/cart')
  const missing = ['email', 'first_name', 'last_name', 'address_1', 'postal_code', 'city', 'country_code'].filter((name) => !values[name])
  if (missing.length > 0) return askAddress(request, 'Please fill in every field but the phone.', values)
  const { email, first_name, last_name, address_1, postal_code, city, country_code, phone } = values
  try {
    await medusa.deliverTo(cart, email, { first_name, last_name, address_1, postal_code, city, country_code, phone })
  } catch (error) {
    if (error instanceof Refusal) return askAddress(request, inWords(error), values)
    throw error
  }
  return goTo('/checkout/review')
}

async function review(request, problem) {
  const cart = await request.cart()
  if (!cart?.items?.length) return goTo('/cart')
  if (!cart.shipping_address) return goTo('/checkout')
  const [deliveries, takesPayment] = await Promise.all([medusa.deliveries(cart), medusa.takesManualPayment(cart)])
  if (deliveries.length > 0 && !deliveries.some((d) => d.id === deliveryOf(cart))) {
    await medusa.chooseDelivery(cart, deliveries[0].id) // so that the sum is the whole sum
    request.forgetCart()
  }
  const summed = await request.cart()
  return view(pages.review({ cart: summed, deliveries, takesPayment, problem, basket: countOf(summed) }), problem ? 422 : 200)
}

const deliveryOf = (cart) => cart.shipping_methods?.[0]?.shipping_option_id

async function placeOrder(request) {
  const form = await request.form()
  const cart = await request.cart()
  if (!cart?.items?.length) return goTo('/cart')
  if (!cart.shipping_address) return goTo('/checkout')
  try {
    const delivery = form.get('delivery') ?? ''
    if (delivery !== deliveryOf(cart)) { // nobody buys at a sum that was not on the page
      await medusa.chooseDelivery(cart, delivery)
      request.forgetCart()
      return await review(request, 'With this delivery the total is another. Please look at it and place the order again.')
    }
    const order = await medusa.order(cart)
    return goTo(`/orders/${order.id}`, cookie('order', order.id), cookie('cart', ''))
  } catch (error) {
    if (error instanceof Refusal) return review(request, inWords(error))
    throw error
  }
}

// An order is shown to the browser that placed it: it holds an address.
async function showOrder(request, id) {
  if (request.cookies.order !== id) return notFound(await request.basket())
  return view(pages.confirmation({ order: await medusa.placed(id), basket: await request.basket() }))
}

const notFound = (basket) => view(pages.message({ title: 'Not found', text: 'There is nothing at this address.', basket }), 404)
const view = (page, status = 200) => ({ status, body: page.toString() })
const goTo = (path, ...cookies) => ({ status: 303, headers: { location: path, ...(cookies.length > 0 && { 'set-cookie': cookies }) } })
const countOf = (cart) => (cart?.items ?? []).reduce((sum, item) => sum + item.quantity, 0)
const present = (values) => Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value))

function cookie(name, value) {
  const life = value ? 'Max-Age=2592000' : 'Max-Age=0'
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; ${life}${secure ? '; Secure' : ''}`
}

function quantityIn(form, least) {
  const quantity = Number(form.get('quantity'))
  if (!Number.isInteger(quantity) || quantity < least || quantity > 99) throw new Refusal(400, `Please choose a number between ${least} and 99.`)
  return quantity
}

function inWords({ message }) {
  if (/inventory/i.test(message)) return 'There is not that much of it left.'
  if (/email/i.test(message)) return 'This does not look like a mail address.'
  return message
}

class Request {
  #cart

  constructor(message) {
    const url = new URL(message.url, 'http://shop')
    Object.assign(this, { message, path: url.pathname, query: url.searchParams, cookies: cookiesOf(message.headers.cookie) })
  }

  cart() {
    return (this.#cart ??= this.cookies.cart ? medusa.cart(this.cookies.cart) : Promise.resolve(undefined))
  }

  /** forgetCart has it asked for again, after a change. */
  forgetCart() { this.#cart = undefined }

  /** basket is how much is in the cart, for the head of the page. */
  async basket() { return countOf(await this.cart()) }

  async form() {
    let body = ''
    for await (const part of this.message.setEncoding('utf8')) {
      body += part
      if (body.length > bodyLimit) throw new Refusal(413, 'That is too much.')
    }
    return new URLSearchParams(body)
  }

  /** isForged reports whether another site sent this. */
  isForged() {
    const { origin: from, 'sec-fetch-site': site } = this.message.headers
    return from ? from !== origin : Boolean(site) && site !== 'same-origin'
  }
}

function cookiesOf(header = '') {
  return Object.fromEntries(header.split(';').map((pair) => pair.trim().split('=')).filter(([name, value]) => name && /^[\w-]+$/.test(value ?? '')))
}

async function answer(request) {
  const { method } = request.message
  const verb = method === 'HEAD' ? 'GET' : method
  for (const [wanted, pattern, handle] of routes) {
    const match = pattern.exec(request.path)
    if (!match || wanted !== verb) continue
    if (verb === 'POST' && request.isForged()) throw new Refusal(403, 'This was sent from another site.')
    return handle(request, ...match.slice(1).map(decoded))
  }
  return notFound(0)
}

function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function trouble(error) {
  if (error instanceof Refusal) return view(pages.message({ title: 'That did not work', text: inWords(error) }), error.status)
  console.error(error instanceof Away ? error.message : error)
  if (!(error instanceof Away)) return view(pages.message({ title: 'Something went wrong', text: 'Please try again.' }), 500)
  const page = view(pages.message({ title: 'Back in a moment', text: 'The shop is being worked on. This page tries again by itself.', refresh: 5 }), 503)
  return { ...page, headers: { 'retry-after': '5' } }
}

const always = {
  'content-security-policy': "default-src 'none'; style-src 'self'; img-src 'self' https: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
}

function send(response, { status, headers, body = '' }) {
  if (!server.listening) response.setHeader('connection', 'close') // or a proxy would keep it, and us, for ever
  response.writeHead(status, { ...always, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', ...headers })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

// For the cluster's probes: ready once Medusa was found, and from then on.
let found = false

async function probe(path) {
  if (path === '/ready') found ||= await medusa.isWell()
  return { status: path === '/alive' || found ? 200 : 503, body: '', headers: { 'content-type': 'text/plain' } }
}

async function serve(message, response) {
  const request = new Request(message)
  if (request.path === '/alive' || request.path === '/ready') return send(response, await probe(request.path))
  if (assets[request.path]) {
    const [type, body] = assets[request.path]
    return send(response, { status: 200, body, headers: { 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' } })
  }
  send(response, await answer(request).catch(trouble))
}

const server = createServer((message, response) => {
  serve(message, response).catch((error) => {
    console.error(error)
    response.destroy()
  })
})
server.listen(Number(env.PORT || 8000), () => console.log(`serving ${env.SHOP_URL} on port ${server.address().port}`))
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close())
