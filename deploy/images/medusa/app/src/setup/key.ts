import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys } from '@medusajs/framework/utils'
import { createApiKeysWorkflow, linkSalesChannelsToApiKeyWorkflow } from '@medusajs/medusa/core-flows'

/**
 * createKey makes the publishable key that the storefront got before there was a shop.
 * Medusa generates its own keys, so it creates the row, which then gets our token.
 */
export async function createKey(container: MedusaContainer, token: string, channel: string) {
  const { result: [{ id }] } = await createApiKeysWorkflow(container).run({ input: { api_keys: [{ title: 'Storefront', type: 'publishable', created_by: '' }] } })
  const database = container.resolve(ContainerRegistrationKeys.PG_CONNECTION)
  await database('api_key').where({ id }).update({ token, redacted: `${token.slice(0, 6)}***${token.slice(-3)}` })
  await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id, add: [channel] } })
}
