import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { findFreePort } from '../../bench/free-port.ts'
import { REPOSITORY } from '../command.ts'
import { build, canRun, captureLog, createUser, logIn, stopClock, temporaryDirectory, type Tokens } from '../helper.ts'
import { exchange, type Answer } from '../raw-http.ts'
import { createForge, type Forge } from '../tokens.ts'

/** What the service behind the gateway got. */
export interface Received {
  method: string
  url: string
  /** Names as they were sent, in lower case, with each of their values. */
  headers: Array<[name: string, value: string]>
}

export interface Gateway {
  /** Where the log-in is, and where the API. */
  loginPort: number
  apiPort: number
  /** What it was started with. */
  directory: string
  /** Tells HAProxy to read all files anew. */
  reload: () => void
  app: FastifyInstance
  log: ReturnType<typeof captureLog>
  /** Sends the lines of a request to the API as they are. */
  ask (line: string, headers?: string[]): Promise<{ answer: Answer, received: Received | undefined }>
  tokens: Tokens
  /** Of somebody who may do everything. */
  adminTokens: Tokens
  forge: Forge
  advance: (ms: number) => void
}

export interface Program {
  /** Path of the program that Debian installs. */
  path: string
  config: string
  /** What stands in the file that is shipped, and what it has to be here. */
  adapt: (config: string, addresses: Addresses) => string
  args: (config: string, directory: string) => string[]
  prepare?: (addresses: Addresses) => Promise<void>
}

export interface Addresses {
  directory: string
  issuer: string
  latchkey: string
  api: string
  loginPort: number
  apiPort: number
}

/** Replaces texts that are to be there. */
export function replaceAll (config: string, replacements: Record<string, string>): string {
  return Object.entries(replacements).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the configuration does not say ${from}`)
    return text.replaceAll(from, to)
  }, config)
}

export function canRunProgram (t: Test, path: string): boolean {
  return canRun(t, path, existsSync(path))
}

/** An API that trusts its gateway, and tells what it got. Its answers may be kept by anybody, which is its fault. */
export async function startApi (t: Test): Promise<string> {
  const server = createServer((request, response) => {
    const body = JSON.stringify({ method: request.method, url: request.url, headers: pairs(request) })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'cache-control': 'public, max-age=60' }).end(body)
  }).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function pairs ({ rawHeaders }: IncomingMessage): Array<[string, string]> {
  return rawHeaders.flatMap((name, index) => index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] as string] as [string, string]] : [])
}

/** Resolves when it listens; it is ended when the test ends. */
export async function runGateway (t: Test, { path, config, adapt, args }: Program, addresses: Addresses): Promise<ChildProcess> {
  const file = join(addresses.directory, 'gateway.conf')
  writeFileSync(file, adapt(readFileSync(join(REPOSITORY, config), 'utf8'), addresses))
  const gateway = spawn(path, args(file, addresses.directory), { stdio: ['ignore', 'ignore', 'pipe'] })
  const exit = Promise.all([text(gateway.stderr), once(gateway, 'close')])
  t.teardown(async () => {
    gateway.kill('SIGTERM')
    await exit
  })
  let fault: string | undefined
  exit.then(([stderr]) => { fault = stderr }, (error: Error) => { fault = error.message })
  while (!await isListening(addresses.apiPort)) {
    if (fault !== undefined) throw new Error(`the gateway did not start: ${fault}`)
    await pause(10)
  }
  return gateway
}

async function isListening (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.once('connect', () => { resolve(true) }).once('error', () => { resolve(false) })
  const answer = await promise
  socket.destroy()
  return answer
}

/** Runs the gateway with the configuration that is shipped, before the service and an API. */
export async function startGateway (t: Test, program: Program): Promise<Gateway> {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const log = captureLog('info')
  const app = await build(t, { PUBLIC_URL: issuer, TRUST_PROXY: '127.0.0.1' }, log.logger)
  await app.listen({ host: '127.0.0.1', port })
  const directory = temporaryDirectory(t)
  mkdirSync(join(directory, 'keys'))
  const addresses = { directory, issuer, latchkey: new URL(issuer).host, api: await startApi(t), loginPort: await findFreePort(), apiPort: await findFreePort() }
  await program.prepare?.(addresses)
  const gateway = await runGateway(t, program, addresses)

  const { advance } = stopClock(app)
  await createUser(app, { username: 'root', password: 'a password of the test', roles: ['user', 'admin'] })
  return {
    loginPort: addresses.loginPort,
    apiPort: addresses.apiPort,
    directory,
    reload: () => { gateway.kill('SIGUSR2') },
    app,
    log,
    advance,
    tokens: await logIn(app),
    adminTokens: await logIn(app, { grant_type: 'password', username: 'root', password: 'a password of the test' }),
    forge: await createForge(app),
    async ask (line, headers = []) {
      const hasConnection = headers.some((header) => /^connection:/i.test(header))
      const [answer] = await exchange(t, addresses.apiPort, [`${line} HTTP/1.1`, 'host: api', ...hasConnection ? [] : ['connection: close'], ...headers, '', ''].join('\r\n'))
      if (answer === undefined) throw new Error('there was no answer')
      return { answer, received: answer.body.startsWith('{"method"') ? JSON.parse(answer.body) as Received : undefined }
    }
  }
}
