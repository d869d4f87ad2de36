import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import { childEnv, CLI, databasePath, readRows, REPOSITORY, runCommand } from '../command.ts'
import { FOREIGN_SAMPLES } from '../fixtures/foreign-hashes.ts'
import { temporaryDirectory, testEnv, type Env } from '../helper.ts'

// tap ends the file then, on a machine however slow: nothing waits for it.
t.setTimeout(300_000)

const MANY = 100_000
const MIB = 1024 * 1024
// So little that it can't hold the file, and a report of the most memory that was resident at a time.
const MEASURED = { NODE_OPTIONS: '--max-old-space-size=64 --import data:text/javascript,process.on(`exit`,()=>process.stderr.write(String(process.resourceUsage().maxRSS)))' }

async function writeUsers (t: Test, count: number): Promise<string> {
  const path = join(temporaryDirectory(t), 'users.jsonl')
  function * lines (): Generator<string> {
    for (let number = 0; number < count; number++) {
      const { hash } = FOREIGN_SAMPLES[number % FOREIGN_SAMPLES.length] as { hash: string }
      yield `${JSON.stringify({ username: `user${number}`, email: `user${number}@example.com`, full_name: 'Some Body', password_hash: hash, roles: number % 10 === 0 ? ['admin'] : [] })}\n`
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
  return path
}

function count (env: Env, table: string): unknown {
  return readRows(databasePath(env), `select count(*) as count from ${table}`)[0]?.count
}

/** Imports into an empty database and gives the most memory that was resident, in bytes. */
async function measure (t: Test, file: string, lines: number): Promise<number> {
  const env = testEnv(t, MEASURED)
  const { code, stdout, stderr } = await runCommand(env, ['user', 'import', file])
  t.same([code, stdout], [0, `${lines} imported, 0 there already, 0 refused\n`])
  t.equal(count(env, 'users'), lines)
  const messages = stderr.split('\n')
  t.same(messages.slice(0, -1), Array.from({ length: lines / 10_000 }, (_, index) => `${index + 1}0000 lines`))
  return Number(messages.at(-1)) * 1024
}

t.test('An import of 100,000 lines takes hardly more memory than one of 10,000', async (t) => {
  const few = await measure(t, await writeUsers(t, 10_000), 10_000)
  const many = await measure(t, await writeUsers(t, MANY), MANY)

  t.comment(`${Math.round(few / MIB)} MiB for 10,000 lines, ${Math.round(many / MIB)} MiB for 100,000`)
  t.ok(many - few < 150 * MIB) // 64 of them are the page cache of the database
})

t.test('An import that is killed in the middle leaves whole users, and goes on where it was', async (t) => {
  const env = testEnv(t, { NODE_OPTIONS: '' })
  const lines = 30_000
  const file = await writeUsers(t, lines)

  const child = spawn(process.execPath, [CLI, 'user', 'import', file], { cwd: REPOSITORY, env: childEnv(env), stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.once('data', () => { child.kill('SIGKILL') })
  const [, signal] = await once(child, 'close')
  const users = Number(count(env, 'users'))
  const events = count(env, "audit_events where type = 'user_imported'")
  const halves = count(env, "users where cast(substr(username, 5) as integer) % 10 = 0 and id not in (select user_id from user_roles where role = 'admin')")
  const again = await runCommand(env, ['user', 'import', file])

  t.equal(signal, 'SIGKILL')
  t.ok(users >= 10_000 - 500 && users < lines, `${users} users`)
  t.same([events, halves], [users, 0])
  t.same([again.code, again.stdout], [0, `${lines - users} imported, ${users} there already, 0 refused\n`])
  t.same([count(env, 'users'), count(env, "audit_events where type = 'user_imported'")], [lines, lines])
  t.same(readRows(databasePath(env), 'pragma integrity_check'), [{ integrity_check: 'ok' }])
})
