import t from 'tap'
import { ALL_SCOPES } from '../../lib/scopes.ts'
import { emptyDatabase, readAudit, runCommand } from '../command.ts'
import { build, createUser, testEnv } from '../helper.ts'
import { enterWith } from '../routes/people.ts'

t.test('latchkey role set makes and changes a role, list shows it, delete takes it away', async (t) => {
  const env = await emptyDatabase(t)

  const made = await runCommand(env, ['role', 'set', 'support', '--scope', 'users:read', 'audit:read', '--scope', 'orders:read', '--description', 'Helps', '--json'])
  const changed = await runCommand(env, ['role', 'set', 'support', '--scope', 'users:read'])
  const json = await runCommand(env, ['role', 'list', '--json'])
  const text = await runCommand(env, ['role', 'list'])
  const deleted = await runCommand(env, ['role', 'delete', 'support'])

  t.same([made, changed, json, text, deleted].map(({ code, stderr }) => [code, stderr]), Array.from({ length: 5 }, () => [0, '']))
  t.strictSame(JSON.parse(made.stdout), { name: 'support', scopes: ['users:read', 'audit:read', 'orders:read'], description: 'Helps', built_in: false })
  t.equal(changed.stdout, 'support is changed\n')
  t.strictSame(JSON.parse(json.stdout), [
    { name: 'admin', scopes: ALL_SCOPES, description: 'May do everything', built_in: true },
    { name: 'support', scopes: ['users:read'], description: '', built_in: false },
    { name: 'user', scopes: ['profile', 'account'], description: 'What everybody may do', built_in: true }
  ])
  t.match(text.stdout, /^NAME +SCOPES +DESCRIPTION\nadmin +profile account [^\n]+ May do everything\nsupport +users:read\nuser +profile account +What everybody may do\n$/)
  t.equal(deleted.stdout, 'support is gone\n')
  t.match(readAudit(env).filter(({ type }) => String(type).startsWith('role_')), [
    { type: 'role_set', actor_id: 'operator', details: '{"role":"support","before":"","after":"users:read audit:read orders:read"}' },
    { type: 'role_set', actor_id: 'operator' },
    { type: 'role_deleted', actor_id: 'operator' }
  ])
})

t.test('a role that the operator changes counts at once on a running server', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  await createUser(app, { username: 'boss', roles: ['admin'] })
  const { send } = await enterWith(app, 'ada', 'users:read', 'roles:read')
  t.equal((await send('GET', '/users')).statusCode, 200)

  const { code, stdout } = await runCommand(env, ['role', 'set', 'ada', '--scope', 'roles:read'])

  t.strictSame([code, stdout], [0, 'ada is changed\n'])
  t.equal((await send('GET', '/users')).statusCode, 403)
  t.equal((await send('GET', '/roles')).statusCode, 200)
})

t.test('the operator is told what can not be done, and nothing is', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  await enterWith(app, 'power', 'users:write', 'roles:write')
  const before = await app.roles.list()

  const attempts = [
    { args: ['set', 'admin', '--scope', 'profile'], says: 'This role is built in and stays as it is\n' },
    { args: ['delete', 'user'], says: 'This role is built in and stays as it is\n' },
    { args: ['delete', 'nothing'], says: 'There is no such role\n' },
    { args: ['delete', 'power'], says: 'The last administrator has to stay one\n' },
    { args: ['set', 'power', '--scope', 'users:write'], says: 'The last administrator has to stay one\n' },
    { args: ['set', 'Power', '--scope', 'users:write'], says: /^Use 1 to 63 small letters/ },
    { args: ['set', 'power', '--scope', 'a b'], says: /^Use 1 to 64 ASCII/ },
    { args: ['set', 'power'], says: /^error: required option '--scope <scope\.\.\.>'/ }
  ]
  for (const { args, says } of attempts) {
    t.match(await runCommand(env, ['role', ...args]), { code: 1, stdout: '', stderr: says }, args.join(' '))
  }
  t.strictSame(await app.roles.list(), before)
})
