import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, ProductStatus } from '@medusajs/framework/utils'
import { createInventoryLevelsWorkflow, createProductCategoriesWorkflow, createProductsWorkflow } from '@medusajs/medusa/core-flows'
import type { Product, Settings } from './settings'

/** createProducts adds the template's products, with their categories and stock. */
export async function createProducts(container: MedusaContainer, { products, currency }: Settings, ids: { channel: string; location: string; profile: string }) {
  if (products.length === 0) return
  const categories = await createCategories(container, products)
  await createProductsWorkflow(container).run({
    input: {
      products: products.map((p) => ({
        title: p.name, handle: p.sku.toLowerCase(), description: p.description, category_ids: p.category ? [categories.get(p.category)!] : [],
        status: ProductStatus.PUBLISHED, shipping_profile_id: ids.profile, sales_channels: [{ id: ids.channel }],
        options: [{ title: 'Kind', values: [p.name] }],
        variants: [{
          title: p.name, sku: p.sku, manage_inventory: p.stock !== undefined, options: { Kind: p.name },
          prices: [{ amount: p.price, currency_code: currency }],
        }],
      })),
    },
  })
  await stock(container, products, ids.location)
}

// Ids of the products' categories by name, in the order in which they come.
async function createCategories(container: MedusaContainer, products: Product[]): Promise<Map<string, string>> {
  const names = [...new Set(products.flatMap((p) => p.category ?? []))]
  if (names.length === 0) return new Map()
  const { result } = await createProductCategoriesWorkflow(container).run({
    input: { product_categories: names.map((name) => ({ name, is_active: true })) },
  })
  return new Map(result.map(({ name, id }) => [name, id]))
}

async function stock(container: MedusaContainer, products: Product[], location: string) {
  const counted = new Map(products.flatMap((p) => (p.stock === undefined ? [] : [[p.sku, p.stock]])))
  if (counted.size === 0) return
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: items } = await query.graph({ entity: 'inventory_item', fields: ['id', 'sku'], filters: { sku: [...counted.keys()] } })
  await createInventoryLevelsWorkflow(container).run({
    input: { inventory_levels: items.map(({ id, sku }) => ({ inventory_item_id: id, location_id: location, stocked_quantity: counted.get(sku!)! })) },
  })
}
