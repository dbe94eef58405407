// Shops as a customer would, reads the order back as the owner, cancels it and looks that
// its stock is back. What it found is one line of JSON: the pod's termination message.
import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

const { MEDUSA_URL, STOREFRONT_URL, CREDENTIALS, REPORT } = process.env
const placesOrder = process.env.CHECK_PLACE_ORDER !== 'false'
const manualPayment = 'pp_system_default'
const email = 'order-check@shopwright.invalid' // mail to .invalid reaches nobody: https://www.rfc-editor.org/rfc/rfc2606
let whole = AbortSignal.timeout(100_000) // less than the pod's deadline, so that it can tell why

const steps = []
let current = 'reach'

class Finding extends Error {} // something that a person can read and act on

const credential = (name) => readFileSync(`${CREDENTIALS}/${name}`, 'utf8').trim()
const customer = () => ({ 'x-publishable-api-key': credential('publishable-key') })
const patience = () => AbortSignal.any([whole, AbortSignal.timeout(20_000)])

async function step(name, act) {
  current = name
  const began = performance.now()
  try {
    return await act()
  } finally {
    steps.push({ name, ms: Math.round(performance.now() - began) })
  }
}

async function ask(method, path, headers, body) {
  const answer = await fetch(MEDUSA_URL + path, {
    method, signal: patience(),
    headers: { ...headers, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  const content = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Finding(`Medusa returned ${answer.status} for ${method} ${path.split('?')[0]}: ${content.message ?? 'no reason given'}`)
  return content
}

const get = (path, headers) => ask('GET', path, headers)
const post = (path, headers, body = {}) => ask('POST', path, headers, body)

// A new pod may be let out by the network a moment after it has started.
async function reach() {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(`${MEDUSA_URL}/health`, { signal: AbortSignal.any([whole, AbortSignal.timeout(3000)]) })
      if (answer.ok) return
    } catch (error) {
      if (tries >= 10) throw error
    }
    if (tries >= 10) throw new Finding('Medusa is not healthy')
    await pause(1000)
  }
}

async function openShop() {
  const answer = await fetch(STOREFRONT_URL, { signal: patience() })
  if (!answer.ok) throw new Finding(`The shop's home page returned ${answer.status}`)
  await answer.text()
}

const isSold = (variant) => variant.calculated_price?.calculated_amount != null &&
  (!variant.manage_inventory || variant.allow_backorder || variant.inventory_quantity > 0)

// The first thing that can be bought, and where.
async function findGoods() {
  const { regions } = await get('/store/regions?limit=50', customer())
  let products = 0
  for (const region of regions) {
    const fields = '*variants.calculated_price,+variants.inventory_quantity,+variants.manage_inventory,+variants.allow_backorder'
    const found = await get(`/store/products?region_id=${region.id}&limit=50&fields=${encodeURIComponent(fields)}`, customer())
    products += found.products.length
    const variant = found.products.flatMap((product) => product.variants ?? []).find(isSold)
    if (variant && region.countries?.length) return { region, variant }
  }
  throw new Finding(products ? 'No product has a price and is in stock' : 'The catalogue is empty')
}

const address = (country) => ({
  first_name: 'Order', last_name: 'Check', address_1: 'Test order by Shopwright', city: 'Nowhere', postal_code: '00000', country_code: country,
})

async function chooseShipping(cart) {
  const { shipping_options: options } = await get(`/store/shipping-options?cart_id=${cart}`, customer())
  const option = options.find((o) => o.price_type === 'flat' && o.insufficient_inventory !== true)
  if (!option) throw new Finding('No shipping method for this address')
  await post(`/store/carts/${cart}/shipping-methods`, customer(), { option_id: option.id })
}

// Reports whether the check can pay: where its owner takes cards only, there is no order
// without money.
async function pay(cart, region) {
  const { payment_providers: ways } = await get(`/store/payment-providers?region_id=${region.id}`, customer())
  if (ways.length === 0) throw new Finding(`No payment method in the region ${region.name}`)
  if (!ways.some((way) => way.id === manualPayment)) return false
  const { payment_collection: collection } = await post('/store/payment-collections', customer(), { cart_id: cart })
  await post(`/store/payment-collections/${collection.id}/payment-sessions`, customer(), { provider_id: manualPayment })
  return true
}

async function place(cart) {
  const result = await post(`/store/carts/${cart}/complete`, customer())
  if (result.type !== 'order') throw new Finding(`The order was refused: ${result.error?.message ?? result.type}`)
  return result.order
}

// The check signs a token of its own with the secret of the shop, for a few minutes: it depends
// on no user whom the owner may change or remove. https://www.rfc-editor.org/rfc/rfc7519
async function signIn() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({
    actor_id: 'shopwright-order-check', actor_type: 'user', auth_identity_id: 'shopwright-order-check', app_metadata: {}, iat: now, exp: now + 300,
  })}`
  const signature = createHmac('sha256', credential('jwt-secret')).update(content).digest('base64url')
  const owner = { authorization: `Bearer ${content}.${signature}` }
  await get('/admin/orders?limit=1&fields=id', owner)
  await tidy(owner).catch(() => {}) // the shop sells all the same
  return owner
}

// A check that was killed leaves its order, as does a shop that answers too late. An order that
// somebody has sent cannot be cancelled.
async function tidy(owner) {
  const { orders } = await get(`/admin/orders?${new URLSearchParams({ q: email, status: 'pending', fields: 'id,email' })}`, owner)
  for (const left of orders.filter((order) => order.email === email)) {
    await post(`/admin/orders/${left.id}/cancel`, owner).catch(() => {})
  }
}

async function readBack(owner, placed) {
  const { order } = await get(`/admin/orders/${placed.id}?fields=id,display_id,status,email,total`, owner)
  if (order.display_id !== placed.display_id || order.total !== placed.total) throw new Finding(`Order ${placed.display_id} in the admin differs from the order placed`)
}

// Cancelling gives back what the order had reserved.
async function cancel(owner, placed) {
  const { order } = await post(`/admin/orders/${placed.id}/cancel`, owner)
  if (order.status !== 'canceled') throw new Finding(`Order ${placed.display_id} can't be cancelled: its status is ${order.status}`)
  const lines = (await get(`/admin/orders/${placed.id}?fields=items.id`, owner)).order.items.map((item) => `line_item_id[]=${item.id}`)
  const { reservations } = await get(`/admin/reservations?${lines.join('&')}`, owner)
  if (reservations.length > 0) throw new Finding(`The stock of order ${placed.display_id} is still reserved`)
}

