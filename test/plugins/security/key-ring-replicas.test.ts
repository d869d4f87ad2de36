import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { PUBLISH_AHEAD_MS } from '../../../lib/key-schedule.ts'
import { childEnv } from '../../command.ts'
import { build, logIn, readProfile, testEnv, type Env } from '../../helper.ts'
import { isRefused } from '../../tokens.ts'

const FIRST_START = join(import.meta.dirname, '../../fixtures/first-start.ts')

/** Two processes, as far as they share nothing but the database and the time. */
async function buildPair (t: Test, first: Env = {}, second: Env = {}): Promise<{ one: FastifyInstance, two: FastifyInstance, advance: (ms: number) => void }> {
  const env = testEnv(t)
  const one = await build(t, { ...env, ...first })
  const two = await build(t, { ...env, ...second })
  let now = Date.now()
  one.clock.now = two.clock.now = () => now
  return { one, two, advance: (ms) => { now += ms } }
}

t.test('who is told late of a new key knows it before it signs', async (t) => {
  const { one, two, advance } = await buildPair(t)
  const { kid } = await one.keyRing.rotate({ immediately: false }, {})
  const statuses: number[] = []
  const logInAndReadOnBoth = async (): Promise<void> => {
    for (const issuer of [one, two]) {
      const { access_token: token } = await logIn(issuer)
      for (const app of [one, two]) statuses.push((await readProfile(app, token)).statusCode)
    }
  }

  await logInAndReadOnBoth()
  advance(30_000)
  t.equal(two.keyRing.find(kid), undefined)
  await logInAndReadOnBoth()
  await two.keyRing.maintain()
  advance(PUBLISH_AHEAD_MS - 30_000)
  await logInAndReadOnBoth()

  t.strictSame(statuses, Array(12).fill(200))
  t.equal(one.keyRing.current().kid, kid)
  t.equal(two.keyRing.current().kid, kid)
})

t.test('a leaked key is dead in another process when that has looked', async (t) => {
  const { one, two } = await buildPair(t)
  const { access_token: token } = await logIn(one)
  t.equal((await readProfile(two, token)).statusCode, 200)
  await one.keyRing.rotate({ immediately: true }, {})

  await two.keyRing.maintain()

  await isRefused(t, one, token)
  await isRefused(t, two, token)
})

t.test('of two that find a key too old, one replaces it', async (t) => {
  const { one, two, advance } = await buildPair(t)
  advance(30 * 24 * 60 * 60 * 1000)

  await Promise.all([one.keyRing.maintain(), two.keyRing.maintain()])
  await Promise.all([one.keyRing.maintain(), two.keyRing.maintain()])

  t.equal((await one.signingKeys.list()).length, 2)
  t.strictSame(one.keyRing.trusted().map(({ kid }) => kid).toSorted(), two.keyRing.trusted().map(({ kid }) => kid).toSorted())
})

t.test('replicas with different SIGNING_ALG do not take turns in replacing the key', async (t) => {
  const { one, two } = await buildPair(t, { SIGNING_ALG: 'ES256' }, { SIGNING_ALG: 'EdDSA' })

  for (let round = 0; round < 3; round++) {
    await one.keyRing.maintain()
    await two.keyRing.maintain()
  }

  t.strictSame((await one.signingKeys.list()).map(({ alg }) => alg).toSorted(), ['ES256', 'EdDSA'])
})

async function firstLine (stream: Readable): Promise<string> {
  const lines = createInterface({ input: stream })
  const [line] = await once(lines, 'line')
  return line as string
}

t.test('four processes that start at once on nothing have one key and one secret', async (t) => {
  const { LATCHKEY_SECRET: _, ...env } = testEnv(t)
  const children: ChildProcess[] = Array.from({ length: 4 }, () => spawn(process.execPath, [FIRST_START], { env: childEnv(env), stdio: ['pipe', 'pipe', 'inherit'] }))
  t.teardown(() => { children.forEach((child) => { child.kill() }) })
  await Promise.all(children.map(async ({ stdout }) => { t.equal(await firstLine(stdout as Readable), 'loaded') }))
  const exits = children.map(async (child) => await once(child, 'exit'))

  const keySets = await Promise.all(children.map(async ({ stdin, stdout }) => {
    stdin?.write('go\n')
    return JSON.parse(await firstLine(stdout as Readable)) as { keys: Array<{ kid: string }> }
  }))

  t.strictSame(await Promise.all(exits), Array(4).fill([0, null]))
  t.equal(keySets[0]?.keys.length, 1)
  for (const keySet of keySets) t.strictSame(keySet, keySets[0])
  const after = await build(t, { ...env, LATCHKEY_SECRET: '' })
  t.equal((await after.signingKeys.list()).length, 1)
  t.equal(after.keyRing.current().kid, keySets[0]?.keys[0]?.kid)
})
