import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START, storedKey } from './repositories.ts'

const always = { isWanted: () => true, revokeOthers: false }
const ifFirst = { isWanted: (keys: unknown[]) => keys.length === 0, revokeOthers: false }

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A key comes back as it was stored', async (t) => {
      const { signingKeys, events } = await openRepositories(t, engine)
      const key = storedKey('one', { alg: 'EdDSA', createdAt: START - 1, activatesAt: START + 1, revokedAt: START + 2 })

      t.same(await signingKeys.list(), [])
      t.equal(await signingKeys.add(key, always, CONTEXT), true)

      t.strictSame(await signingKeys.list(), [key])
      t.same(await events(), [event('signing_key_rotated', { ...FROM_REQUEST, details: '{"kid":"one","alg":"EdDSA"}' })])
    })

    t.test('Whether a key is wanted is decided by the keys that are there then', async (t) => {
      const { signingKeys, events } = await openRepositories(t, engine)
      const seen: unknown[] = []
      await signingKeys.add(storedKey('one'), always, {})

      const added = await signingKeys.add(storedKey('two'), { isWanted: (keys) => { seen.push(...keys); return false }, revokeOthers: true }, {})

      t.equal(added, false)
      t.same(seen, [storedKey('one')])
      t.same(await signingKeys.list(), [storedKey('one')], 'nothing is revoked either')
      t.equal((await events()).length, 1)
    })

    t.test('Of parallel processes that each want the first key one has it', async (t) => {
      const { signingKeys, events } = await openRepositories(t, engine)

      const answers = await Promise.all(Array.from({ length: 20 }, async (_, index) => await signingKeys.add(storedKey(`key ${index}`), ifFirst, {})))

      t.equal(answers.filter(Boolean).length, 1)
      t.equal((await signingKeys.list()).length, 1)
      t.equal((await events()).length, 1)
    })

    t.test('A key can be the only one from now on', async (t) => {
      const { signingKeys, clock } = await openRepositories(t, engine)
      await signingKeys.add(storedKey('long ago', { revokedAt: START - 5 }), always, {})
      await signingKeys.add(storedKey('leaked'), always, {})
      await signingKeys.add(storedKey('next', { activatesAt: START + 1000 }), always, {})
      clock.at += 5

      await signingKeys.add(storedKey('new'), { isWanted: () => true, revokeOthers: true }, {})

      const keys = await signingKeys.list()
      t.same(new Map(keys.map(({ kid, revokedAt }) => [kid, revokedAt])), new Map([
        ['long ago', START - 5], ['leaked', START + 5], ['next', START + 5], ['new', null]
      ]))
    })

    t.test('A key that can not be stored revokes no other and is not told of', async (t) => {
      const { signingKeys, events } = await openRepositories(t, engine)
      await signingKeys.add(storedKey('one'), always, {})

      await t.rejects(signingKeys.add(storedKey('one'), { isWanted: () => true, revokeOthers: true }, {}))

      t.same(await signingKeys.list(), [storedKey('one')])
      t.equal((await events()).length, 1)
    })

    t.test('A key is stored under another encryption, and nothing else changes', async (t) => {
      const { signingKeys, events } = await openRepositories(t, engine)
      await signingKeys.add(storedKey('one'), always, {})
      await signingKeys.add(storedKey('two'), always, {})

      await signingKeys.reseal('one', 'sealed anew')

      const keys = await signingKeys.list()
      t.same(keys.toSorted((a, b) => a.kid.localeCompare(b.kid)), [storedKey('one', { privateKey: 'sealed anew' }), storedKey('two')])
      t.equal((await events()).length, 2)
    })
  })
}
