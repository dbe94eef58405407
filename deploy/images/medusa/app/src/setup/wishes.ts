import { readFileSync } from 'node:fs'

/** Product is something to sell, of one kind only. */
export interface Product {
  sku: string
  name: string
  price: number // in whole units of the shop's currency
  category?: string
  stock?: number // not counted without
  description?: string
}

/** Wishes are what the shop shall be. */
export interface Wishes {
  name: string
  country: string // ISO 3166, in small letters as Medusa has it
  currency: string // ISO 4217, in small letters
  products: Product[]
  email: string
  password: string
  publishableKey: string
}

/**
 * wishes reads them from the environment, and what is secret from files: an environment is
 * printed more easily.
 */
export function wishes(env: NodeJS.ProcessEnv): Wishes {
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
