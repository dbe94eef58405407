import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules, ProductStatus } from '@medusajs/framework/utils'
import { createInventoryLevelsWorkflow, createProductsWorkflow } from '@medusajs/medusa/core-flows'
import type { Wishes } from './wishes'

const sku = 'SHOPWRIGHT-SAMPLE'
const stock = 100

/** ensureSample puts one product with stock into the shop, so that there is something to sell. */
export async function ensureSample(container: MedusaContainer, wanted: Wishes, ids: { channel: string; location: string; profile: string }) {
  await ensureProduct(container, wanted.currency, ids)
  await ensureStock(container, ids.location)
}

async function ensureProduct(container: MedusaContainer, currency: string, ids: { channel: string; profile: string }) {
  const handle = 'sample-product'
  const found = await container.resolve(Modules.PRODUCT).listProducts({ handle })
  if (found.length > 0) return
  await createProductsWorkflow(container).run({
    input: {
      products: [{
        title: 'Sample product', handle, description: 'Sold to prove that this shop sells.', weight: 400, status: ProductStatus.PUBLISHED,
        shipping_profile_id: ids.profile,
        options: [{ title: 'Kind', values: ['Sample'] }],
        variants: [{ title: 'Sample', sku, manage_inventory: true, options: { Kind: 'Sample' }, prices: [{ amount: 10, currency_code: currency }] }],
        sales_channels: [{ id: ids.channel }],
      }],
    },
  })
}

async function ensureStock(container: MedusaContainer, location: string) {
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: [item] } = await query.graph({ entity: 'inventory_item', fields: ['id', 'location_levels.id'], filters: { sku } })
  if (!item) throw new Error('The sample product has no inventory item')
  if (item.location_levels?.length) return
  await createInventoryLevelsWorkflow(container).run({
    input: { inventory_levels: [{ inventory_item_id: item.id, location_id: location, stocked_quantity: stock }] },
  })
}
