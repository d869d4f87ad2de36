import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { testEnv, type Env } from './helper.ts'

export const REPOSITORY = join(import.meta.dirname, '..')
export const CLI = join(REPOSITORY, 'cli.ts')
export const PASSWORD = 'correct horse battery'
/** What production asks for. */
export const PRODUCTION = { NODE_ENV: 'production', PUBLIC_URL: 'https://login.example.com', TRUST_PROXY: 'none', ARGON2_MEMORY_KIB: '19456', ARGON2_TIME_COST: '2' }

export const USER_KEYS = ['created_at', 'disabled', 'email', 'email_verified', 'full_name', 'id', 'last_login_at', 'roles', 'updated_at', 'username']

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

/**
 * The environment of a child process: nothing of this process but what tap needs to see what the child covers. V8 tells
 * that of freshly compiled code only.
 */
export function childEnv (env: Env): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => name === 'NODE_OPTIONS' || name.includes('TAP'))
  const fresh = env.NODE_OPTIONS === '' ? {} : { NODE_DISABLE_COMPILE_CACHE: '1' }
  return { ...Object.fromEntries(inherited), ...fresh, ...env }
}

/** Runs `latchkey` as a process of its own, as an operator does. */
export async function runCommand (env: Env, args: string[], { input = '', cwd = REPOSITORY } = {}): Promise<CommandResult> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: childEnv(env) })
  child.stdin.on('error', () => {}) // a command that fails early does not read it
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

/** Settings of an empty database that is there. */
export async function emptyDatabase (t: Test, changes: Env = {}): Promise<Env> {
  const env = testEnv(t, changes)
  await runCommand(env, ['migrate'])
  return env
}

export function databasePath (env: Env): string {
  return (env.DATABASE_URL ?? '').slice('file:'.length)
}

/** What is committed to a database, read past the service. */
export function readRows (path: string, sql: string): Array<Record<string, unknown>> {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare(sql).all().map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}

export function readAudit (env: Env): Array<Record<string, unknown>> {
  return readRows(databasePath(env), 'select type, outcome, actor_id, user_id, details from audit_events order by id')
}
