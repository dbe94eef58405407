// Brings an empty database to a shop that sells. Once the shop was set up, its database is
// migrated and the result verified, and nothing else: what is there is the merchant's.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { at, connect, empty, fail, isEmpty, mark, marked, prepare, say, version } from './database.mjs'

const oneAtATime = 7_283_501 // any number that nothing else locks

async function medusa(...args) {
  const child = spawn(process.execPath, ['node_modules/@medusajs/cli/cli.js', ...args], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => child.kill(signal))
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`medusa ${args.join(' ')} ended with ${signal ?? code}`)
}

// A first run that was interrupted begins again with an empty database: Medusa makes many
// things in several steps, and half of one cannot be told from one that the merchant has
// changed. Nothing is lost, as no shop has opened on it yet. A database that was not empty
// when the setup first saw it is somebody's, and is never emptied.
async function isFirst(db) {
  await prepare(db)
  if (await marked(db, 'sells')) return false
  if (await marked(db, 'began')) await empty(db)
  else if (!(await isEmpty(db))) return false
  await mark(db, 'began', version)
  return true
}

async function run() {
  at('waiting for the database')
  const db = await connect(8 * 60_000)
  await db.query('SELECT pg_advisory_lock($1)', [oneAtATime]) // let go when this process ends
  at('looking what there is in the database')
  const first = await isFirst(db)
  at('migrating the database')
  say(`migrating the database to ${version}`)
  await medusa('db:migrate', '--execute-safe-links', '--execute-safe-search')
  say(first ? 'making a shop that sells' : 'the shop was set up before: verifying only')
  at(first ? 'making a shop that sells' : 'looking whether all is there')
  await medusa('exec', './src/scripts/setup.js', first ? 'first' : 'again')
  await mark(db, 'sells', 'yes')
  await mark(db, 'migrated', version)
  await db.end()
  say('done')
}

await run().catch((error) => fail(error.message))
