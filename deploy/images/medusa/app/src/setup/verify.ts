import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils'
import type { Wishes } from './wishes'

/** verify fails where a shop cannot work at all, whatever the merchant has made of it. */
export async function verify(container: MedusaContainer, wanted: Wishes) {
  const [key] = await container.resolve(Modules.API_KEY).listApiKeys({ token: wanted.publishableKey })
  if (!key || key.revoked_at) throw new Error('The key of the web shop is not there or was revoked')
  const users = await container.resolve(Modules.USER).listUsers({}, { take: 1 })
  if (users.length === 0) throw new Error('Nobody can sign in to the admin')
}

/** verifyFirst fails where a new shop does not sell. */
export async function verifyFirst(container: MedusaContainer, wanted: Wishes) {
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: regions } = await query.graph({ entity: 'region', fields: ['countries.iso_2', 'payment_providers.id'] })
  if (!regions.some((r) => r?.countries?.length && r.payment_providers?.length)) throw new Error('There is no way to pay')
  const { data: options } = await query.graph({ entity: 'shipping_option', fields: ['id'] })
  if (options.length === 0) throw new Error('There is no way to ship')
  const { data: products } = await query.graph({ entity: 'product', fields: ['id', 'variants.prices.id'] })
  if (products.length !== wanted.products.length) throw new Error(`There are ${products.length} of ${wanted.products.length} products`)
  await verifyLogin(container, wanted)
}

async function verifyLogin(container: MedusaContainer, { email, password }: Wishes) {
  const { success } = await container.resolve(Modules.AUTH).authenticate('emailpass', { body: { email, password } })
  if (!success) throw new Error('The owner cannot sign in')
}
