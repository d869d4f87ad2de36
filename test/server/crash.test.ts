import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { childEnv, databasePath, PASSWORD, readRows, REPOSITORY } from '../command.ts'
import { build, JOHN, logIn, testEnv, type Env, type Tokens } from '../helper.ts'
import { post, readProfileAt, refreshAt, startServer, type ServerProcess } from '../server-process.ts'

const CRASHES = 10
const OPERATIONS = 500
const IN_FLIGHT = 32
const FIRST_CRASH_AT = 60
const LATER_BY = 40
/** One in so many sessions is looked at again after all crashes. */
const SAMPLE = 4
const USER_MAKER = join(import.meta.dirname, 'user-maker.ts')

/** What the server has acknowledged of a session: its newest tokens, or that it is over. */
interface KnownSession {
  tokens: Tokens
  /** A revocation without an answer may have been made or not. */
  state: 'live' | 'revoked' | 'unknown'
  isBusy: boolean
}

/**
 * Logs in, refreshes and logs out with many requests in flight, kills the server after `crashAt` answers,
 * and gives what was acknowledged until then.
 */
async function flood (server: ServerProcess, crashAt: number): Promise<KnownSession[]> {
  const sessions: KnownSession[] = []
  let started = 0
  let answered = 0

  async function logIn (): Promise<void> {
    const response = await post(`${server.url}/token`, JOHN)
    if (response.ok) sessions.push({ tokens: await response.json() as Tokens, state: 'live', isBusy: false })
  }

  async function refresh (session: KnownSession): Promise<void> {
    const response = await refreshAt(server, session.tokens.refresh_token)
    if (response.ok) session.tokens = await response.json() as Tokens
  }

  async function logOut (session: KnownSession): Promise<void> {
    session.state = 'unknown'
    const response = await post(`${server.url}/revoke`, { token: session.tokens.refresh_token })
    if (response.ok) session.state = 'revoked'
  }

  async function act (number: number): Promise<void> {
    const session = number % 3 === 0 ? undefined : sessions.findLast(({ state, isBusy }) => state === 'live' && !isBusy)
    if (session === undefined) return await logIn()
    session.isBusy = true
    await (number % 10 === 1 ? logOut(session) : refresh(session))
    session.isBusy = false
  }

  async function work (): Promise<void> {
    while (started < OPERATIONS) {
      await act(started++)
      if (++answered === crashAt) server.kill('SIGKILL')
    }
  }

  // The crash ends every request that is in flight, and with it the worker that waits for it.
  await Promise.allSettled(Array.from({ length: IN_FLIGHT }, work))
  await server.exit
  return sessions
}

/** Runs the program that makes users, kills it after `count` of them, and gives the names that it printed until then. */
async function makeUsers (env: Env, prefix: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [USER_MAKER, prefix], { cwd: REPOSITORY, env: childEnv(env), stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.split('\n').length > count) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return output.split('\n').slice(0, -1)
}

/** What becomes of a session's newest tokens when they are used after the restart, the refresh token twice at once. */
async function use (server: ServerProcess, session: KnownSession): Promise<string> {
  const { access_token: accessToken, refresh_token: refreshToken } = session.tokens
  const profile = await readProfileAt(server, accessToken)
  const refreshed = await Promise.all([refreshAt(server, refreshToken), refreshAt(server, refreshToken)])
  const [tokens, others] = await Promise.all(refreshed.map(async (response) => await response.json() as Tokens))
  if (tokens?.refresh_token !== undefined) session.tokens = tokens
  const successors = new Set([tokens?.refresh_token, others?.refresh_token])
  return [profile.status, ...refreshed.map(({ status }) => status), `${successors.size} successor`].join(' ')
}

const LIVE = '200 200 200 1 successor'
const OVER = '401 400 400 1 successor'
const OUTCOMES = { live: [LIVE], revoked: [OVER], unknown: [LIVE, OVER] }

async function checkSessions (t: Test, server: ServerProcess, sessions: KnownSession[]): Promise<void> {
  const broken: string[] = []
  async function check (session: KnownSession): Promise<void> {
    const outcome = await use(server, session)
    if (!OUTCOMES[session.state].includes(outcome)) broken.push(`${session.state}: ${outcome}`)
    session.state = outcome === LIVE ? 'live' : 'revoked'
  }
  for (let first = 0; first < sessions.length; first += IN_FLIGHT) {
    await Promise.all(sessions.slice(first, first + IN_FLIGHT).map(check))
  }
  t.same(broken, [], 'what was acknowledged of sessions holds')
}

// Each finds what is there in part only.
const HALVES = [
  "select username from users where username <> 'johndoe' and 1 <> (select count(*) from user_roles where user_id = users.id)",
  "select username from users where 1 <> (select count(*) from audit_events where user_id = users.id and type = 'user_created')",
  "select id from sessions where 1 <> (select count(*) from audit_events where session_id = sessions.id and type = 'login')",
  "select id from sessions where (revoked_at is not null) <> (select count(*) from audit_events where session_id = sessions.id and type = 'logout')",
  'select id from audit_events where session_id is not null and session_id not in (select id from sessions)',
  'select id from audit_events where user_id is not null and user_id not in (select id from users)',
  'pragma foreign_key_check'
]

function checkDatabase (t: Test, env: Env): void {
  const path = databasePath(env)
  t.same(readRows(path, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
  for (const half of HALVES) t.same(readRows(path, half), [], half)
}

t.setTimeout(300_000) // for slow machines; it takes about a tenth of it

t.test('Whatever was acknowledged holds after each of ten crashes in the middle of 500 requests', async (t) => {
  // Those who lost an answer come back within the grace, however slow the machine is.
  const env = testEnv(t, { REFRESH_GRACE: '300', ACCESS_TOKEN_TTL: '3600', NODE_OPTIONS: '' })
  const sessions: KnownSession[] = []
  let server = await startServer(t, env)

  for (let crash = 0; crash < CRASHES; crash++) {
    const known = await flood(server, FIRST_CRASH_AT + LATER_BY * crash)
    server = await startServer(t, env)

    checkDatabase(t, env)
    await checkSessions(t, server, known)
    sessions.push(...known)
  }

  await checkSessions(t, server, sessions.filter((_session, index) => index % SAMPLE === 0))
  const count = (state: KnownSession['state']): number => sessions.filter((session) => session.state === state).length
  t.comment(`${count('live')} sessions live on, ${count('revoked')} are over`)
  t.ok(count('live') > 100 && count('revoked') > 10)
})

t.test('A user is there whole, or not at all, when the program that makes users is killed', async (t) => {
  const env = testEnv(t, { NODE_OPTIONS: '' })
  const app = await build(t, env)

  for (const count of [1, 20, 50]) {
    const names = await makeUsers(env, `user-${count}`, count)

    checkDatabase(t, env)
    const there = new Set(readRows(databasePath(env), 'select username from users').map(({ username }) => username))
    t.same(names.filter((name) => !there.has(name)), [], 'whoever was acknowledged is there')
    const { scope } = await logIn(app, { grant_type: 'password', username: names.at(-1) ?? '', password: PASSWORD })
    t.match(scope, 'users:write')
  }
})
