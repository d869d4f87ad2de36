import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { runCommand } from '../command.ts'
import { FORM_HEADERS, testEnv, type Env, type Tokens } from '../helper.ts'
import { exchange, request, type Answer } from '../raw-http.ts'
import { startServer, type ServerProcess } from '../server-process.ts'

/** The user whose secrets must not come up anywhere. */
export const ADA = { grant_type: 'password', username: 'ada', password: 'CANARY correct horse battery' }
export const FORM = new URLSearchParams(ADA).toString()

const PROBE = new URL('probe.ts', import.meta.url).pathname
// What an operator may have set by mistake changes nothing.
const CARELESS = ['--insecure-http-parser', '--max-http-header-size=1000000']
const UNTOUCHED = /^{"polluted":null,"keys":\[\],/

/** What an answer must be like; `json` is its parsed body, and null for none. */
export interface Expected {
  status: number
  headers?: Record<string, string | RegExp | undefined>
  json?: object | null
}

/** What an attacker sends, on a connection of its own, and what he must get. */
export interface Case {
  name: string
  text: string
  answer: Expected
}

/** Processor time that was spent so far, in microseconds. */
export interface Worked {
  eventLoop: number
  /** All threads together. */
  process: number
}

/** The service as a process of its own, at the other end of the network. */
export interface Target {
  port: number
  /** Logs in, and watches from then on that the tokens come up nowhere. */
  logIn: (form?: Record<string, string>) => Promise<Tokens>
  /** Sends it and asserts the answer, and that the service is as it was. */
  attack: (t: Test, { text, answer }: Case) => Promise<Answer>
  /** Asserts what holds after whatever was done: the process lives, nothing secret came up, no object is spoilt. */
  isUnharmed: (t: Test, answers: Answer[]) => Promise<void>
  worked: () => Promise<Worked>
}

export async function startTarget (t: Test, env: Env = {}): Promise<Target> {
  const settings = testEnv(t, env)
  await runCommand(settings, ['user', 'create', '--username', ADA.username, '--email', 'ada@example.com'], { input: ADA.password })
  const server = await startServer(t, settings, { nodeArguments: [...CARELESS, `--import=${PROBE}`] })
  const port = Number(new URL(server.url).port)
  const secrets = ['CANARY', settings.LATCHKEY_SECRET ?? '', '$argon2', 'PRIVATE KEY']

  async function isUnharmed (t: Test, answers: Answer[]): Promise<void> {
    const alive = await exchange(t, port, request('GET /health/live'))
    t.match(alive, [{ status: 200 }], 'the process lives')
    for (const { status, headers, body } of answers) {
      t.notOk(status === 500 || status > 503, 'nothing went wrong inside')
      if (body !== '') t.match(headers, { 'content-type': /^application\/json(?:; charset=utf-8)?$/, 'x-content-type-options': 'nosniff' })
      t.strictSame(secrets.filter((secret) => `${JSON.stringify(headers)}${body}`.includes(secret)), [], 'no secret is in the answer')
    }
    t.strictSame(secrets.filter((secret) => server.log().includes(secret)), [], 'no secret is in the log')
    t.match(await probe(server), UNTOUCHED, 'what all objects share is as it was')
  }

  return {
    port,
    isUnharmed,
    worked: async () => (JSON.parse(await probe(server)) as { worked: Worked }).worked,

    async logIn (form = ADA) {
      const response = await fetch(`${server.url}/token`, { method: 'POST', headers: { ...FORM_HEADERS, connection: 'close' }, body: new URLSearchParams(form).toString() })
      if (response.status !== 200) throw new Error(`log-in failed: ${await response.text()}`)
      const tokens = await response.json() as Tokens
      secrets.push(tokens.access_token, tokens.refresh_token)
      return tokens
    },

    async attack (t, { text, answer: expected }) {
      const [answer, ...more] = await exchange(t, port, text)
      if (answer === undefined) throw new Error('There is no answer')
      const json = answer.body === '' ? null : JSON.parse(answer.body) as object
      t.match({ ...answer, json }, { json: {}, ...expected })
      t.same(more, [], 'there is one answer')
      await isUnharmed(t, [answer])
      return answer
    }
  }
}

/** Runs each case as a test of its own. */
export function runCases (t: Test, target: Target, cases: Case[]): void {
  for (const one of cases) {
    t.test(one.name, async (t) => { await target.attack(t, one) })
  }
}

/** A form to the token endpoint, after which the connection is closed. */
export function tokenRequest (body: string, headers = 'content-type: application/x-www-form-urlencoded\r\n', line = 'POST /token'): string {
  return request(line, `${headers}content-length: ${Buffer.byteLength(body, 'latin1')}\r\n`, body)
}

export function jsonRequest (line: string, body: string, headers = ''): string {
  return request(line, `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body, 'latin1')}\r\n${headers}`, body)
}

async function probe (server: ServerProcess): Promise<string> {
  const told = (): string[] => [...server.log().matchAll(/^probe: (.*)$/gm)].map(([, text = '']) => text)
  const before = told().length
  server.kill('SIGWINCH')
  while (told().length === before) await pause(1)
  return told().at(-1) as string
}
