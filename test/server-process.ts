import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { childEnv, REPOSITORY } from './command.ts'
import { FORM_HEADERS, JOHN, type Env, type Tokens } from './helper.ts'

export const SERVER = join(REPOSITORY, 'server.ts')

export interface ServerProcess {
  url: string
  pid: number
  /** What it has written to standard output so far. */
  log: () => string
  /** Sends the signal and resolves to the exit code: null if the signal itself ended the process. */
  stop: (signal: NodeJS.Signals) => Promise<number | null>
  kill: (signal: NodeJS.Signals) => void
  exit: Promise<{ code: number | null, stderr: string }>
}

/** Where requests go. */
type At = Pick<ServerProcess, 'url'>

/** Starts the service as a process of its own on a free port, under another program if one is given, and ends it when the test ends. */
export async function startServer (t: Test, env: Env, { cwd = REPOSITORY, nodeArguments = [] as string[], under = [] as string[] } = {}): Promise<ServerProcess> {
  const [program = '', ...args] = [...under, process.execPath, ...nodeArguments, SERVER]
  const child = spawn(program, args, { cwd, env: childEnv({ ...env, LOG_LEVEL: 'info' }) })
  let log = ''
  const exit = Promise.all([text(child.stderr), once(child, 'close')]).then(([stderr, [code]]) => ({ code: code as number | null, stderr }))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exit
  })

  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => { log += chunk.toString() })
    child.stdout.on('data', function findAddress () {
      const address = /listening at (http:[^\s"]+)/.exec(log)?.[1]
      if (address === undefined) return
      child.stdout.off('data', findAddress)
      resolve(address)
    })
    exit.then(({ code, stderr }) => { reject(new Error(`The server ended with ${code}: ${stderr}`)) }, reject)
  })

  return {
    url,
    pid: child.pid as number,
    log: () => log,
    kill: (signal) => { child.kill(signal) },
    stop: async (signal) => {
      child.kill(signal)
      return (await exit).code
    },
    exit
  }
}

export async function post (url: string, form: Record<string, string>): Promise<Response> {
  return await fetch(url, { method: 'POST', headers: FORM_HEADERS, body: new URLSearchParams(form).toString() })
}

export async function logInAt ({ url }: At, form: Record<string, string> = JOHN): Promise<Tokens> {
  const response = await post(`${url}/token`, form)
  if (response.status !== 200) throw new Error(`log-in failed: ${await response.text()}`)
  return await response.json() as Tokens
}

export async function refreshAt ({ url }: At, refreshToken: string): Promise<Response> {
  return await post(`${url}/token`, { grant_type: 'refresh_token', refresh_token: refreshToken })
}

export async function readProfileAt ({ url }: At, accessToken: string): Promise<Response> {
  return await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${accessToken}` } })
}
