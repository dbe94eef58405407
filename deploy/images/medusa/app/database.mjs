// The setup's own records in the shop's database, beside Medusa's tables.
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

/** Version of this project, to which the database is migrated. */
export const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** connect waits for the database, at most for the limit in milliseconds. */
export async function connect(limit = Infinity) {
  const end = Date.now() + limit
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5000 })
    client.on('error', (error) => fail(`lost the connection to the database: ${error.message}`))
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      if (Date.now() > end) throw new Error(`can’t reach the database: ${error.message}`)
      if (tries % 15 === 0) say('waiting for the database')
      await pause(2000)
    }
  }
}

/** prepare creates the table of marks. */
export const prepare = (db) => db.query('CREATE TABLE IF NOT EXISTS shopwright_setup (name text PRIMARY KEY, value text NOT NULL, at timestamptz NOT NULL DEFAULT now())')

/** isEmpty reports whether the database has no table but that of the marks. */
export async function isEmpty(db) {
  const { rows } = await db.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'shopwright_setup' LIMIT 1")
  return rows.length === 0
}

/** empty drops everything and creates the table of marks anew. */
export async function empty(db) {
  say('the last run was interrupted; starting over')
  await db.query('BEGIN')
  await db.query('DROP SCHEMA public CASCADE')
  await db.query('CREATE SCHEMA public')
  await prepare(db)
  await db.query('COMMIT')
}

/** mark stores the value under the name. */
export const mark = (db, name, value) =>
  db.query('INSERT INTO shopwright_setup (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = now()', [name, value])

/** unmark removes the value stored under the name. */
export const unmark = (db, name) => db.query('DELETE FROM shopwright_setup WHERE name = $1', [name])

/** marked returns the value stored under the name, undefined if there is none. */
export async function marked(db, name) {
  const { rows: [table] } = await db.query("SELECT to_regclass('shopwright_setup') AS made")
  if (!table.made) return undefined
  const { rows } = await db.query('SELECT value FROM shopwright_setup WHERE name = $1', [name])
  return rows[0]?.value
}

export const say = (text) => console.log(`setup: ${text}`)

let step = 'starting'

/** at names the current step, in the words shown if it fails. */
export const at = (doing) => { step = doing }

/** fail exits and leaves the current step and the error as the termination message. */
export function fail(text) {
  console.error(`setup: FAILED: ${text}`)
  const { REPORT } = process.env
  if (REPORT) writeFileSync(REPORT, JSON.stringify({ ok: false, failed: step, message: text.slice(0, 500) }))
  process.exit(1)
}
