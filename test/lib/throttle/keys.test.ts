import t from 'tap'
import { createThrottleKeys } from '../../../lib/throttle/keys.ts'
import { createVault } from '../../../lib/vault.ts'
import { SECRET } from '../../helper.ts'

const keys = createThrottleKeys(createVault([SECRET]).pseudonym)
const plain = createThrottleKeys((text) => text)

const of = (identifier: string, userId?: string, network = '192.0.2.1') => keys.ofApplicant({ identifier, userId, network })
const namesOf = (identifier: string): string[] => of(identifier).map(({ key }) => key)

const spellings = [
  { name: 'a username', same: ['user', 'USER', 'user ', ' User\t', '\u3000user', 'ｕｓｅｒ', 'ＵＳＥＲ'] },
  { name: 'an address', same: ['user@example.com', 'USER@Example.COM', 'user@EXAMPLE.com ', '\u00A0user@example.com', 'user@ｅxample.com', 'user＠example.com'] },
  { name: 'what nobody can have', same: ['no such name!', 'NO SUCH NAME!', ' no such name! ', 'ｎo such name!'] },
  { name: 'an empty name', same: ['', ' ', '\r\n'] }
]
for (const { name, same } of spellings) {
  t.test(`${name} is counted once, however it is spelled`, async (t) => {
    for (const spelling of same) t.strictSame(namesOf(spelling), namesOf(same[0] as string), JSON.stringify(spelling))
  })
}

t.test('other names are counted apart, also those that look like the parts of a key', async (t) => {
  const others = ['user', 'user2', 'user@example.com', 'user@example.org', '*', ':', 'user:', 'account', '["account","typed","user"]', 'user","192.0.2.1', 'user\r\nDEL *', 'us\u0000er', '__proto__', '']

  const all = others.map((identifier) => namesOf(identifier).slice(0, 4)).flat()

  t.equal(new Set(all).size, others.length * 4)
})

t.test('an attempt counts for what was typed and for the user, from there and from everywhere, and for the network', async (t) => {
  const counters = of('user', 'user-id')

  t.match(counters.map(({ rule: { name }, isHidden, userId, network }) => ({ name, isHidden, userId, network })), [
    { name: 'account_network', isHidden: false, userId: 'user-id', network: '192.0.2.1' },
    { name: 'account_network', isHidden: true, userId: 'user-id', network: '192.0.2.1' },
    { name: 'account', isHidden: false, userId: 'user-id', network: undefined },
    { name: 'account', isHidden: true, userId: 'user-id', network: undefined },
    { name: 'network', isHidden: false, userId: undefined, network: '192.0.2.1' }
  ])
  t.equal(new Set(counters.map(({ key }) => key)).size, 5)
})

t.test('a username and an address of one user meet in the counters of the user', async (t) => {
  const [first, second] = [of('user', 'user-id'), of('user@example.com', 'user-id')]

  t.strictSame(first.map(({ key }, index) => key === second[index]?.key), [false, true, false, true, true])
})

t.test('nobody is counted as somebody of the id that was typed', async (t) => {
  const somebody = of('user', 'user-id').map(({ key }) => key)

  t.notOk(of('user-id').slice(0, 4).some(({ key }) => somebody.includes(key)))
})

t.test('another network has other counters but for those of the account', async (t) => {
  const [here, there] = [of('user', 'user-id'), of('user', 'user-id', '192.0.2.2')]

  t.strictSame(here.map(({ key }, index) => key === there[index]?.key), [false, false, true, true, false])
})

t.test('what differs in the last character is counted apart, however long it can be', async (t) => {
  const longest = `${'a'.repeat(64)}@${'b.'.repeat(93)}`

  t.not(namesOf(`${longest}com`)[2], namesOf(`${longest}cob`)[2])
})

t.test('each rule counts for itself', async (t) => {
  t.not(keys.ofNetwork('192.0.2.1').key, keys.ofMailNetwork('192.0.2.1').key)
  t.notOk(namesOf('user@example.com').includes(keys.ofMailAddress('user@example.com').key))
})

t.test('what is counted under the names of a user is found by them', async (t) => {
  const byName = of('user')[2]?.key
  const byAddress = of('user@example.com')[2]?.key

  t.strictSame(keys.ofNames({ username: 'user', email_key: null }), [byName])
  t.strictSame(keys.ofNames({ username: 'user', email_key: 'user@example.com' }), [byName, byAddress, keys.ofMailAddress('user@example.com').key, keys.ofMailByAdmin('user@example.com').key])
})

t.test('a key tells nothing, and is another one under another secret', async (t) => {
  for (const { key } of of('hunter2', 'user-id')) t.match(key, /^[A-Za-z0-9_-]{43}$/)
  const others = createThrottleKeys(createVault([`another ${SECRET}`]).pseudonym)

  t.not(others.ofNetwork('192.0.2.1').key, keys.ofNetwork('192.0.2.1').key)
})

t.test('a name as long as can be sent costs no more than a short one', async (t) => {
  const counters = plain.ofApplicant({ identifier: 'é'.repeat(100_000), userId: undefined, network: '192.0.2.1' })

  t.ok(counters.every(({ key }) => key.length < 1200))
})
