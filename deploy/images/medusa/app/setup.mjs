// Brings an empty database to a shop that sells. Every step may run again. Once the shop was
// set up, its database is migrated and the result verified, and nothing else: what is there
// is the merchant's.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, fail, mark, marked, prepare, say, version } from './database.mjs'

const oneAtATime = 7_283_501 // any number that nothing else locks

async function medusa(...args) {
  const child = spawn(process.execPath, ['node_modules/@medusajs/cli/cli.js', ...args], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => child.kill(signal))
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`medusa ${args.join(' ')} ended with ${signal ?? code}`)
}

async function run() {
  const db = await connect(8 * 60_000)
  await db.query('SELECT pg_advisory_lock($1)', [oneAtATime]) // let go when this process ends
  await prepare(db)
  say(`migrating the database to ${version}`)
  await medusa('db:migrate', '--execute-safe-links', '--execute-safe-search')
  const again = await marked(db, 'sells')
  say(again ? 'the shop was set up before: verifying only' : 'making a shop that sells')
  await medusa('exec', './src/scripts/setup.js', again ? 'again' : 'first')
  if (!again) await mark(db, 'sells', 'yes')
  await mark(db, 'migrated', version)
  await db.end()
  say('done')
}

await run().catch((error) => fail(error.message))
