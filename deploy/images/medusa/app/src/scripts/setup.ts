import type { ExecArgs } from '@medusajs/framework/types'
import { ensureOwner } from '../setup/owner'
import { openShop } from '../setup/shop'
import { wishes } from '../setup/wishes'
import { verify, verifyFirst } from '../setup/verify'

/**
 * Brings a migrated database to a shop that sells: `medusa exec ./src/scripts/setup.js first`.
 * Every step is "ensure", so that a run that was interrupted may begin again. With `again` it
 * changes nothing and only verifies: what is there then is the merchant's.
 */
export default async function setup({ container, args }: ExecArgs) {
  const wanted = wishes(process.env)
  if (args[0] === 'first') {
    await ensureOwner(container, wanted)
    await openShop(container, wanted)
    await verifyFirst(container, wanted)
  }
  await verify(container, wanted)
}
