import t, { type Test } from 'tap'
import type { Tokens } from '../helper.ts'
import { logInAt, post, readProfileAt, refreshAt } from '../server-process.ts'
import { startLoad } from './load.ts'
import { canRunPair, createUsers, PASSWORD, startPair, type Pair } from './pair.ts'

const USERS = 40
const CRASH_AFTER = 60

/** What was acknowledged to a user; an act without an answer may have been done or not. */
interface Person {
  username: string
  tokens: Tokens
  password: 'old' | 'new' | 'unknown'
  session: 'live' | 'revoked' | 'unknown'
}

const NEW_PASSWORD = 'another horse battery'
const credentials = (username: string, password: string): Record<string, string> => ({ grant_type: 'password', username, password })

/** Refreshes again and again, and every other user changes the password or logs out, until one replica is killed and all have been answered. */
async function actDuringCrash ({ loginUrl, one }: Pair, people: Person[]): Promise<void> {
  const at = { url: loginUrl }
  let answered = 0
  const isOver = (): boolean => answered > 2 * CRASH_AFTER
  const count = (): void => { if (++answered === CRASH_AFTER) one.kill('SIGKILL') }

  async function refresh (person: Person): Promise<void> {
    const response = await refreshAt(at, person.tokens.refresh_token)
    if (response.ok) person.tokens = await response.json() as Tokens
  }

  async function changePassword (person: Person): Promise<void> {
    person.password = 'unknown'
    const { ok } = await fetch(`${loginUrl}/users/me/password`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${person.tokens.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ current_password: PASSWORD, new_password: NEW_PASSWORD })
    })
    if (ok) person.password = 'new'
  }

  async function logOut (person: Person): Promise<void> {
    person.session = 'unknown'
    const { ok } = await post(`${loginUrl}/revoke`, { token: person.tokens.refresh_token })
    if (ok) person.session = 'revoked'
  }

  await Promise.all(people.map(async (person, index) => {
    // Half of them act after a different number of refreshes: some before the crash, some meanwhile and some after it.
    const refreshes = index % 2 === 0 ? Infinity : index % 4
    for (let time = 0; time < refreshes && !isOver(); time++) {
      await refresh(person)
      count()
    }
    if (index % 4 === 1) await changePassword(person)
    if (index % 4 === 3) await logOut(person)
    count()
  }))
}

async function check (t: Test, { two }: Pair, people: Person[]): Promise<void> {
  const lost: string[] = []
  for (const { username, tokens, password, session } of people) {
    const profile = (await readProfileAt(two, tokens.access_token)).status
    const refreshed = (await refreshAt(two, tokens.refresh_token)).status
    const isLive = profile === 200 && refreshed === 200
    const isOver = profile === 401 && refreshed === 400
    if (session === 'live' ? !isLive : session === 'revoked' && !isOver) lost.push(`${username}, ${session}: ${profile} ${refreshed}`)
    const [old, changed] = await Promise.all([PASSWORD, NEW_PASSWORD].map(async (text) => (await post(`${two.url}/token`, credentials(username, text))).status))
    if (password === 'new' ? old !== 400 || changed !== 200 : password === 'old' && old !== 200) lost.push(`${username}, ${password} password: ${old} ${changed}`)
  }
  t.strictSame(lost, [], 'what was acknowledged holds')
}

if (await canRunPair(t)) {
  t.test('A replica is killed under load: nothing that was acknowledged is lost, and clients go on at the other', async (t) => {
    const pair = await startPair(t)
    const { one, loginUrl } = pair
    await createUsers(pair, Array.from({ length: USERS }, (_, index) => ({ username: `user-${index}` })))
    const people = await Promise.all(Array.from({ length: USERS }, async (_, index): Promise<Person> => {
      const username = `user-${index}`
      return { username, tokens: await logInAt(one, credentials(username, PASSWORD)), password: 'old', session: 'live' }
    }))
    const load = await startLoad({ url: loginUrl })
    await load.answers(50)

    await actDuringCrash(pair, people)
    await load.answers(100)
    await check(t, pair, people)
    t.ok(people.some(({ password }) => password === 'new') && people.some(({ session }) => session === 'revoked'))

    await one.start()
    await load.answers(50)
    const { failures, sessions } = await load.stop()
    t.strictSame(failures, [], 'nginx has asked the other replica')
    t.strictSame(await Promise.all(sessions.map(async ({ access_token: token }) => (await readProfileAt(one, token)).status)), sessions.map(() => 200), 'it serves again')
  })
}
