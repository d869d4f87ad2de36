import t from 'tap'
import { build, testEnv } from '../helper.ts'
import { ADA, jsonLines, runImport, usernamesIn } from '../importing.ts'

t.test('latchkey user import --dry-run checks everything, also over many lines, and writes nothing', async (t) => {
  const env = testEnv(t)
  await build(t, env)
  const others = Array.from({ length: 1200 }, (_, number) => ({ username: `user${number}` }))
  const content = jsonLines(ADA, { username: 'johndoe' }, ...others, { username: 'ada' }, { username: 'dan', roles: ['king'] })

  const dry = await runImport(t, env, content, '--dry-run')
  const untouched = usernamesIn(env)
  const real = await runImport(t, env, content)

  const refusals = 'Line 1203: Line 1 has the same username\nLine 1204: There is no role called king\n'
  t.same(dry, { code: 1, stdout: `${refusals}1201 can be imported, 1 there already, 2 refused\nRoles that would be given: admin (1)\n`, stderr: '' })
  t.same(untouched, ['johndoe'])
  t.same(real, { code: 1, stdout: `${refusals}1201 imported, 1 there already, 2 refused\n`, stderr: '' })
  t.equal(usernamesIn(env).length, 1202)
})

t.test('latchkey user import --dry-run says how many would get which role', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  await app.roles.set({ name: 'helper', scopes: ['users:read'], description: '' }, {})
  const users = jsonLines({ ...ADA, roles: ['admin', 'helper', 'user'] }, { username: 'ben', roles: ['helper'] }, { username: 'johndoe', roles: ['admin'] }, { username: 'ada', roles: ['admin'] })

  const people = await runImport(t, env, users, '--dry-run')
  const programs = await runImport(t, env, users, '--dry-run', '--json')

  t.match(people.stdout, /\nRoles that would be given: admin \(1\), helper \(2\)\n$/)
  t.match(JSON.parse(programs.stdout), { imported: 2, skipped: 1, roles: { admin: 1, helper: 2 } })
})
