import type { ExecArgs } from '@medusajs/framework/types'
import { ensureKey } from '../setup/key'
import { createOwner, ensureOwner } from '../setup/owner'
import { openShop } from '../setup/shop'
import { readSettings } from '../setup/settings'
import { verify, verifyFirst, verifyLogin } from '../setup/verify'

/**
 * Creates a shop that sells in a database that was just migrated: `medusa exec
 * ./src/scripts/setup.js first`. With `again` it only verifies, since the data is the merchant's by then. With
 * `restored` the data are from another store: this one's owner and publishable key are added to them.
 */
export default async function setup({ container, args }: ExecArgs) {
  const settings = readSettings(process.env)
  if (args[0] === 'first') {
    await createOwner(container, settings)
    await openShop(container, settings)
    await verifyFirst(container, settings)
  } else if (args[0] === 'restored') {
    await ensureOwner(container, settings)
    await ensureKey(container, settings.publishableKey)
    await verifyLogin(container, settings)
  }
  await verify(container, settings)
}
