// Turns an empty database into a shop that sells. Once the shop is set up, this only migrates the
// database and verifies the result, since the data is the merchant's. Data that were just restored from
// another store also get this store's owner and publishable key.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { at, connect, empty, fail, isEmpty, mark, marked, prepare, say, unmark, version } from './database.mjs'

const oneAtATime = 7_283_501 // any number that nothing else locks

async function medusa(...args) {
  const child = spawn(process.execPath, ['node_modules/@medusajs/cli/cli.js', ...args], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => child.kill(signal))
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`medusa ${args.join(' ')} exited with ${signal ?? code}`)
}

const modes = {
  first: { says: 'creating the shop', at: 'creating the shop' },
  restored: { says: 'the shop was restored; letting its owner in', at: 'letting the owner in' },
  again: { says: 'the shop is already set up; verifying it', at: 'verifying the shop' },
}

// A first run that was interrupted starts over with an empty database: Medusa creates many things in
// several steps, and a half-created one looks like one that the merchant has changed. Nothing is lost,
// since the shop hasn't opened yet. A database that wasn't empty at the first run is never emptied.
async function chooseMode(db) {
  await prepare(db)
  if (await marked(db, 'restored')) return 'restored' // by the chart's addresses.sql
  if (await marked(db, 'sells')) return 'again'
  if (await marked(db, 'began')) await empty(db)
  else if (!(await isEmpty(db))) return 'again'
  await mark(db, 'began', version)
  return 'first'
}

async function run() {
  at('waiting for the database')
  const db = await connect(8 * 60_000)
  await db.query('SELECT pg_advisory_lock($1)', [oneAtATime]) // released when this process ends
  at('reading the database')
  const mode = await chooseMode(db)
  at('migrating the database')
  say(`migrating the database to ${version}`)
  await medusa('db:migrate', '--execute-safe-links', '--execute-safe-search')
  say(modes[mode].says)
  at(modes[mode].at)
  await medusa('exec', './src/scripts/setup.js', mode)
  await unmark(db, 'restored')
  await mark(db, 'sells', 'yes')
  await mark(db, 'migrated', version)
  await db.end()
  say('done')
}

await run().catch((error) => fail(error.message))
