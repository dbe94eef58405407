import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils'
import { createApiKeysWorkflow, linkSalesChannelsToApiKeyWorkflow } from '@medusajs/medusa/core-flows'

const title = 'Storefront'

/**
 * createKey makes the publishable key that the storefront got before there was a shop.
 * Medusa generates its own keys, so it creates the row, which then gets our token.
 */
export async function createKey(container: MedusaContainer, token: string, ...channels: string[]) {
  const { result: [{ id }] } = await createApiKeysWorkflow(container).run({ input: { api_keys: [{ title, type: 'publishable', created_by: '' }] } })
  const database = container.resolve(ContainerRegistrationKeys.PG_CONNECTION)
  await database('api_key').where({ id }).update({ token, redacted: `${token.slice(0, 6)}***${token.slice(-3)}` })
  await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id, add: channels } })
}

/**
 * ensureKey adds the store's publishable key to a shop that has others already. It sells in the channels of
 * the former store's key, which may have been changed, or else in the shop's default channel.
 */
export async function ensureKey(container: MedusaContainer, token: string) {
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: keys } = await query.graph({
    entity: 'api_key', fields: ['id', 'title', 'token', 'revoked_at', 'created_at', 'sales_channels.id'], filters: { type: 'publishable' },
  })
  const valid = keys.filter((key) => !key.revoked_at).sort((a, b) => Number(new Date(a.created_at)) - Number(new Date(b.created_at)))
  const [store] = await container.resolve(Modules.STORE).listStores()
  const former = valid.filter((key) => key.title === title && key.token !== token && key.sales_channels?.length).at(-1)
  const channels = former?.sales_channels?.flatMap((channel) => channel?.id ?? []) ?? [store.default_sales_channel_id!]
  const own = valid.find((key) => key.token === token)
  if (!own) await createKey(container, token, ...channels)
  else if (!own.sales_channels?.length) await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id: own.id, add: channels } })
}
