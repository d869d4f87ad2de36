import t, { type Test } from 'tap'
import { BATCH, createExpiry } from '../../plugins/data/expiry.ts'
import { FORGET_NETWORK_MS } from '../../plugins/data/known-networks.ts'
import { engines, type Engine } from './engines.ts'
import { HOUR, openRepositories, START } from './repositories.ts'

async function openExpiry (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, clock } = repositories
  const countRows = async (table: 'throttles' | 'known_networks') =>
    (await db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow()).rows
  return { ...repositories, countRows, expiry: createExpiry(db, clock, { auditRetentionMs: HOUR }) }
}

const nameOf = (index: number): string => String(index).padStart(6, '0')

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Counts go when they are forgotten', async (t) => {
      const { db, clock, expiry, throttles, throttleKeys, countRows } = await openExpiry(t, engine)
      await throttles.count(db, throttleKeys.ofMailNetwork('192.0.2.1'))
      clock.at += 1
      await throttles.count(db, throttleKeys.ofMailNetwork('192.0.2.2'))

      clock.at = START + HOUR - 1
      t.equal(await expiry.throttles(''), undefined)
      t.equal(await countRows('throttles'), 2)
      clock.at += 1
      t.equal(await expiry.throttles(''), undefined)
      t.match(await db.selectFrom('throttles').selectAll().execute(), [{ network: '192.0.2.2' }])
    })

    t.test('Networks go when they were not used for long', async (t) => {
      const { db, clock, expiry, ada, knownNetworks, countRows } = await openExpiry(t, engine)
      const { id } = await ada()
      await knownNetworks.add(db, id, '192.0.2.1')
      clock.at += 1
      await knownNetworks.add(db, id, '192.0.2.2')

      clock.at = START + FORGET_NETWORK_MS - 1
      t.equal(await expiry.knownNetworks(''), undefined)
      t.equal(await countRows('known_networks'), 2)
      clock.at += 1
      t.equal(await expiry.knownNetworks(''), undefined)
      t.match(await db.selectFrom('known_networks').selectAll().execute(), [{ network: '192.0.2.2' }])
    })

    t.test('Many of them go in batches', async (t) => {
      const { db, clock, expiry, ada, countRows } = await openExpiry(t, engine)
      const { id: userId } = await ada()
      for (const part of [0, 300]) {
        const names = Array.from({ length: 300 }, (_, index) => nameOf(part + index))
        await db.insertInto('throttles').values(names.map((key) => ({ key, rule: 'network', user_id: null, network: null, failures: 1, anchored_at: START, expires_at: START }))).execute()
        await db.insertInto('known_networks').values(names.map((network) => ({ user_id: userId, network, last_login_at: START }))).execute()
      }
      clock.at += FORGET_NETWORK_MS

      t.strictSame([await expiry.throttles(''), await expiry.knownNetworks('')], ['', ''])
      t.strictSame([await countRows('throttles'), await countRows('known_networks')], [600 - BATCH, 600 - BATCH])
      t.strictSame([await expiry.throttles(''), await expiry.knownNetworks('')], [undefined, undefined])
      t.strictSame([await countRows('throttles'), await countRows('known_networks')], [0, 0])
    })
  })
}
