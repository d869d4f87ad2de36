import t, { type Test } from 'tap'
import { CHANNEL, createListener, type Listener } from '../../../lib/database/postgres-listener.ts'
import { startProxy, type PostgresProxy } from '../../postgres-proxy.ts'
import { needsPostgres, query, TEST_DATABASE_URL, until, withClient } from '../../postgres.ts'

const SCHEMA = 'mine'

interface Scene {
  listener: Listener
  /** Of whom changes were announced; `everybody` stands for all. */
  announced: string[]
  turns: boolean[]
  clock: { offset: number }
}

function open (t: Test, url: string): Scene {
  const turns: boolean[] = []
  const announced: string[] = []
  const clock = { offset: 0 }
  const listener = createListener(url, { schema: SCHEMA, now: () => performance.now() + clock.offset, onTurn: (isHeard) => { turns.push(isHeard) } })
  listener.subscribe((userId = 'everybody') => { announced.push(userId) })
  t.teardown(listener.stop)
  return { listener, announced, turns, clock }
}

async function openByProxy (t: Test): Promise<Scene & { proxy: PostgresProxy }> {
  const proxy = await startProxy(t, TEST_DATABASE_URL)
  const scene = open(t, proxy.url)
  await scene.listener.start()
  return { ...scene, proxy }
}

async function notify (user: string | null, schema = SCHEMA): Promise<void> {
  await query(TEST_DATABASE_URL, 'select pg_notify($1, $2)', [CHANNEL, JSON.stringify({ schema, user })])
}

if (await needsPostgres(t)) {
  t.test('Changes are heard from the start on', async (t) => {
    const { listener, announced, turns } = open(t, TEST_DATABASE_URL)

    t.notOk(listener.isHeard())
    await listener.start()

    t.ok(listener.isHeard())
    t.strictSame([announced, turns], [['everybody'], [true]])
  })

  t.test('That changes are heard is told once', async (t) => {
    const { turns, proxy } = await openByProxy(t)
    const signsOfLife = (): number => proxy.sent().split('select').length

    t.ok(await until(() => signsOfLife() > 3))

    t.strictSame(turns, [true])
  })

  t.test('A change is announced with its user, and those of other schemas are not', async (t) => {
    const { listener, announced } = open(t, TEST_DATABASE_URL)
    await listener.start()

    await notify('ben', 'another')
    await notify('ada')
    await notify(null)

    t.ok(await until(() => announced.length === 3))
    t.strictSame(announced, ['everybody', 'ada', 'everybody'])
  })

  t.test('What is no change is not heard', async (t) => {
    const { announced, listener } = open(t, TEST_DATABASE_URL)
    await listener.start()

    for (const payload of ['', 'no JSON', 'null', '7', '{}']) await query(TEST_DATABASE_URL, 'select pg_notify($1, $2)', [CHANNEL, payload])
    await notify('ada')

    t.ok(await until(() => announced.includes('ada')))
    t.strictSame(announced, ['everybody', 'ada'])
  })

  t.test('A connection that hears too is told of its own change before the commit resolves', async (t) => {
    const { listener, announced } = open(t, TEST_DATABASE_URL)
    await withClient(TEST_DATABASE_URL, async (client) => {
      await listener.hear(client)

      await client.query(`select pg_notify('${CHANNEL}', '{"schema":"${SCHEMA}","user":"ada"}')`)

      t.strictSame(announced, ['ada'])
    })
  })

  t.test('When the connection is cut, changes are not heard until there is another, and all may have changed meanwhile', async (t) => {
    const { listener, announced, turns, proxy } = await openByProxy(t)

    proxy.cut()
    t.ok(await until(() => !listener.isHeard()))
    await notify('ada')
    t.ok(await until(() => listener.isHeard()))

    t.strictSame(announced, ['everybody', 'everybody'])
    t.strictSame(turns, [true, false, true])
    await notify('ada')
    t.ok(await until(() => announced.length === 3))
  })

  t.test('A connection through which nothing comes any more is not believed', async (t) => {
    const { listener, announced, proxy } = await openByProxy(t)

    proxy.freeze()
    await notify('ada')
    t.ok(await until(() => !listener.isHeard()))
    proxy.thaw()

    t.ok(await until(() => listener.isHeard()))
    t.ok(announced.length > 1, 'and what happened meanwhile is announced')
  })

  t.test('A sign of life is good for a second', async (t) => {
    const { listener, clock, proxy } = await openByProxy(t)
    proxy.freeze() // no other comes

    t.ok(listener.isHeard())
    clock.offset = 1000
    t.notOk(listener.isHeard())
  })

  t.test('Where nobody answers the start goes on without, and stops at once', async (t) => {
    const { listener, turns } = open(t, 'postgres://127.0.0.1:1/nowhere')

    await listener.start()

    t.notOk(listener.isHeard())
    t.strictSame(turns, [])
    await listener.stop()
  })

  t.test('After the stop nothing is heard', async (t) => {
    const { listener, announced, turns } = open(t, TEST_DATABASE_URL)
    await listener.start()

    await listener.stop()
    await notify('ada')

    t.notOk(listener.isHeard())
    t.strictSame([announced, turns], [['everybody'], [true]])
  })
}
