import t from 'tap'
import { auditEvents, build, createUser, FORM_HEADERS, JOHN, postForm, stopClock } from '../../helper.ts'
import { addresses, buildWithAda, HOUR, isSlowDown, PASSWORD, SECOND, tryFrom } from '../../throttles.ts'

const HERE = '203.0.113.9'
const WRONG = { ...JOHN, password: 'wrong' }

t.test('one address with a wrong password for each of a thousand accounts fails a hundred times in a minute', async (t) => {
  const { app, clock } = await buildWithAda(t)
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const statuses: number[] = []
  for (let index = 0; index < 1000; index++) statuses.push((await tryFrom(app, HERE, 'wrong', `user${index}`)).statusCode)

  t.strictSame(statuses, [...Array(100).fill(400), ...Array(900).fill(429)])
  t.equal(hashes().length, 100)
  t.match(await auditEvents(app, 'login_throttled'), [{ user_id: null, ip: HERE, details: '{"rule":"network"}' }])

  clock.advance(20 * SECOND)
  isSlowDown(t, await tryFrom(app, HERE, PASSWORD), 40)
  t.equal((await tryFrom(app, '203.0.113.10', PASSWORD)).statusCode, 200, 'others are served')
  clock.advance(40 * SECOND)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
})

t.test('the names that somebody tries fill the database for an hour and nothing else', async (t) => {
  const { app, clock } = await buildWithAda(t)
  const countRows = async (): Promise<number> => (await app.db.selectFrom('throttles').select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow()).rows
  for (const ip of addresses(700)) await tryFrom(app, ip, 'wrong', `user of ${ip}`)
  t.equal(await countRows(), 700 * 5)

  clock.advance(HOUR)
  await app.housekeeping.run()

  t.equal(await countRows(), 0)
})

const DIRECT = { 'x-real-ip': '198.51.100.2', forwarded: 'for=198.51.100.3', 'x-client-ip': '198.51.100.4', 'cf-connecting-ip': '198.51.100.5', 'true-client-ip': '198.51.100.6', x_forwarded_for: '198.51.100.7' }

const forgers = [
  { name: 'who names another address each time is seen as himself', trust: 'none', peer: HERE, claim: (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}` }) },
  { name: 'who is no trusted proxy is seen as himself', trust: '10.0.0.0/8', peer: HERE, claim: (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}` }) },
  { name: 'who claims an address through the gateway is seen as the gateway saw him', trust: '10.0.0.0/8', peer: '10.1.2.3', claim: (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}, 10.9.9.9, ${HERE}` }) },
  { name: 'other headers count for nothing', trust: '10.0.0.0/8', peer: HERE, claim: (index: number) => Object.fromEntries(Object.entries(DIRECT).map(([name, value]) => [name, `${value}${index}`])) },
  { name: 'text that is no address is one address', trust: '10.0.0.0/8', peer: '10.1.2.3', claim: (index: number) => ({ 'x-forwarded-for': `nowhere-${index}` }) }
]
for (const { name, trust, peer, claim } of forgers) {
  t.test(`by a forged address nobody gets more tries: ${name}`, async (t) => {
    const app = await build(t, { TRUST_PROXY: trust })
    stopClock(app)
    const statuses: number[] = []

    for (let index = 0; index < 8; index++) {
      const { statusCode } = await app.inject({ method: 'POST', url: '/token', remoteAddress: peer, headers: { ...FORM_HEADERS, ...claim(index) }, payload: new URLSearchParams(WRONG).toString() })
      statuses.push(statusCode)
    }

    t.strictSame(statuses, [400, 400, 400, 400, 400, 429, 429, 429])
  })
}

t.test('a thousand addresses of one IPv6 network are one, and an IPv4 address is one however it is written', async (t) => {
  const { app } = await buildWithAda(t)
  const six = Array.from({ length: 1000 }, (_, index) => `2001:db8:0:1:${index.toString(16)}::${index + 1}`)
  const four = ['198.51.100.1', '::ffff:198.51.100.1', '::ffff:c633:6401', '198.51.100.1', '::FFFF:198.51.100.1', '198.51.100.1']

  const fromSix = []
  for (const ip of six) fromSix.push((await tryFrom(app, ip)).statusCode)
  const fromFour = []
  for (const ip of four) fromFour.push((await tryFrom(app, ip, 'wrong', 'eve')).statusCode)

  t.strictSame(fromSix, [...Array(5).fill(400), ...Array(995).fill(429)])
  t.strictSame(fromFour, [400, 400, 400, 400, 400, 429])
  t.equal((await tryFrom(app, '2001:db8:0:2::1')).statusCode, 400)
})

t.test('what was sent wrongly is no failure, nor is the right password', async (t) => {
  const { app } = await buildWithAda(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  await createUser(app, { username: 'ben', password: PASSWORD, email: 'ben@example.com' })

  for (let count = 0; count < 10; count++) {
    t.equal((await postForm(app, '/token', { grant_type: 'password', username: 'ada' })).statusCode, 400)
    t.equal((await postForm(app, '/token', { ...JOHN, scope: 'users:write' })).json().error, 'invalid_scope')
    t.match((await tryFrom(app, '127.0.0.1', PASSWORD, 'ben')).json().error_description, /^Verify your e-mail/)
  }

  t.strictSame(await app.db.selectFrom('throttles').selectAll().execute(), [])
})
