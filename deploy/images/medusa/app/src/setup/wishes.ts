import { readFileSync } from 'node:fs'

/** Wishes are what the shop shall be. */
export interface Wishes {
  name: string
  country: string // ISO 3166, in small letters as Medusa has it
  currency: string // ISO 4217, in small letters
  sampleProduct: boolean
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
    sampleProduct: env.SAMPLE_PRODUCT === 'true',
    email: credential('admin-email'),
    password: credential('admin-password'),
    publishableKey: credential('publishable-key'),
  }
}
