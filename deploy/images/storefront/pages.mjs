// What customers see. Pages work without script.
import { html } from './html.mjs'
import { isInStock, priceOf } from './medusa.mjs'

/** Pages of the shop of that name, with the stylesheet at that path. */
export class Pages {
  constructor({ shop, stylesheet }) { Object.assign(this, { shop, stylesheet }) }

  #page({ title, basket = 0, current, refresh }, body) {
    return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh && html`<meta http-equiv="refresh" content="${refresh}">`}
<title>${title ? `${title} – ${this.shop}` : this.shop}</title>
<link rel="stylesheet" href="${this.stylesheet}">
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<div class="wide">
<a class="shop" href="/">${this.shop}</a>
<nav aria-label="Shop">
<a href="/" ${current === 'products' && html`aria-current="page"`}>Products</a>
<a class="basket" href="/cart" ${current === 'cart' && html`aria-current="page"`}>Cart${basket > 0 && html` <span class="count">${basket}<span class="hidden"> ${basket === 1 ? 'item' : 'items'}</span></span>`}</a>
</nav>
</div>
</header>
<main id="main" class="wide">${body}</main>
<footer><div class="wide">${this.shop}</div></footer>
</body>
</html>
`
  }

  products({ products, count, search, page, size, basket }) {
    const pages = Math.max(1, Math.ceil(count / size))
    return this.#page({ title: search ? `“${search}”` : '', basket, current: 'products' }, html`
<div class="head">
<h1>${search ? html`Found for “${search}”` : 'Products'}</h1>
<form action="/" role="search"><label class="hidden" for="q">Search</label><input id="q" name="q" type="search" placeholder="Search" value="${search}"><button class="quiet">Search</button></form>
</div>
${products.length === 0 ? html`<p class="empty">${search ? 'Nothing goes by that name.' : 'There is nothing to buy yet.'}</p>` : html`<ul class="products">${products.map(card)}</ul>`}
${pages > 1 && html`<nav class="pages" aria-label="Pages">
${page > 1 && html`<a rel="prev" href="${pageLink(search, page - 1)}">Previous</a>`}
<span>Page ${page} of ${pages}</span>
${page < pages && html`<a rel="next" href="${pageLink(search, page + 1)}">Next</a>`}
</nav>`}`)
  }

  product({ product, problem, basket }) {
    const sold = product.variants.filter((v) => priceOf(v) !== undefined)
    const first = sold.find(isInStock)
    return this.#page({ title: product.title, basket }, html`
<article class="product">
${picture(product, 'large')}
<div>
<h1>${product.title}</h1>
${complaint(problem)}
${sold.length > 0 && html`<p class="price">${sold.length === 1 ? money(priceOf(sold[0]), currencyOf(sold[0])) : from(sold)}</p>`}
${product.description && html`<p class="description">${product.description}</p>`}
${first ? html`<form method="post" action="/cart/items">
<input type="hidden" name="product" value="${product.handle}">
${sold.length === 1 ? html`<input type="hidden" name="variant" value="${first.id}">` : html`<fieldset><legend>Choose</legend>${sold.map((v) => choice(v, v === first))}</fieldset>`}
<div class="buy"><label for="quantity">Quantity</label><input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="99" value="1" required>
<button>Add to cart</button></div>
</form>` : html`<p class="empty">Sold out</p>`}
</div>
</article>`)
  }

  cart({ cart, problem, basket }) {
    const items = cart?.items ?? []
    return this.#page({ title: 'Cart', basket, current: 'cart' }, html`
<h1>Cart</h1>
${complaint(problem)}
${items.length === 0 ? html`<p class="empty">Your cart is empty.</p><p><a class="button" href="/">See the products</a></p>` : html`
<div class="columns">
<ul class="lines">${items.map((item) => line(item, cart.currency_code))}</ul>
<aside aria-label="Sum">${sums(cart)}<a class="button" href="/checkout">Check out</a></aside>
</div>`}`)
  }

  checkout({ cart, countries, values, problem, basket }) {
    const field = (name, label, autocomplete, more) => html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" autocomplete="${autocomplete}" value="${values[name]}" maxlength="200" ${more ?? html`required`}></div>`
    return this.#page({ title: 'Checkout', basket }, html`
<h1>Checkout</h1>
${steps(1)}
${complaint(problem)}
<div class="columns">
<form method="post" action="/checkout">
<h2>Where to</h2>
${field('email', 'Email', 'email', html`type="email" required`)}
<div class="pair">${field('first_name', 'First name', 'given-name')}${field('last_name', 'Last name', 'family-name')}</div>
${field('address_1', 'Street and number', 'address-line1')}
<div class="pair">${field('postal_code', 'Postcode', 'postal-code')}${field('city', 'City', 'address-level2')}</div>
<div class="field"><label for="country_code">Country</label><select id="country_code" name="country_code" autocomplete="country">${countries.map((c) => html`<option value="${c.iso_2}" ${c.iso_2 === values.country_code && html`selected`}>${c.display_name}</option>`)}</select></div>
${field('phone', 'Phone (optional)', 'tel', html`type="tel"`)}
<button>Continue</button>
</form>
<aside aria-label="Sum">${summary(cart)}</aside>
</div>`)
  }

  review({ cart, deliveries, takesPayment, problem, basket }) {
    const chosen = cart.shipping_methods?.[0]?.shipping_option_id
    const ready = deliveries.length > 0 && takesPayment
    return this.#page({ title: 'Checkout', basket }, html`
