import * as argon2 from '@node-rs/argon2'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import config from '../../../plugins/support/config.ts'
import { build, testConfig, type Env } from '../../helper.ts'

type Library = Pick<typeof argon2, 'hash' | 'verify'>

/** The plugin on a library that the test watches. */
async function buildOn (t: Test, library: Library, env: Env = {}): Promise<FastifyInstance> {
  const { default: passwordHasher } = await t.mockImport<typeof import('../../../plugins/security/password-hasher.ts')>(
    '../../../plugins/security/password-hasher.ts', { '@node-rs/argon2': library })
  const fastify = Fastify()
  t.teardown(async () => { await fastify.close() })
  await fastify.register(config, { app: { config: testConfig(t, env) } })
  await fastify.register(passwordHasher)
  return fastify
}

/** The real library, and what it was asked for. */
function watch (): Library & { verified: Array<{ stored: string, password: string }>, hashed: Array<argon2.Options | null | undefined> } {
  const verified: Array<{ stored: string, password: string }> = []
  const hashed: Array<argon2.Options | null | undefined> = []
  return {
    verified,
    hashed,
    hash: async (password, options) => {
      hashed.push(options)
      return await argon2.hash(password, options)
    },
    verify: async (stored, password) => {
      verified.push({ stored: String(stored), password: String(password) })
      return await argon2.verify(stored, password)
    }
  }
}

