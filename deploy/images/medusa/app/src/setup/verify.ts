import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils'
import type { Settings } from './settings'

/** verify fails if the shop can't work at all, whatever the merchant has changed. */
export async function verify(container: MedusaContainer, settings: Settings) {
  const [key] = await container.resolve(Modules.API_KEY).listApiKeys({ token: settings.publishableKey })
  if (!key || key.revoked_at) throw new Error('The storefront’s publishable key is missing or revoked')
  const users = await container.resolve(Modules.USER).listUsers({}, { take: 1 })
  if (users.length === 0) throw new Error('The admin has no user')
}

/** verifyFirst fails if a new shop doesn't sell. */
export async function verifyFirst(container: MedusaContainer, settings: Settings) {
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: regions } = await query.graph({ entity: 'region', fields: ['countries.iso_2', 'payment_providers.id'] })
  if (!regions.some((r) => r?.countries?.length && r.payment_providers?.length)) throw new Error('No region has a payment method')
  const { data: options } = await query.graph({ entity: 'shipping_option', fields: ['id'] })
  if (options.length === 0) throw new Error('There is no shipping option')
  const { data: products } = await query.graph({ entity: 'product', fields: ['id', 'variants.prices.id'] })
  if (products.length !== settings.products.length) throw new Error(`${products.length} of ${settings.products.length} products were created`)
  await verifyLogin(container, settings)
}

/** verifyLogin fails if the owner's password doesn't work. */
export async function verifyLogin(container: MedusaContainer, { email, password }: Settings) {
  const { success } = await container.resolve(Modules.AUTH).authenticate('emailpass', { body: { email, password } })
  if (!success) throw new Error('The owner can’t sign in to the admin')
}
