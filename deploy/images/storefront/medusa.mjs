// Medusa as the storefront sees it. Amounts are in whole units of their currency.
const freshFor = 10_000 // milliseconds for which the catalogue is not asked again
const mostKept = 500

/** Refusal is what Medusa has against a request, in words for the customer. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** Away says that Medusa does not answer now. */
export class Away extends Error {}

const cartFields = 'id,email,region_id,currency_code,completed_at,total,item_total,shipping_total,tax_total,discount_total,*items,*shipping_address,*shipping_methods'
const productFields = 'id,title,handle,description,thumbnail,*images,*options,*variants.options,*variants.calculated_price,+variants.inventory_quantity,+variants.manage_inventory,+variants.allow_backorder'
const manualPayment = 'pp_system_default'

/** Medusa asks the server at the URL, with the shop's publishable key. */
export class Medusa {
  #kept = new Map()

  constructor({ url, key, country }) {
    Object.assign(this, { url, key, country: country.toLowerCase() })
  }

  async isWell() {
    const answer = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(3000) }).catch(() => undefined)
    return answer?.ok === true
  }

  /** region is where the shop sells: that of its country, or the first there is. */
  async region() {
    const { regions } = await this.#recent('/store/regions?limit=100')
    const ours = regions.find((r) => r.countries?.some((c) => c.iso_2 === this.country)) ?? regions[0]
    if (!ours) throw new Refusal(503, 'This shop does not sell anywhere yet.')
    return ours
  }

  async products({ search, page, size }) {
    const query = new URLSearchParams({ limit: size, offset: (page - 1) * size, region_id: (await this.region()).id, fields: productFields })
    if (search) query.set('q', search)
    return this.#recent(`/store/products?${query}`)
  }

  async product(handle) {
    const query = new URLSearchParams({ handle, limit: 1, region_id: (await this.region()).id, fields: productFields })
    return (await this.#recent(`/store/products?${query}`)).products[0]
  }

  /** cart returns an open cart, or undefined where there is none of that id any more. */
  async cart(id) {
    try {
      const { cart } = await this.#ask('GET', `/store/carts/${encodeURIComponent(id)}?fields=${encodeURIComponent(cartFields)}`)
      return cart.completed_at ? undefined : cart
    } catch (error) {
      if (error.status === 404) return undefined
      throw error
    }
  }

  async createCart() {
    return (await this.#ask('POST', '/store/carts', { region_id: (await this.region()).id })).cart
  }

  add(cart, variant, quantity) {
    return this.#ask('POST', `/store/carts/${cart.id}/line-items`, { variant_id: variant, quantity })
  }

  change(cart, item, quantity) {
    const path = `/store/carts/${cart.id}/line-items/${encodeURIComponent(item)}`
    return quantity > 0 ? this.#ask('POST', path, { quantity }) : this.#ask('DELETE', path)
  }

  deliverTo(cart, email, address) {
    return this.#ask('POST', `/store/carts/${cart.id}`, { email, shipping_address: address, billing_address: address })
  }

  async deliveries(cart) {
    const { shipping_options: options } = await this.#ask('GET', `/store/shipping-options?cart_id=${cart.id}`)
    return options.filter((option) => option.price_type === 'flat')
  }

  chooseDelivery(cart, option) {
    return this.#ask('POST', `/store/carts/${cart.id}/shipping-methods`, { option_id: option })
  }

  /** takesManualPayment reports whether the shop is paid otherwise than on its pages. */
  async takesManualPayment(cart) {
    const { payment_providers: ways } = await this.#ask('GET', `/store/payment-providers?region_id=${cart.region_id}`)
    return ways.some((way) => way.id === manualPayment)
  }

  /** order places the order. A cart that was ordered before gives the same order again. */
  async order(cart) {
    const { payment_collection: collection } = await this.#ask('POST', '/store/payment-collections', { cart_id: cart.id })
    await this.#ask('POST', `/store/payment-collections/${collection.id}/payment-sessions`, { provider_id: manualPayment })
    const result = await this.#ask('POST', `/store/carts/${cart.id}/complete`)
    if (result.type !== 'order') throw new Refusal(409, result.error?.message ?? 'The order was not taken.')
    return result.order
  }

  async placed(id) {
    const fields = 'id,display_id,email,currency_code,total,item_total,shipping_total,tax_total,*items,*shipping_address'
    return (await this.#ask('GET', `/store/orders/${encodeURIComponent(id)}?fields=${encodeURIComponent(fields)}`)).order
  }

  async #recent(path) {
    const kept = this.#kept.get(path)
    if (kept && kept.until > Date.now()) return kept.content
    const content = await this.#ask('GET', path)
    if (this.#kept.size >= mostKept) this.#kept.clear()
    this.#kept.set(path, { content, until: Date.now() + freshFor })
    return content
  }

  async #ask(method, path, body) {
    const answer = await this.#send(method, path, body)
    const content = await answer.json().catch(() => ({}))
    if (answer.ok) return content
    if (answer.status >= 500) throw new Away(`Medusa answers ${answer.status} to ${method} ${path.split('?')[0]}: ${content.message}`)
    throw new Refusal(answer.status, content.message ?? 'That is not possible.')
  }

  async #send(method, path, body) {
    try {
      return await fetch(this.url + path, {
        method, signal: AbortSignal.timeout(20_000), body: body && JSON.stringify(body),
        headers: { 'x-publishable-api-key': this.key, ...(body && { 'content-type': 'application/json' }) },
      })
    } catch (error) {
      throw new Away(`Medusa cannot be reached: ${error.cause?.code ?? error.name}`)
    }
  }
}

/** priceOf is what the variant costs here, undefined where it is not sold. */
export const priceOf = (variant) => variant.calculated_price?.calculated_amount ?? undefined

/** isInStock reports whether the variant can be bought now. */
export const isInStock = (variant) => priceOf(variant) !== undefined &&
  (!variant.manage_inventory || variant.allow_backorder || variant.inventory_quantity > 0)