async function order(cart) {
  const owner = await step('sign in', signIn) // first: what is placed must be cancelled
  const placed = await step('order', () => place(cart))
  report.placed = true
  report.order = String(placed.display_id)
  let read
  await step('read back', () => readBack(owner, placed)).catch((error) => { read = { error, failed: current } })
  whole = AbortSignal.timeout(15_000) // whatever the rest has taken
  await step('cancel', () => cancel(owner, placed))
  if (read) {
    current = read.failed
    throw read.error
  }
}

async function shop() {
  await step('reach', reach)
  await step('storefront', openShop)
  const { region, variant } = await step('catalogue', findGoods)
  const { cart } = await step('cart', () => post('/store/carts', customer(), {
    region_id: region.id, metadata: { shopwright_check: true }, items: [{ variant_id: variant.id, quantity: 1 }],
  }))
  const where = address(region.countries[0].iso_2)
  await step('address', () => post(`/store/carts/${cart.id}`, customer(), { email, shipping_address: where, billing_address: where }))
  await step('shipping', () => chooseShipping(cart.id))
  const pays = await step('payment', () => pay(cart.id, region))
  if (placesOrder && pays) await order(cart.id)
}

function inWords(error) {
  if (error instanceof Finding) return error.message
  if (error.name === 'TimeoutError') return 'The shop did not respond in time'
  return `The shop cannot be reached: ${error.cause?.code ?? error.message}`
}

const report = { ok: true, placed: false, steps }
try {
  await shop()
} catch (error) {
  Object.assign(report, { ok: false, failed: current, message: inWords(error).slice(0, 500) })
}
const { ok, placed, order: number, failed, message } = report
const line = JSON.stringify({ ok, placed, order: number, failed, message, steps })
console.log(line)
if (REPORT) writeFileSync(REPORT, line)
process.exitCode = ok ? 0 : 1
