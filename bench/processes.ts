import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import packageJson from '../package.json' with { type: 'json' }
import { findFreePort } from './free-port.ts'
import type { Workspace } from './workspace.ts'

/** A server in a process of its own. */
export interface Server {
  url: string
  pid: number
  /** From the start of the process to the first answer that says it is ready, in milliseconds. */
  readyMs: number
  /** @throws Error if it doesn't end well */
  stop (): Promise<void>
  /** Ends it at once, whatever it is busy with. */
  kill (): Promise<void>
}

const ROOT = join(import.meta.dirname, '..')
const READY_WITHIN_MS = 30_000
const ASK_EVERY_MS = 5

const [, ...START_ARGUMENTS] = packageJson.scripts.start.split(' ')

const killers = new Map<ChildProcess, () => void>()
process.once('exit', killAll)

/** Ends what a measurement that failed has left behind. */
export function killAll (): void {
  for (const kill of killers.values()) kill()
}

function watch (child: ChildProcess, kill = (): void => { child.kill('SIGKILL') }): ChildProcess {
  killers.set(child, kill)
  child.once('exit', () => killers.delete(child))
  return child
}

/** Whether it was answered, and well unless any answer will do. */
async function isAnswered (url: string, anyAnswer: boolean): Promise<boolean> {
  try {
    const response = await fetch(url, { headers: { connection: 'close' } })
    await response.arrayBuffer()
    return anyAnswer || response.status === 200
  } catch {
    return false // nobody listens yet
  }
}

async function waitUntilAnswered (child: ChildProcess, url: string, anyAnswer = false): Promise<void> {
  const startedAt = performance.now()
  while (!await isAnswered(url, anyAnswer)) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error('A server did not start')
    if (performance.now() - startedAt > READY_WITHIN_MS) throw new Error('A server did not get ready')
    await sleep(ASK_EVERY_MS)
  }
}

/** Starts the service as `npm start` does; what it logs goes to the workspace. */
export async function startService ({ env, logPath }: Workspace): Promise<Server> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const startedAt = performance.now()
  const child = spawnLogged(process.execPath, START_ARGUMENTS, { cwd: ROOT, env: { ...env, PORT: String(port) } }, logPath)
  await waitUntilAnswered(child, `${url}/health/ready`)
  return serverOf(child, url, performance.now() - startedAt)
}

export interface Program {
  command: (port: number) => [string, string[]]
  directory: string
  env: Record<string, string>
  logPath: string
}

/** Starts another program, which finds its port in the environment or in its command. */
export async function startProgram ({ command, directory, env, logPath }: Program): Promise<Server> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const startedAt = performance.now()
  const child = spawnLogged(...command(port), { cwd: directory, env: { PATH: process.env.PATH, PORT: String(port), ...env } }, logPath)
  await waitUntilAnswered(child, url, true)
  return serverOf(child, url, performance.now() - startedAt)
}

function spawnLogged (command: string, args: string[], options: { cwd: string, env: NodeJS.ProcessEnv }, logPath: string): ChildProcess {
  const log = openSync(logPath, 'a')
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  // The group, for some programs have processes of their own.
  return watch(child, () => { process.kill(-(child.pid as number), 'SIGKILL') })
}

/** Starts the server that does nothing but what the figure is compared with. */
export async function startBareServer (job: object): Promise<Server> {
  const startedAt = performance.now()
  const child = forkFile('bare-server.ts')
  const url = await ask<string>(child, job)
  return serverOf(child, url, performance.now() - startedAt)
}

function serverOf (child: ChildProcess, url: string, readyMs: number): Server {
  return {
    url,
    pid: child.pid as number,
    readyMs,
    async stop () {
      if (child.exitCode !== null) throw new Error(`A server ended during the run with code ${child.exitCode}`)
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = await exited as [number | null]
      if (code !== 0) throw new Error(`A server ended with code ${code}`)
    },
    async kill () {
      const exited = once(child, 'exit')
      killers.get(child)?.()
      await exited
    }
  }
}

/** Runs a file of this folder in a process of its own, so that it shares no event loop with what it measures. */
export async function runJob<Answer> (file: string, job: object): Promise<Answer> {
  const child = forkFile(file)
  const exited = once(child, 'exit')
  const answer = await ask<Answer>(child, job)
  await exited
  return answer
}

function forkFile (file: string): ChildProcess {
  return watch(fork(join(import.meta.dirname, file), { env: { PATH: process.env.PATH }, stdio: ['ignore', process.stderr, process.stderr, 'ipc'] }))
}

async function ask<Answer> (child: ChildProcess, job: object): Promise<Answer> {
  const answered = once(child, 'message').then(([answer]) => answer as Answer)
  const failed = once(child, 'exit').then(([code]) => { throw new Error(`${child.spawnargs.at(-1)} ended with code ${code} and no answer`) })
  child.send(job)
  const answer = await Promise.race([answered, failed])
  failed.catch(() => {}) // it ends later, as it should
  return answer
}
