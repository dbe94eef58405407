// Waits until the setup has created the shop and migrated its database to this version.
import { setTimeout as pause } from 'node:timers/promises'
import { connect, fail, marked, version } from './database.mjs'

async function run() {
  const db = await connect()
  for (let tries = 0; ; tries++) {
    if ((await marked(db, 'sells')) && (await marked(db, 'migrated')) === version) break
    if (tries % 30 === 0) console.log('waiting for the setup')
    await pause(1000)
  }
  await db.end()
}

await run().catch((error) => fail(error.message))
