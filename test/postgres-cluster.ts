import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { findFreePort } from '../bench/free-port.ts'
import { canRun } from './helper.ts'

const VERSIONS = '/usr/lib/postgresql'

/** A PostgreSQL server of the test's own, which may do anything to it. */
export interface Cluster {
  url: string
  stop: () => Promise<void>
  start: () => Promise<void>
  /** All processes of the server, those of connections too. */
  signal: (signal: NodeJS.Signals) => void
}

const run = promisify(execFile)

function findPrograms (): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  return readdirSync(VERSIONS).map((version) => join(VERSIONS, version, 'bin')).findLast((path) => existsSync(join(path, 'initdb')))
}

/** Undefined, and a visible line, where PostgreSQL is not installed. */
export async function startCluster (t: Test): Promise<Cluster | undefined> {
  const programs = findPrograms()
  if (!canRun(t, 'PostgreSQL with initdb', programs !== undefined)) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-cluster-'))
  const data = join(directory, 'data')
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(directory, Number(idOf('-u')), Number(idOf('-g')))
  chmodSync(directory, 0o700)
  const port = await findFreePort()

  // The server refuses to be root's.
  async function as (program: string, ...args: string[]): Promise<void> {
    const command = [join(programs as string, program), ...args]
    await (isRoot ? run('runuser', ['-u', 'postgres', '--', ...command]) : run(command[0] as string, command.slice(1)))
  }
  const options = `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB`
  const control = async (...args: string[]): Promise<void> => { await as('pg_ctl', '-D', data, '-w', '-l', join(directory, 'log'), ...args) }

  await as('initdb', '-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync')
  const cluster: Cluster = {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start: async () => { await control('-o', options, 'start') },
    stop: async () => { await control('-m', 'immediate', 'stop') },
    signal: (signal) => {
      const [pid = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
      for (const id of [pid, ...childrenOf(pid)]) process.kill(Number(id), signal)
    }
  }
  t.teardown(async () => {
    if (existsSync(join(data, 'postmaster.pid'))) {
      cluster.signal('SIGCONT')
      await cluster.stop()
    }
    rmSync(directory, { recursive: true, force: true })
  })
  await cluster.start()
  return cluster
}

function idOf (flag: '-u' | '-g'): string {
  return spawnSync('id', [flag, 'postgres']).stdout.toString()
}

function childrenOf (pid: string): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
}
