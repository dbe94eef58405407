import type { ExecArgs } from '@medusajs/framework/types'
import { createOwner } from '../setup/owner'
import { openShop } from '../setup/shop'
import { wishes } from '../setup/wishes'
import { verify, verifyFirst } from '../setup/verify'

/**
 * Makes a shop that sells in a database that was just migrated: `medusa exec
 * ./src/scripts/setup.js first`. With `again` it changes nothing and only verifies: what is
 * there then is the merchant's.
 */
export default async function setup({ container, args }: ExecArgs) {
  const wanted = wishes(process.env)
  if (args[0] === 'first') {
    await createOwner(container, wanted)
    await openShop(container, wanted)
    await verifyFirst(container, wanted)
  }
  await verify(container, wanted)
}
