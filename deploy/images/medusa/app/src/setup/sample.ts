import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, ProductStatus } from '@medusajs/framework/utils'
import { createInventoryLevelsWorkflow, createProductsWorkflow } from '@medusajs/medusa/core-flows'
import type { Wishes } from './wishes'

const sku = 'SHOPWRIGHT-SAMPLE'
const stock = 100

/** createSample puts one product with stock into the shop, so that there is something to sell. */
export async function createSample(container: MedusaContainer, { currency }: Wishes, ids: { channel: string; location: string; profile: string }) {
  await createProductsWorkflow(container).run({
    input: {
      products: [{
        title: 'Sample product', handle: 'sample-product', description: 'Sold to prove that this shop sells.', weight: 400,
        status: ProductStatus.PUBLISHED, shipping_profile_id: ids.profile, sales_channels: [{ id: ids.channel }],
        options: [{ title: 'Kind', values: ['Sample'] }],
        variants: [{ title: 'Sample', sku, manage_inventory: true, options: { Kind: 'Sample' }, prices: [{ amount: 10, currency_code: currency }] }],
      }],
    },
  })
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: [item] } = await query.graph({ entity: 'inventory_item', fields: ['id'], filters: { sku } })
  await createInventoryLevelsWorkflow(container).run({
    input: { inventory_levels: [{ inventory_item_id: item.id, location_id: ids.location, stocked_quantity: stock }] },
  })
}
