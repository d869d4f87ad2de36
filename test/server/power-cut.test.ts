import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { databasePath, PASSWORD, readRows } from '../command.ts'
import { build, JOHN, logIn, readProfile, refresh, requestToken, temporaryDirectory, testEnv, type Env, type Tokens } from '../helper.ts'
import { logInAt, post, refreshAt } from '../server-process.ts'
import { createDisk, untilAnswers, type Files, type Luck } from './disk.ts'
import { canTrace, isAnswer, startTracedServer, traceCommand, type TracedServer } from './system-calls.ts'

const NOTHING: Luck = () => false
/** What becomes of changes that no sync has reached. */
const CUTS: Array<{ cut: string, luck: Luck }> = [
  { cut: 'a cut that loses whatever is not synced', luck: NOTHING },
  { cut: 'a cut that keeps every other change that is not synced', luck: (change) => change % 2 === 1 }
]
const COUNTS = 'select (select count(*) + count(revoked_at) from sessions) as events, integrity_check as integrity from pragma_integrity_check'
/** So many answers are looked at on both sides of the copy. */
const AROUND = 20

/** The files of a disk where nothing else is, for a start on them. */
function restore (t: Test, root: string, env: Env, files: Files): Env {
  const directory = temporaryDirectory(t)
  const moved = (path: string): string => join(directory, relative(root, path))
  for (const [path, content] of files) {
    mkdirSync(dirname(moved(path)), { recursive: true })
    writeFileSync(moved(path), content)
  }
  return { ...env, DATABASE_URL: `file:${moved(databasePath(env))}` }
}

async function send ({ url }: TracedServer, method: string, path: string, { access_token: token }: Tokens, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...body && { 'content-type': 'application/json' } }
  return await fetch(`${url}${path}`, { method, headers, ...body && { body: JSON.stringify(body) } })
}

const sessionOf = ({ access_token: token }: Tokens): string => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid

async function statuses (app: FastifyInstance, tokens: Tokens): Promise<string> {
  const profile = await readProfile(app, tokens.access_token)
  return `${profile.statusCode} ${(await refresh(app, tokens.refresh_token)).statusCode}`
}

const isAlive = async (app: FastifyInstance, tokens: Tokens): Promise<boolean> => await statuses(app, tokens) === '200 200'
const isOver = async (app: FastifyInstance, tokens: Tokens): Promise<boolean> => await statuses(app, tokens) === '401 400'
const takes = async (app: FastifyInstance, password: string): Promise<boolean> => (await requestToken(app, { ...JOHN, password })).statusCode === 200

t.setTimeout(300_000) // for slow machines; it takes about a twentieth of it

t.test('The first log-in is there after a power cut, and with it the secret, the database and the directory that were made for it', async (t) => {
  if (!canTrace(t)) return
  const root = temporaryDirectory(t)
  const env = testEnv(t, { DATABASE_URL: `file:${root}/data/latchkey.db`, LATCHKEY_SECRET: '', NODE_OPTIONS: '' })
  const disk = createDisk(root)
  const server = await startTracedServer(t, env)

  const tokens = await logInAt(server)
  const calls = await server.trace()

  const answers = untilAnswers(disk, calls)
  t.equal(answers.next().value, 1)
  for (const { cut, luck } of CUTS) t.ok(await isAlive(await build(t, restore(t, root, env, disk.afterCut(luck))), tokens), cut)
  t.ok(answers.next().done)
})

