import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { findFreePort } from '../bench/free-port.ts'
import { temporaryDirectory } from './helper.ts'
import { query, until } from './postgres.ts'

export const PGBOUNCER = '/usr/sbin/pgbouncer'

/** Fewer connections to the server than a process of the service has to the pooler: they are shared all the time. */
const POOL_SIZE = 3

/** Runs PgBouncer in transaction mode in front of the schema that the URL names, and gives the URL of the same by way of it. */
export async function startPgBouncer (t: Test, target: string): Promise<string> {
  const { hostname, port, username, pathname, searchParams } = new URL(target)
  const schema = /search_path=(\w+)/.exec(searchParams.get('options') ?? '')?.[1] ?? ''
  const poolerPort = await findFreePort()
  const file = join(temporaryDirectory(t), 'pgbouncer.ini')
  writeFileSync(file, `[databases]
latchkey = host=${hostname} port=${port} user=${username} dbname=${pathname.slice(1)} connect_query='set search_path = ${schema}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${poolerPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${POOL_SIZE}
`)
  // It refuses to be root's.
  const pooler = spawn(PGBOUNCER, [...process.getuid?.() === 0 ? ['-u', 'postgres'] : [], file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exit = Promise.all([text(pooler.stderr), once(pooler, 'close')])
  t.teardown(async () => {
    pooler.kill('SIGKILL')
    await exit
  })

  const url = `postgres://${username}@127.0.0.1:${poolerPort}/latchkey`
  if (!await until(async () => await query(url, 'select').then(() => true, () => false))) throw new Error('PgBouncer did not start')
  return url
}
