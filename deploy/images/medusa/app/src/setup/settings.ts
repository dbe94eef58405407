import { readFileSync } from 'node:fs'

/** Product has one variant. */
export interface Product {
  sku: string
  name: string
  price: number // in whole units of the shop's currency
  category?: string
  stock?: number // not tracked without
  description?: string
}

/** Settings of the shop, as the chart gives them. */
export interface Settings {
  name: string
  country: string // ISO 3166, in small letters as Medusa has it
  currency: string // ISO 4217, in small letters
  products: Product[]
  email: string
  password: string
  publishableKey: string
}

/**
 * readSettings reads them from the environment, and secrets from files: environments end up in
 * logs and dumps more easily.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const credential = (name: string) => readFileSync(`${env.CREDENTIALS}/${name}`, 'utf8').trim()
  return {
    name: env.SHOP_NAME || 'Shop',
    country: (env.SHOP_COUNTRY || 'DE').toLowerCase(),
    currency: (env.SHOP_CURRENCY || 'EUR').toLowerCase(),
    products: JSON.parse(readFileSync(env.PRODUCTS!, 'utf8')),
    email: credential('admin-email'),
    password: credential('admin-password'),
    publishableKey: credential('publishable-key'),
  }
}
