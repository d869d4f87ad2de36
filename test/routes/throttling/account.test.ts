import t from 'tap'
import { auditEvents, logIn } from '../../helper.ts'
import { mailToken, NEW_PASSWORD, reset } from '../../mailed-links.ts'
import { addresses, buildWithAda, failFrom, HOUR, isSlowDown, MINUTE, PASSWORD, SECOND, tryFrom } from '../../throttles.ts'

const HERE = '203.0.113.9'
const DAY = 24 * HOUR
const LOGIN = { grant_type: 'password', username: 'ada', password: PASSWORD }

t.test('of wrong passwords from a hundred addresses twenty are checked, and then one in 45 seconds', async (t) => {
  const { app, clock } = await buildWithAda(t)
  const statuses: number[] = []
  for (const ip of addresses(101)) statuses.push((await tryFrom(app, ip)).statusCode)

  t.strictSame(statuses, [...Array(20).fill(400), ...Array(81).fill(429)])
  isSlowDown(t, await tryFrom(app, HERE, PASSWORD), 45)
  clock.advance(45 * SECOND)
  t.strictSame(await failFrom(app, HERE, 2), [400, 429])
  t.match(await auditEvents(app, 'login_throttled'), [{ details: '{"rule":"account"}' }])
})

t.test('a thousand networks that guess for hours get a hundred guesses in each, whatever they call the user', async (t) => {
  const { app, clock } = await buildWithAda(t)
  const networks = addresses(1000)
  const names = ['ada', 'ada@example.com', 'ADA', ' ada', 'ａｄａ', 'Ada@EXAMPLE.com']
  const HOURS = 2

  for (let minute = 0; minute < 60 * HOURS; minute++) {
    for (let count = 0; count < 8; count++) {
      const index = minute * 8 + count
      await tryFrom(app, networks[index % 1000] as string, 'wrong', names[index % names.length])
    }
    clock.advance(MINUTE)
  }

  const guesses = (await auditEvents(app, 'login')).filter(({ details }) => !details?.includes('held_up_by'))
  const mostInAnHour = Math.max(...guesses.map(({ at: from }) => guesses.filter(({ at }) => at >= from && at < from + HOUR).length))
  t.ok(mostInAnHour <= 100, `${mostInAnHour} in an hour`)
  t.ok(guesses.length > 60 * HOURS)
})

t.test('an owner who logged in from there before is not held up by a thousand guesses of strangers', async (t) => {
  const { app, clock } = await buildWithAda(t)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)

  for (const ip of addresses(1000)) await tryFrom(app, ip)

  isSlowDown(t, await tryFrom(app, '203.0.113.10', PASSWORD), 45)
  for (const username of ['ada', 'ada@example.com', 'ADA']) t.equal((await tryFrom(app, HERE, PASSWORD, username)).statusCode, 200)
  t.strictSame(await failFrom(app, HERE, 6), [400, 400, 400, 400, 400, 429], 'what happens there is counted there')
  clock.advance(SECOND)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
})

t.test('a network stays known for 90 days after its last log-in', async (t) => {
  const { app, clock } = await buildWithAda(t)
  const attack = async () => { for (const ip of addresses(21)) await tryFrom(app, ip) }
  await tryFrom(app, HERE, PASSWORD)
  clock.advance(60 * DAY)
  await tryFrom(app, HERE, PASSWORD)

  clock.advance(90 * DAY - 1)
  await attack()
  t.equal((await tryFrom(app, '203.0.113.10', PASSWORD)).statusCode, 429)
  clock.advance(1)
  await attack()

  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 429)
})

t.test('failures from a known network are not counted with those of strangers', async (t) => {
  const { app, clock } = await buildWithAda(t)
  await tryFrom(app, HERE, PASSWORD)
  for (let count = 0; count < 25; count++) {
    await tryFrom(app, HERE)
    clock.advance(15 * MINUTE)
  }

  t.equal((await tryFrom(app, '203.0.113.10', PASSWORD)).statusCode, 200)
})

t.test('a log-in of a known network, without failures, writes nothing about networks until the next day', async (t) => {
  const { app, clock, id } = await buildWithAda(t)
  await tryFrom(app, HERE, PASSWORD)
  const added = t.capture(app.knownNetworks, 'add', app.knownNetworks.add)
  const counted = t.capture(app.throttles, 'countFailure', app.throttles.countFailure)

  clock.advance(DAY - 1)
  await tryFrom(app, HERE, PASSWORD)
  t.equal(added().length, 0)
  clock.advance(1)
  await tryFrom(app, HERE, PASSWORD)

  t.match(added().map(({ args }) => args.slice(1)), [[id, HERE]])
  t.equal(counted().length, 0)
})

t.test('a log-in does not make the guesses of strangers forgotten', async (t) => {
  const { app } = await buildWithAda(t)
  for (const ip of addresses(19)) await tryFrom(app, ip)

  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)

  t.strictSame([await failFrom(app, '203.0.113.10', 1), await failFrom(app, '203.0.113.11', 1)], [[400], [429]])
})

t.test('an owner who is held up everywhere gets in a while after the attack', async (t) => {
  const { app, clock } = await buildWithAda(t)
  for (const ip of addresses(200)) await tryFrom(app, ip)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 429)

  clock.advance(45 * SECOND)

  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
})

t.test('a mailed link makes all failures forgotten', async (t) => {
  const { app } = await buildWithAda(t)
  await failFrom(app, '127.0.0.1', 6)
  await failFrom(app, HERE, 6)
  isSlowDown(t, await tryFrom(app, '127.0.0.1', PASSWORD), 1)

  t.equal((await reset(app, await mailToken(app, 'password_reset'))).statusCode, 204)

  t.ok(await logIn(app, { ...LOGIN, password: NEW_PASSWORD }))
  t.equal((await tryFrom(app, HERE, NEW_PASSWORD)).statusCode, 200)
})

t.test('whoever uses a mailed link is not held up there by strangers who go on', async (t) => {
  const { app } = await buildWithAda(t)
  const token = await mailToken(app, 'password_reset')

  t.equal((await reset(app, token)).statusCode, 204)
  for (const ip of addresses(200)) await tryFrom(app, ip)

  isSlowDown(t, await tryFrom(app, HERE, NEW_PASSWORD), 45)
  t.ok(await logIn(app, { ...LOGIN, password: NEW_PASSWORD }))
})
