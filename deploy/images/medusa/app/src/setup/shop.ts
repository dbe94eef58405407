import type { MedusaContainer } from '@medusajs/framework/types'
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils'
import {
  createRegionsWorkflow, createSalesChannelsWorkflow, createShippingOptionsWorkflow, createShippingProfilesWorkflow,
  createStockLocationsWorkflow, createTaxRegionsWorkflow, linkSalesChannelsToStockLocationWorkflow, updateStoresWorkflow,
} from '@medusajs/medusa/core-flows'
import { ensureKey } from './key'
import { ensureSample } from './sample'
import type { Wishes } from './wishes'

const flatRate = 5

/** openShop makes what a shop needs to sell in its country. */
export async function openShop(container: MedusaContainer, wanted: Wishes) {
  const channel = await ensureChannel(container)
  const region = await ensureRegion(container, wanted)
  const location = await ensureLocation(container, wanted)
  await nameStore(container, wanted, { channel: channel.id, region: region.id, location: location.id })
  const profile = await ensureProfile(container)
  await ensureShipping(container, wanted, { region: region.id, location: location.id, profile: profile.id })
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: location.id, add: [channel.id] } })
  await ensureKey(container, wanted.publishableKey, channel.id)
  if (wanted.sampleProduct) await ensureSample(container, wanted, { channel: channel.id, location: location.id, profile: profile.id })
}

/** countryName is what people call it, such as Germany. */
export function countryName(code: string): string {
  return new Intl.DisplayNames('en', { type: 'region' }).of(code.toUpperCase()) ?? code
}

async function ensureChannel(container: MedusaContainer) {
  const name = 'Default Sales Channel' // as Medusa itself calls it
  const [found] = await container.resolve(Modules.SALES_CHANNEL).listSalesChannels({ name })
  if (found) return found
  const { result: [created] } = await createSalesChannelsWorkflow(container).run({ input: { salesChannelsData: [{ name }] } })
  return created
}

async function ensureRegion(container: MedusaContainer, { country, currency }: Wishes) {
  const name = countryName(country)
  await ensureTaxRegion(container, country)
  const [found] = await container.resolve(Modules.REGION).listRegions({ name })
  if (found) return found
  const { result: [created] } = await createRegionsWorkflow(container).run({
    input: { regions: [{ name, currency_code: currency, countries: [country], payment_providers: ['pp_system_default'] }] },
  })
  return created
}

async function ensureTaxRegion(container: MedusaContainer, country: string) {
  const found = await container.resolve(Modules.TAX).listTaxRegions({ country_code: country })
  if (found.length > 0) return
  await createTaxRegionsWorkflow(container).run({ input: [{ country_code: country, provider_id: 'tp_system' }] })
}

async function ensureLocation(container: MedusaContainer, { country }: Wishes) {
  const name = 'Warehouse'
  const [found] = await container.resolve(Modules.STOCK_LOCATION).listStockLocations({ name })
  if (found) return found
  const { result: [created] } = await createStockLocationsWorkflow(container).run({
    input: { locations: [{ name, address: { address_1: '', country_code: country.toUpperCase() } }] },
  })
  return created
}

async function nameStore(container: MedusaContainer, wanted: Wishes, ids: { channel: string; region: string; location: string }) {
  const [store] = await container.resolve(Modules.STORE).listStores()
  await updateStoresWorkflow(container).run({
    input: {
      selector: { id: store.id },
      update: {
        name: wanted.name,
        supported_currencies: [{ currency_code: wanted.currency, is_default: true }],
        default_sales_channel_id: ids.channel,
        default_region_id: ids.region,
        default_location_id: ids.location,
      },
    },
  })
}

async function ensureProfile(container: MedusaContainer) {
  const [found] = await container.resolve(Modules.FULFILLMENT).listShippingProfiles({ type: 'default' })
  if (found) return found
  const { result: [created] } = await createShippingProfilesWorkflow(container).run({ input: { data: [{ name: 'Default', type: 'default' }] } })
  return created
}

async function ensureShipping(container: MedusaContainer, wanted: Wishes, ids: { region: string; location: string; profile: string }) {
  const link = container.resolve(ContainerRegistrationKeys.LINK)
  const at = { [Modules.STOCK_LOCATION]: { stock_location_id: ids.location } }
  await link.create({ ...at, [Modules.FULFILLMENT]: { fulfillment_provider_id: 'manual_manual' } })
  const set = await ensureFulfillmentSet(container, wanted.country)
  await link.create({ ...at, [Modules.FULFILLMENT]: { fulfillment_set_id: set.id } })
  await ensureOption(container, wanted, { zone: set.service_zones[0].id, ...ids })
}

async function ensureFulfillmentSet(container: MedusaContainer, country: string) {
  const fulfillment = container.resolve(Modules.FULFILLMENT)
  const name = 'Delivery'
  const [found] = await fulfillment.listFulfillmentSets({ name }, { relations: ['service_zones'] })
  if (found) return found
  return fulfillment.createFulfillmentSets({
    name, type: 'shipping', service_zones: [{ name: countryName(country), geo_zones: [{ type: 'country', country_code: country }] }],
  })
}

async function ensureOption(container: MedusaContainer, { currency }: Wishes, ids: { zone: string; region: string; profile: string }) {
  const name = 'Standard delivery'
  const [found] = await container.resolve(Modules.FULFILLMENT).listShippingOptions({ name })
  if (found) return
  await createShippingOptionsWorkflow(container).run({
    input: [{
      name, price_type: 'flat', provider_id: 'manual_manual', service_zone_id: ids.zone, shipping_profile_id: ids.profile,
      type: { label: 'Standard', description: 'Two to three days', code: 'standard' },
      prices: [{ currency_code: currency, amount: flatRate }, { region_id: ids.region, amount: flatRate }],
      rules: [
        { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
        { attribute: 'is_return', value: 'false', operator: 'eq' },
      ],
    }],
  })
}