t.test('hash makes argon2id hashes with the current settings, each with a salt of its own', async (t) => {
  const app = await build(t, { ARGON2_MEMORY_KIB: '32', ARGON2_TIME_COST: '3', ARGON2_PARALLELISM: '2' })

  const [first, second] = [await app.passwordHasher.hash('correct horse'), await app.passwordHasher.hash('correct horse')]

  for (const made of [first, second]) {
    t.match(made, /^\$argon2id\$v=19\$m=32,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    t.equal(await app.passwordHasher.verify(made, 'correct horse'), true)
    t.equal(await app.passwordHasher.verify(made, 'correct horsf'), false)
  }
  t.not(first.split('$')[4], second.split('$')[4])
})

t.test('verify costs one hash', async (t) => {
  const CURRENT = /^\$argon2id\$v=19\$m=24,t=2,p=1\$/
  const stored = await argon2.hash('correct horse', { algorithm: 2, memoryCost: 16, timeCost: 1, parallelism: 1 })
  const costs = [
    { name: 'as it is stored for a user who has one, and what is missing to the current settings', stored, hash: stored, more: [{ memoryCost: 16, timeCost: 2 }] },
    { name: 'with the current settings for nobody', stored: null, hash: CURRENT },
    { name: 'with the current settings for a malformed hash', stored: '$argon2id$', hash: CURRENT },
    { name: 'with the current settings for no text', stored: '', hash: CURRENT },
    { name: 'with the current settings for a hash that would take all memory', stored: stored.replace('m=16', 'm=4294967295'), hash: CURRENT }
  ]
  for (const { name, stored, hash, more = [] } of costs) {
    for (const password of ['wrong', '', '\ud800', 'x'.repeat(100_000)]) {
      t.test(`${name}, whatever the password: ${JSON.stringify(password.slice(0, 5))}`, async (t) => {
        const library = watch()
        const app = await buildOn(t, library, { ARGON2_MEMORY_KIB: '24', ARGON2_TIME_COST: '2' })

        const matches = await app.passwordHasher.verify(stored, password)

        t.equal(matches, false)
        t.match(library.verified, [{ stored: hash }])
        t.equal(library.verified.length, 1)
        t.match(library.hashed.slice(1), more)
        t.equal(library.hashed.length, 1 + more.length, 'the first stands in for none')
      })
    }
  }
})

t.test('the right password costs what is stored, however cheap it is', async (t) => {
  const library = watch()
  const app = await buildOn(t, library, { ARGON2_MEMORY_KIB: '24', ARGON2_TIME_COST: '2' })
  const stored = await argon2.hash('correct horse', { algorithm: 2, memoryCost: 16, timeCost: 1, parallelism: 1 })

  t.equal(await app.passwordHasher.verify(stored, 'correct horse'), true)

  t.equal(library.hashed.length, 1)
})

t.test('verify says no even if the hash that stands in for none happens to match', async (t) => {
  const app = await buildOn(t, { hash: argon2.hash, verify: async () => true })

  t.equal(await app.passwordHasher.verify(null, 'correct horse'), false)
  t.equal(await app.passwordHasher.verify('$argon2id$', 'correct horse'), false)
})

t.test('the hash that stands in for none is another one in each process', async (t) => {
  const libraries = [watch(), watch()]
  for (const library of libraries) {
    const app = await buildOn(t, library)
    await app.passwordHasher.verify(null, 'x')
  }

  const [first, second] = libraries.map(({ verified }) => verified[0]?.stored)

  t.ok(first)
  t.not(first, second)
})

t.test('verify compares Unicode texts and not their spellings', async (t) => {
  const app = await build(t)
  const stored = await app.passwordHasher.hash('crème brûlée'.normalize('NFC'))

  t.equal(await app.passwordHasher.verify(stored, 'crème brûlée'.normalize('NFD')), true)
  t.equal(await app.passwordHasher.verify(stored, 'creme brulee'), false)
})

t.test('verify takes nothing for a password that can be none', async (t) => {
  const app = await build(t)
  const impossible = [
    { name: 'a lone surrogate for the character that replaces it', real: '\ufffd', sent: '\ud800' },
    { name: 'a lone surrogate for another one', real: '\ud801', sent: '\ud800' },
    { name: 'a lone surrogate for no text', real: '', sent: '\ud800' },
    { name: 'too long a text for no text', real: '', sent: 'x'.repeat(257) },
    { name: 'too long a text for itself', real: 'x'.repeat(257), sent: 'x'.repeat(257) },
    { name: 'the part before NUL for the whole', real: 'secret\0more', sent: 'secret' },
    { name: 'the whole for the part before NUL', real: 'secret', sent: 'secret\0more' }
  ]
  for (const { name, real, sent } of impossible) {
    t.test(name, async (t) => {
      const stored = await app.passwordHasher.hash(real)

      t.equal(await app.passwordHasher.verify(stored, sent), false)
    })
  }
})

t.test('isOutdated tells', async (t) => {
  const app = await build(t, { ARGON2_MEMORY_KIB: '16', ARGON2_TIME_COST: '2' })
  const current = { algorithm: 2, memoryCost: 16, timeCost: 2, parallelism: 1 }
  const settings = [
    { name: 'a hash with the current settings', settings: current, outdated: false },
    { name: 'one with less memory', settings: { ...current, memoryCost: 8 }, outdated: true },
    { name: 'one with more memory', settings: { ...current, memoryCost: 32 }, outdated: true },
    { name: 'one with another number of passes', settings: { ...current, timeCost: 1 }, outdated: true },
    { name: 'one of another kind', settings: { ...current, algorithm: 1 }, outdated: true }
  ]
  for (const { name, settings: made, outdated } of settings) {
    t.test(`${outdated ? 'true' : 'false'} for ${name}`, async (t) => {
      t.equal(app.passwordHasher.isOutdated(await argon2.hash('x', made)), outdated)
    })
  }

  t.test('false for what is no hash', async (t) => {
    t.equal(app.passwordHasher.isOutdated('$argon2id$'), false)
  })
})

const handed = [
  { name: 'where there are as many threads, one more waits for a thread', threads: '2', most: 3 },
  { name: 'where there are fewer threads, one more than these', threads: '1', most: 2 },
  { name: 'where there are more threads, no more than may run', threads: '3', most: 2 }
]
for (const { name, threads, most } of handed) {
  t.test(`of the hashes that wait ${most} are begun if two may run: ${name}`, async (t) => {
    const seen: number[] = []
    let begun = 0
    const count = <Result>(work: (...args: never[]) => Promise<Result>) => async (...args: unknown[]): Promise<Result> => {
      seen.push(++begun)
      return await work(...args as never[]).finally(() => { begun-- })
    }
    const app = await buildOn(t, { hash: count(argon2.hash), verify: count(argon2.verify) }, { HASH_CONCURRENCY: '2', UV_THREADPOOL_SIZE: threads, HASH_QUEUE_MS: '60000' })

    await Promise.all(Array.from({ length: 10 }, async (_, index) => index % 2 === 0 ? await app.passwordHasher.hash('x') : await app.passwordHasher.verify(null, 'x')))

    t.equal(Math.max(...seen), most)
    t.equal(begun, 0)
  })
}

t.test('who would wait too long is sent away before any work', async (t) => {
  const library = watch()
  const app = await buildOn(t, library, { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0' })

  const [first, ...others] = await Promise.allSettled([
    app.passwordHasher.verify(null, 'first'),
    app.passwordHasher.verify(null, 'second'),
    app.passwordHasher.hash('third')
  ])

  t.match(first, { status: 'fulfilled', value: false })
  t.match(others, Array(2).fill({ status: 'rejected', reason: { statusCode: 503, code: 'temporarily_unavailable', headers: { 'retry-after': '1' } } }))
  t.strictSame(library.verified.map(({ password }) => password), ['first'])
})
