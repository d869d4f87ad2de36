import t from 'tap'
import { emptyDatabase, runCommand, USER_KEYS } from '../command.ts'
import { build, createUser, logIn, testEnv } from '../helper.ts'

const JOHN_BY_MAIL = 'JohnDoe@EXAMPLE.com'

t.test('latchkey user list and show tell the same of a user as JSON, and nothing secret', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  await createUser(app, { roles: ['admin'] })
  await logIn(app)

  const [list, show] = await Promise.all([
    runCommand(env, ['user', 'list', '--json']),
    runCommand(env, ['user', 'show', JOHN_BY_MAIL, '--json'])
  ])

  t.same([list.code, list.stderr, show.code, show.stderr], [0, '', 0, ''])
  const users = JSON.parse(list.stdout)
  t.match(users, [
    { username: 'ada', email: null, email_verified: false, roles: ['user', 'admin'], last_login_at: null },
    { username: 'johndoe', email: 'johndoe@example.com', email_verified: true, last_login_at: /^\d{4}-.*Z$/ }
  ])
  for (const user of users) t.same(Object.keys(user).sort(), USER_KEYS)
  t.same(JSON.parse(show.stdout), users[1])
})

t.test('latchkey user list and show write lines for people', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  const { id } = await createUser(app, { roles: ['admin'] })
  await logIn(app)
  const john = await app.users.find('johndoe')
  await app.accounts.update(john?.id ?? '', { disabled: true }, {})

  const [list, show] = await Promise.all([runCommand(env, ['user', 'list']), runCommand(env, ['user', 'show', 'Ada'])])

  t.match(list.stdout.split('\n'), [
    'USERNAME  EMAIL                ROLES       STATE     LAST LOGIN',
    'ada       -                    user admin  enabled   -',
    /^johndoe {3}johndoe@example\.com {2}user {8}disabled {2}\d{4}-\d\d-\d\dT[\d:.]+Z$/,
    ''
  ])
  t.match(show.stdout.split('\n').slice(0, 7), [`id: ${id}`, 'username: ada', 'email: -', 'email_verified: false', 'full_name: -', 'disabled: false', 'roles: user,admin'])
})

t.test('latchkey user list says that nobody is there yet', async (t) => {
  const result = await runCommand(await emptyDatabase(t), ['user', 'list'])

  t.same(result, { code: 0, stdout: 'There are no users\n', stderr: '' })
})

t.test('latchkey user show fails for somebody who does not exist', async (t) => {
  const result = await runCommand(await emptyDatabase(t), ['user', 'show', 'nobody', '--json'])

  t.same(result, { code: 1, stdout: '', stderr: 'There is no such user\n' })
})
