import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils'
import {
  createRegionsWorkflow, createSalesChannelsWorkflow, createShippingOptionsWorkflow, createShippingProfilesWorkflow,
  createStockLocationsWorkflow, createTaxRegionsWorkflow, linkSalesChannelsToStockLocationWorkflow, updateStoresWorkflow,
} from '@medusajs/medusa/core-flows'
import { createKey } from './key'
import { createProducts } from './products'
import type { Settings } from './settings'

const flatRate = 5

/** openShop creates what a shop needs to sell in its country. */
export async function openShop(container: MedusaContainer, settings: Settings) {
  const channel = await defaultChannel(container)
  const region = await createRegion(container, settings)
  const location = await createLocation(container, settings)
  await describeStore(container, settings, { channel, region, location })
  const profile = await defaultProfile(container)
  await createShipping(container, settings, { region, location, profile })
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: location, add: [channel] } })
  await createKey(container, settings.publishableKey, channel)
  await createProducts(container, settings, { channel, location, profile })
}

// The country's English name.
function countryName(code: string): string {
  return new Intl.DisplayNames('en', { type: 'region' }).of(code.toUpperCase()) ?? code
}

// Medusa's migrations may have created one.
async function defaultChannel(container: MedusaContainer): Promise<string> {
  const name = 'Default Sales Channel'
  const [found] = await container.resolve(Modules.SALES_CHANNEL).listSalesChannels({ name })
  if (found) return found.id
  const { result: [created] } = await createSalesChannelsWorkflow(container).run({ input: { salesChannelsData: [{ name }] } })
  return created.id
}

async function createRegion(container: MedusaContainer, { country, currency }: Settings): Promise<string> {
  await createTaxRegionsWorkflow(container).run({ input: [{ country_code: country, provider_id: 'tp_system' }] })
  const { result: [region] } = await createRegionsWorkflow(container).run({
    input: { regions: [{ name: countryName(country), currency_code: currency, countries: [country], payment_providers: ['pp_system_default'] }] },
  })
  return region.id
}

async function createLocation(container: MedusaContainer, { country }: Settings): Promise<string> {
  const { result: [location] } = await createStockLocationsWorkflow(container).run({
    input: { locations: [{ name: 'Warehouse', address: { address_1: '', country_code: country.toUpperCase() } }] },
  })
  return location.id
}

async function describeStore(container: MedusaContainer, { name, currency }: Settings, ids: { channel: string; region: string; location: string }) {
  const [store] = await container.resolve(Modules.STORE).listStores()
  const update = {
    name,
    supported_currencies: [{ currency_code: currency, is_default: true }],
    default_sales_channel_id: ids.channel,
    default_region_id: ids.region,
    default_location_id: ids.location,
  }
  await updateStoresWorkflow(container).run({ input: { selector: { id: store.id }, update } })
}

// Medusa's migrations may have created this one too.
async function defaultProfile(container: MedusaContainer): Promise<string> {
  const [found] = await container.resolve(Modules.FULFILLMENT).listShippingProfiles({ type: 'default' })
  if (found) return found.id
  const { result: [created] } = await createShippingProfilesWorkflow(container).run({ input: { data: [{ name: 'Default', type: 'default' }] } })
  return created.id
}

async function createShipping(container: MedusaContainer, { country, currency }: Settings, ids: { region: string; location: string; profile: string }) {
  const link = container.resolve(ContainerRegistrationKeys.LINK)
  const set = await container.resolve(Modules.FULFILLMENT).createFulfillmentSets({
    name: 'Delivery', type: 'shipping', service_zones: [{ name: countryName(country), geo_zones: [{ type: 'country', country_code: country }] }],
  })
  const at = { [Modules.STOCK_LOCATION]: { stock_location_id: ids.location } }
  await link.create({ ...at, [Modules.FULFILLMENT]: { fulfillment_provider_id: 'manual_manual' } })
  await link.create({ ...at, [Modules.FULFILLMENT]: { fulfillment_set_id: set.id } })
  await createShippingOptionsWorkflow(container).run({
    input: [{
      name: 'Standard delivery', price_type: 'flat', provider_id: 'manual_manual', service_zone_id: set.service_zones[0].id, shipping_profile_id: ids.profile,
      type: { label: 'Standard', description: 'Two to three days', code: 'standard' },
      prices: [{ currency_code: currency, amount: flatRate }, { region_id: ids.region, amount: flatRate }],
      rules: [
        { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
        { attribute: 'is_return', value: 'false', operator: 'eq' },
      ],
    }],
  })
}