<h1>Checkout</h1>
${steps(2)}
${complaint(problem)}
<div class="columns">
<form method="post" action="/checkout/order">
<h2>Delivery</h2>
${deliveries.length === 0 ? html`<p class="empty">This shop does not deliver to that address.</p>` : html`<fieldset><legend class="hidden">Delivery</legend>${deliveries.map((d) => html`<label class="choice"><input type="radio" name="delivery" value="${d.id}" required ${d.id === chosen && html`checked`}> <span>${d.name}</span> <span class="amount">${money(d.amount, cart.currency_code)}</span></label>`)}</fieldset>`}
<h2>Payment</h2>
${takesPayment ? html`<p>You pay when the goods come, or as the shop tells you by mail.</p>` : html`<p class="empty">This shop takes no payment on this page.</p>`}
<h2>Address</h2>
${addressOf(cart)}
<p><a href="/checkout">Change the address</a></p>
${ready && html`<button>Place order</button>`}
</form>
<aside aria-label="Sum">${summary(cart)}</aside>
</div>`)
  }

  confirmation({ order, basket }) {
    return this.#page({ title: `Order ${order.display_id}`, basket }, html`
<h1>Thank you</h1>
<p class="done" role="status">Your order <strong>${order.display_id}</strong> is placed.</p>
<div class="columns">
<div><h2>Goes to</h2>${addressOf(order)}</div>
<aside aria-label="Sum">${summary(order)}</aside>
</div>
<p><a class="button" href="/">See more products</a></p>`)
  }

  message({ title, text, refresh, basket }) {
    return this.#page({ title, refresh, basket }, html`<h1>${title}</h1><p>${text}</p><p><a class="button" href="/">See the products</a></p>`)
  }
}

function money(amount, currency) {
  return new Intl.NumberFormat('en', { style: 'currency', currency: currency.toUpperCase() }).format(amount ?? 0)
}

const currencyOf = (variant) => variant.calculated_price.currency_code

function from(variants) {
  const cheapest = variants.reduce((a, b) => (priceOf(b) < priceOf(a) ? b : a))
  const dearest = variants.some((v) => priceOf(v) !== priceOf(cheapest))
  return html`${dearest && 'from '}${money(priceOf(cheapest), currencyOf(cheapest))}`
}

function pageLink(search, page) {
  return `/?${new URLSearchParams({ ...(search && { q: search }), page })}`
}

function picture(product, size) {
  const source = product.thumbnail ?? product.images?.[0]?.url
  if (source) return html`<img class="picture ${size}" src="${source}" alt="" ${size !== 'large' && html`loading="lazy"`}>`
  return html`<div class="picture none ${size}" aria-hidden="true">${[...product.title][0]}</div>`
}

function card(product) {
  const sold = (product.variants ?? []).filter((v) => priceOf(v) !== undefined)
  return html`<li><a href="/products/${encodeURIComponent(product.handle)}">${picture(product, 'small')}<span class="name">${product.title}</span>
<span class="price">${sold.length === 0 ? 'Not sold here' : sold.some(isInStock) ? from(sold) : 'Sold out'}</span></a></li>`
}

function choice(variant, checked) {
  const can = isInStock(variant)
  return html`<label class="choice"><input type="radio" name="variant" value="${variant.id}" required ${checked && html`checked`} ${!can && html`disabled`}> <span>${variant.title}${!can && ' – sold out'}</span> <span class="amount">${money(priceOf(variant), currencyOf(variant))}</span></label>`
}

function line(item, currency) {
  const kind = item.variant_title !== item.product_title && item.variant_title
  const what = [item.product_title, kind].filter(Boolean).join(', ')
  return html`<li>
<div class="what"><a href="/products/${encodeURIComponent(item.product_handle ?? '')}">${item.product_title}</a><span class="note">${kind}</span></div>
<form method="post" action="/cart/items/${item.id}"><label class="hidden" for="q-${item.id}">Quantity of ${what}</label><input id="q-${item.id}" name="quantity" type="number" inputmode="numeric" min="0" max="99" value="${item.quantity}" required><button class="quiet">Update</button></form>
<form method="post" action="/cart/items/${item.id}"><input type="hidden" name="quantity" value="0"><button class="quiet" aria-label="Remove ${what}">Remove</button></form>
<span class="amount">${money(item.total ?? item.unit_price * item.quantity, currency)}</span>
</li>`
}

function sums(of) {
  const row = (name, amount, total) => html`<div ${total && html`class="total"`}><dt>${name}</dt><dd>${money(amount, of.currency_code)}</dd></div>`
  return html`<dl class="sums">${row('Goods', of.item_total)}${of.shipping_total > 0 && row('Delivery', of.shipping_total)}${of.tax_total > 0 && row('Of which tax', of.tax_total)}${row('Total', of.total, true)}</dl>`
}

function summary(of) {
  return html`<h2>${of.display_id ? 'Ordered' : 'Your cart'}</h2><ul class="summary">${(of.items ?? []).map((i) => html`<li><span>${i.quantity} × ${i.product_title}</span><span class="amount">${money(i.total ?? i.unit_price * i.quantity, of.currency_code)}</span></li>`)}</ul>${sums(of)}`
}

function addressOf({ email, shipping_address: a }) {
  return html`<address>${a?.first_name} ${a?.last_name}<br>${a?.address_1}<br>${a?.postal_code} ${a?.city}<br>${email}</address>`
}

function steps(now) {
  const names = ['Address', 'Delivery and payment']
  return html`<ol class="steps">${names.map((name, i) => html`<li ${i + 1 === now && html`aria-current="step"`}>${name}</li>`)}</ol>`
}

const complaint = (problem) => problem && html`<p class="problem" role="alert">${problem}</p>`
