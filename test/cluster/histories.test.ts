import { randomInt } from 'node:crypto'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../lib/config.ts'
import { HEARD_FOR_MS } from '../../lib/database/postgres-listener.ts'
import { testEnv, type Env } from '../helper.ts'
import { startProxy } from '../postgres-proxy.ts'
import { emptySchema, query } from '../postgres.ts'
import { BEHIND_PROXY, forgetCounts } from '../throttles.ts'
import { findFaults } from './history/check.ts'
import { cut, freeze, kill, suspend } from './history/nemesis.ts'
import { describe, type Operation } from './history/operation.ts'
import { makeHistory, setScene } from './history/run.ts'
import type { Asked, Scene } from './history/scene.ts'
import { canRunPair, createUsers, PASSWORD, startPair, startReplica, type Replica } from './pair.ts'

const USERNAMES = ['ada', 'bob', 'eve', 'joe', 'sam']
const LINK_LIFETIME_MS = 3_600_000
// What clients choose is the same again with the same seed; who comes first is not.
const SEED = Number(process.env.HISTORY_SEED ?? randomInt(2 ** 31))

// tap ends the file then, on a machine however slow: nothing waits for it.
t.setTimeout(300_000)

const asked = ({ url }: Replica, name: string): Asked => ({ name, url, inFlight: 0, isDown: false })

/** Stands for the mails and the hour that passes: on the database itself, past what is done to the replicas. */
async function openBackstage (t: Test, env: Env): Promise<Pick<Scene, 'mailLink' | 'forgetCounts'>> {
  const app = await buildApp(loadConfig(env), pino({ level: 'silent' }))
  t.teardown(async () => { await app.close() })
  return {
    // A replica that is suspended may hold them.
    forgetCounts: async () => await forgetCounts(app).then(() => true, () => false),
    mailLink: async (username) => await app.db.transaction().execute(async (tx) => {
      // Taken, so that no other password comes between.
      const user = await tx.updateTable('users').set(({ ref }) => ({ password_version: ref('password_version') }))
        .where('username', '=', username).returning(['id', 'password_version']).executeTakeFirstOrThrow()
      return await app.oneTimeTokens.issue(tx, 'password_reset', { userId: user.id, email: null, passwordVersion: user.password_version }, LINK_LIFETIME_MS)
    })
  }
}

function checkHistory (t: Test, history: Operation[], heardWithinMs: number): void {
  const counts: Record<string, Operation[] | undefined> = Object.groupBy(history, ({ act, outcome }) => `${act.kind}: ${outcome}`)
  t.comment(Object.entries(counts).map(([what, operations]) => `${what} ${operations?.length}`).join(', '))

  const faults = findFaults(history, { password: PASSWORD, heardWithinMs })
  t.strictSame(faults, [], 'every answer is explained')
  if (faults.length > 0) history.forEach((operation) => { t.comment(describe(operation)) })
  for (const kind of ['log in', 'use session', 'refresh', 'revoke']) t.ok(counts[`${kind}: ok`], kind)
}

if (await canRunPair(t)) {
  const url = await emptySchema(t)
  const [firstProxy, secondProxy] = [await startProxy(t, url), await startProxy(t, url)]
  const pair = await startPair(t, { databaseUrl: firstProxy.url, secondDatabaseUrl: async () => secondProxy.url })
  const { one, two } = pair
  const backstage = await openBackstage(t, { ...pair.env, DATABASE_URL: url })

  /** Of users who are new. */
  async function openScene (usernames: string[]): Promise<Scene> {
    await createUsers(pair, usernames.map((username) => ({ username })))
    return setScene({ ...backstage, replicas: [asked(one, 'one'), asked(two, 'two')] }, usernames, PASSWORD)
  }

  t.test(`Two replicas that are killed, suspended and cut off answer as one would that never is (HISTORY_SEED=${SEED})`, async (t) => {
    const scene = await openScene(USERNAMES)
    const [askedOne, askedTwo] = scene.replicas as [Asked, Asked]
    const faults = [
      kill(one, askedOne), suspend(one, askedOne), cut(firstProxy), freeze(firstProxy, askedOne),
      kill(two, askedTwo), suspend(two, askedTwo), cut(secondProxy), freeze(secondProxy, askedTwo)
    ]

    const history = await makeHistory(scene, { seed: SEED, faults, heardWithinMs: HEARD_FOR_MS })

    checkHistory(t, history, HEARD_FOR_MS)
  })

  t.test(`Two replicas that do not hear of each other are found out (HISTORY_SEED=${SEED})`, async (t) => {
    const scene = await openScene(USERNAMES.map((username) => `${username}-too`))
    await query(url, 'drop function announce_change cascade')

    const history = await makeHistory(scene, { seed: SEED, faults: scene.replicas.map((lastsAt) => ({ begin: () => {}, lastsAt })), heardWithinMs: HEARD_FOR_MS })

    t.match(findFaults(history, { password: PASSWORD, heardWithinMs: HEARD_FOR_MS }).join(), /"use session"/)
  })
}

t.test(`A server on SQLite that crashes answers as one would that never does (HISTORY_SEED=${SEED})`, async (t) => {
  const env = testEnv(t, { ...BEHIND_PROXY, REFRESH_GRACE: '300' })
  const server = await startReplica(t, env, '127.0.0.2')
  await createUsers({ env }, USERNAMES.map((username) => ({ username })))
  const replica = asked(server, 'the server')
  const scene = setScene({ ...await openBackstage(t, env), replicas: [replica] }, USERNAMES, PASSWORD)
  const crash = kill(server, replica)

  const history = await makeHistory(scene, { seed: SEED, faults: [crash, crash, crash], heardWithinMs: 0 })

  checkHistory(t, history, 0)
})
