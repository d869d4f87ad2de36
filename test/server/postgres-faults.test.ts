import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Env, type Tokens, testEnv } from '../helper.ts'
import { startCluster } from '../postgres-cluster.ts'
import { query, until } from '../postgres.ts'
import { logInAt, readProfileAt, refreshAt, startServer, type ServerProcess } from '../server-process.ts'

/** No answer may take longer, in milliseconds: what the settings allow, and what a busy machine adds. */
const LONGEST_ANSWER_MS = 4000

interface Answer {
  status: number
  ms: number
  retryAfter: string | null
}

async function measure (request: Promise<Response>): Promise<Answer> {
  const startedAt = performance.now()
  const response = await request
  await response.arrayBuffer()
  return { status: response.status, ms: performance.now() - startedAt, retryAfter: response.headers.get('retry-after') }
}

async function isReady ({ url }: ServerProcess): Promise<boolean> {
  return (await fetch(`${url}/health/ready`)).status === 200
}

/** Reads profiles and refreshes, each session after its own answers, until it is told to stop. */
function startLoad (server: ServerProcess, sessions: Tokens[]): { stop: () => Promise<Answer[]> } {
  const answers: Answer[] = []
  const over = new AbortController()
  async function use (tokens: Tokens): Promise<void> {
    while (!over.signal.aborted) {
      answers.push(await measure(readProfileAt(server, tokens.access_token)))
      answers.push(await measure(refreshAt(server, tokens.refresh_token)))
      await sleep(5)
    }
  }
  const users = Promise.all(sessions.map(use))
  return {
    async stop () {
      over.abort()
      await users
      return answers
    }
  }
}

function isAnsweredWell (t: Test, answers: Answer[]): void {
  t.strictSame([...new Set(answers.map(({ status }) => status))].toSorted(), [200, 503])
  t.ok(answers.every(({ status, retryAfter }) => status === 200 || retryAfter === '1'), 'with Retry-After')
  t.ok(Math.max(...answers.map(({ ms }) => ms)) < LONGEST_ANSWER_MS, 'nobody waits for long')
}

const cluster = await startCluster(t)
if (cluster !== undefined) {
  const env: Env = testEnv(t, { DATABASE_URL: cluster.url, REFRESH_GRACE: '300' })

  t.test('A server that stops and starts under load', async (t) => {
    const server = await startServer(t, env)
    const sessions = await Promise.all(Array.from({ length: 20 }, async () => await logInAt(server)))
    const load = startLoad(server, sessions)
    await sleep(200)

    await cluster.stop()
    t.ok(await until(async () => !await isReady(server)), 'the service is not ready')
    await sleep(500)
    await cluster.start()
    t.ok(await until(async () => await isReady(server)), 'the service is ready again by itself')

    isAnsweredWell(t, await load.stop())
    t.equal((await readProfileAt(server, sessions[0]?.access_token ?? '')).status, 200)
    t.equal((await fetch(`${server.url}/health/live`)).status, 200)
    t.ok(await until(() => server.log().split('are remembered').length === 3), 'changes are heard again')
  })

  t.test('A server that answers nothing any more', async (t) => {
    const server = await startServer(t, env)
    const sessions = await Promise.all(Array.from({ length: 20 }, async () => await logInAt(server)))
    const load = startLoad(server, sessions)
    await sleep(200)

    cluster.signal('SIGSTOP')
    t.ok(await until(async () => !await isReady(server)), 'the service is not ready')
    await sleep(3000)
    cluster.signal('SIGCONT')
    t.ok(await until(async () => await isReady(server)), 'the service is ready again by itself')

    isAnsweredWell(t, await load.stop())
    t.equal((await readProfileAt(server, sessions[0]?.access_token ?? '')).status, 200)
  })

  t.test('All connections are ended by hand', async (t) => {
    const server = await startServer(t, env)
    const sessions = await Promise.all(Array.from({ length: 20 }, async () => await logInAt(server)))
    const load = startLoad(server, sessions)

    for (let time = 0; time < 5; time++) {
      await sleep(100)
      await query(cluster.url, 'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', ['latchkey'])
    }
    await sleep(100)

    isAnsweredWell(t, await load.stop())
    t.ok(await until(async () => await isReady(server)))
  })

  t.test('At the start the database is away', async (t) => {
    await cluster.stop()

    const { code, stderr } = await startServer(t, env).then(() => ({ code: 0, stderr: '' }), (error: Error) => ({ code: 1, stderr: error.message }))

    t.equal(code, 1)
    t.match(stderr, /The server ended with 1: The database can't be reached: check DATABASE_URL, that PostgreSQL runs there, and its certificate if TLS is asked for\n$/)
    await cluster.start()
    t.ok(await isReady(await startServer(t, env)))
  })
}