t.test('A refresh, the end of a session and a new password are in force after a power cut', async (t) => {
  if (!canTrace(t)) return
  const env = testEnv(t, { NODE_OPTIONS: '' })
  const app = await build(t, env)
  const [mine, left, ended, other] = [await logIn(app), await logIn(app), await logIn(app), await logIn(app)]
  await app.close()
  const root = dirname(databasePath(env))
  const disk = createDisk(root)
  let before = disk.afterCut(NOTHING)
  const server = await startTracedServer(t, env)

  const responses = [
    await refreshAt(server, mine.refresh_token),
    await post(`${server.url}/revoke`, { token: left.refresh_token }),
    await send(server, 'DELETE', `/users/me/sessions/${sessionOf(ended)}`, mine),
    await send(server, 'PUT', '/users/me/password', mine, { current_password: JOHN.password, new_password: PASSWORD }),
    await send(server, 'DELETE', '/users/me/sessions?current=true', mine)
  ] as const
  const calls = await server.trace()

  t.same(responses.map(({ status }) => status), [200, 200, 204, 204, 204])
  const refreshed = await responses[0].json() as Tokens
  const acts: Array<{ name: string, isInForce: (app: FastifyInstance) => Promise<boolean> }> = [
    { name: 'a refresh', isInForce: async (app) => await isAlive(app, refreshed) },
    { name: 'a log-out', isInForce: async (app) => await isOver(app, left) },
    { name: 'the end of another session', isInForce: async (app) => await isOver(app, ended) },
    { name: 'a new password', isInForce: async (app) => await isOver(app, other) && await takes(app, PASSWORD) && !await takes(app, JOHN.password) },
    { name: 'the end of all sessions', isInForce: async (app) => await isOver(app, refreshed) }
  ]
  for (const answer of untilAnswers(disk, calls)) {
    const { name, isInForce } = acts[answer - 1] as typeof acts[number]
    t.notOk(await isInForce(await build(t, restore(t, root, env, before))), `${name} was not there before`)
    for (const { cut, luck } of CUTS) t.ok(await isInForce(await build(t, restore(t, root, env, disk.afterCut(luck)))), `${name}: ${cut}`)
    before = disk.afterCut(NOTHING)
  }
  t.equal(calls.filter(isAnswer).length, acts.length)
})

t.test('Log-ins and log-outs are there after a power cut while the log is copied into the database and begun anew', async (t) => {
  if (!canTrace(t)) return
  const env = testEnv(t, { NODE_OPTIONS: '' })
  await (await build(t, env)).close()
  const path = databasePath(env)
  const { mtimeMs: madeAt } = statSync(path)
  const root = dirname(path)
  const disk = createDisk(root)
  const server = await startTracedServer(t, env)

  let answered = 0
  for (let after = 0; after < AROUND; after += statSync(path).mtimeMs === madeAt ? 0 : 2) {
    const { refresh_token: token } = await logInAt(server)
    await post(`${server.url}/revoke`, { token })
    answered += 2
  }
  const calls = await server.trace()

  t.equal(calls.filter(isAnswer).length, answered)
  t.equal(calls.filter(({ target, number }) => target === `${path}-wal` && number === 0).length, 2, 'the log began twice')
  const broken: string[] = []
  function check (answers: number): void {
    for (const { cut, luck } of CUTS) {
      const [there] = readRows(databasePath(restore(t, root, env, disk.afterCut(luck))), COUNTS)
      if (there?.events !== answers || there.integrity !== 'ok') broken.push(`${cut} after ${answers} answers: ${JSON.stringify(there)}`)
    }
  }
  for (const answer of untilAnswers(disk, calls)) {
    if (answer > answered - 2 * AROUND) check(answer)
  }
  check(answered)
  t.same(broken, [])
})

t.test('A backup is there after a power cut', async (t) => {
  if (!canTrace(t)) return
  const env = testEnv(t, { NODE_OPTIONS: '' })
  await (await build(t, env)).close()
  const root = temporaryDirectory(t)
  const disk = createDisk(root)

  for (const call of traceCommand(t, env, ['backup', join(root, 'backup.db')])) disk.apply(call)

  for (const { cut, luck } of CUTS) {
    const restored = restore(t, root, { DATABASE_URL: `file:${root}/backup.db` }, disk.afterCut(luck))
    t.same(readRows(databasePath(restored), 'select username from users'), [{ username: 'johndoe' }], cut)
  }
})
