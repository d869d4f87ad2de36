import t from 'tap'
import { build, createUser, testEnv } from '../helper.ts'
import { post, startServer, type ServerProcess } from '../server-process.ts'

const USERS = 24
const OLD = 'correct horse battery'
const NEW = 'another horse battery'

interface Person {
  username: string
  link: string
  isAcknowledged: boolean
}

async function reset ({ url }: ServerProcess, token: string): Promise<boolean> {
  const response = await fetch(`${url}/password-reset`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token, new_password: NEW }) })
  return response.status === 204
}

const knows = async ({ url }: ServerProcess, username: string, password: string): Promise<boolean> => (await post(`${url}/token`, { grant_type: 'password', username, password })).ok

for (const crashAfter of [1, USERS / 3, USERS / 2]) {
  t.test(`After a crash at the ${crashAfter}. of ${USERS} new passwords each has the new one, or the old one and a link that is good`, async (t) => {
    const env = testEnv(t, { NODE_OPTIONS: '' })
    const app = await build(t, env)
    const people: Person[] = []
    for (let number = 0; number < USERS; number++) {
      const { id } = await createUser(app, { username: `user-${number}`, password: OLD, email: `user-${number}@example.com` })
      const link = await app.db.transaction().execute(async (tx) => await app.oneTimeTokens.issue(tx, 'password_reset', { userId: id, email: `user-${number}@example.com`, passwordVersion: 0 }, 3_600_000))
      people.push({ username: `user-${number}`, link, isAcknowledged: false })
    }
    const server = await startServer(t, env)

    let acknowledged = 0
    await Promise.allSettled(people.map(async (person) => {
      person.isAcknowledged = await reset(server, person.link)
      if (++acknowledged === crashAfter) server.kill('SIGKILL')
    }))
    await server.exit
    const restarted = await startServer(t, env)

    for (const { username, link, isAcknowledged } of people) {
      const isNew = await knows(restarted, username, NEW)
      t.not(await knows(restarted, username, OLD), isNew, `${username} has one password`)
      if (isAcknowledged) t.ok(isNew, 'what was acknowledged holds')
      t.equal(await reset(restarted, link), !isNew, 'the link is used up, or good')
    }
    t.ok(acknowledged >= crashAfter)
  })
}
