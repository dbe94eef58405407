import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils'
import { createApiKeysWorkflow, linkSalesChannelsToApiKeyWorkflow } from '@medusajs/medusa/core-flows'

const title = 'Web shop'

/**
 * ensureKey makes the publishable key that the web shop was given before there was a shop.
 * Medusa draws its own keys; the key's row is made by it and then gets our token.
 */
export async function ensureKey(container: MedusaContainer, token: string, channel: string) {
  const [found] = await container.resolve(Modules.API_KEY).listApiKeys({ token })
  const id = found?.id ?? (await makeKey(container, token))
  await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id, add: [channel] } })
}

async function makeKey(container: MedusaContainer, token: string): Promise<string> {
  const [unfinished] = await container.resolve(Modules.API_KEY).listApiKeys({ title, type: 'publishable' })
  const id = unfinished?.id ?? (await drawKey(container))
  const database = container.resolve(ContainerRegistrationKeys.PG_CONNECTION)
  await database('api_key').where({ id }).update({ token, redacted: `${token.slice(0, 6)}***${token.slice(-3)}` })
  return id
}

async function drawKey(container: MedusaContainer): Promise<string> {
  const { result: [key] } = await createApiKeysWorkflow(container).run({ input: { api_keys: [{ title, type: 'publishable', created_by: '' }] } })
  return key.id
}
