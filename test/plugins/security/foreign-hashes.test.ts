import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import config from '../../../plugins/support/config.ts'
import { testConfig, type Env } from '../../helper.ts'

const PASSWORD = 'correct horse battery'
const STORED = '$2b$10$hK.B7ed9dMyyqET7.tUkLOEZurBNBBl8y00npvB8BXL71xZxbjXdy'
const CURRENT = '$argon2id$v=19$m=24,t=2,p=1$'

/** The hasher, and what its libraries were asked to verify, in order. */
async function watch (t: Test, env: Env = {}) {
  const work: string[] = []
  let running = 0
  let most = 0
  const record = <Result>(verify: (password: string, hash: string) => Promise<Result>) => async (password: string, hash: string): Promise<Result> => {
    work.push(`${hash.slice(0, CURRENT.length)} ${password}`)
    most = Math.max(most, ++running)
    return await verify(password, hash).finally(() => { running-- })
  }
  const { default: passwordHasher } = await t.mockImport<typeof import('../../../plugins/security/password-hasher.ts')>('../../../plugins/security/password-hasher.ts', {
    '@node-rs/argon2': { hash: argon2.hash, verify: async (hash: string, password: string) => await record(async () => await argon2.verify(hash, password))(password, hash) },
    '@node-rs/bcrypt': { verify: record(async (password, hash) => await bcrypt.verify(password, hash)) }
  })
  const fastify = Fastify()
  t.teardown(async () => { await fastify.close() })
  await fastify.register(config, { app: { config: testConfig(t, { ARGON2_MEMORY_KIB: '24', ARGON2_TIME_COST: '2', ...env }) } })
  await fastify.register(passwordHasher)
  return { hasher: fastify.passwordHasher, work, most: () => most }
}

const foreign = (password: string): string => `${STORED.slice(0, CURRENT.length)} ${password}`
const own = (password: string): string => `${CURRENT} ${password}`

t.test('verify of a hash that another program made', async (t) => {
  t.test('costs that hash for the right password', async (t) => {
    const { hasher, work } = await watch(t)

    t.equal(await hasher.verify(STORED, PASSWORD), true)

    t.same(work, [foreign(PASSWORD)])
  })

  t.test('costs one of ours too for a wrong one, because some cost nothing', async (t) => {
    const { hasher, work } = await watch(t)

    t.equal(await hasher.verify(STORED, 'wrong'), false)

    t.same(work, [foreign('wrong'), own('wrong')])
  })

  for (const [name, password] of [['a lone surrogate', '\ud800'], ['too long a text', 'x'.repeat(257)]] as const) {
    t.test(`costs as much for what can be nobody's password: ${name}`, async (t) => {
      const { hasher, work } = await watch(t)

      t.equal(await hasher.verify(STORED, password), false)

      t.same(work, [foreign(''), own('')])
    })
  }

  t.test('takes no text too long for a password, even where the other program did', async (t) => {
    const { hasher } = await watch(t)

    t.equal(await hasher.verify(await bcrypt.hash('x'.repeat(257), 4), 'x'.repeat(257)), false)
    t.equal(await hasher.verify(await bcrypt.hash('', 4), 'x'.repeat(257)), false)
  })

  t.test('waits in the same queue as our own', async (t) => {
    const { hasher, most } = await watch(t, { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '60000' })

    await Promise.all([hasher.verify(STORED, PASSWORD), hasher.verify(null, PASSWORD), hasher.verify(STORED, 'wrong')])

    t.equal(most(), 1)
  })
})

t.test('isOutdated is true for every hash that another program made', async (t) => {
  const { hasher } = await watch(t)

  t.equal(hasher.isOutdated(STORED), true)
  t.equal(hasher.isOutdated('{SSHA}UcdUQsRcGTLQde7SQ+ufD6YZhPtWeh2Z'), true)
  t.equal(hasher.isOutdated('$P$BH8Coj/g/hej.l3ZT7HvSgiFN17GEv0'), true)
})
