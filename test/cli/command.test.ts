import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import { databasePath, PASSWORD, runCommand } from '../command.ts'
import { testEnv } from '../helper.ts'

t.test('latchkey tells its version and how to use it on standard output', async (t) => {
  const [version, help] = await Promise.all([runCommand({}, ['--version']), runCommand({}, ['user', 'create', '--help'])])

  t.same(version, { code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  t.same([help.code, help.stderr], [0, ''])
  t.match(help.stdout, /^Usage: latchkey user create \[options\]\n/)
  t.notMatch(help.stdout, /--password/)
})

const misused = [
  { name: 'no command', args: [], hint: 'Usage: latchkey' },
  { name: 'an unknown command', args: ['login'], hint: "error: unknown command 'login'" },
  { name: 'an unknown option', args: ['user', 'list', '--all'], hint: "error: unknown option '--all'" },
  { name: 'a missing option', args: ['user', 'create'], hint: "error: required option '--username <name>' not specified" },
  { name: 'a missing argument', args: ['backup'], hint: "error: missing required argument 'file'" }
]
for (const { name, args, hint } of misused) {
  t.test(`latchkey says on standard error what is wrong with ${name}`, async (t) => {
    const { code, stdout, stderr } = await runCommand(testEnv(t), args)

    t.same({ code, stdout }, { code: 1, stdout: '' })
    t.ok(stderr.startsWith(hint))
  })
}

t.test('latchkey lists wrong settings without their values', async (t) => {
  const result = await runCommand(testEnv(t, { LATCHKEY_SECRET: 'hunter2', PORT: '70000' }), ['user', 'list'])

  t.match(result, { code: 1, stdout: '', stderr: /^The settings are wrong:\n {2}- (?:PORT|LATCHKEY_SECRET) [^\n]+\n(?: {2}- [^\n]+\n)*$/ })
  t.notMatch(result.stderr, /hunter2|70000/)
})

t.test('latchkey shows where an error comes from that is nobody\'s mistake', async (t) => {
  const env = testEnv(t)
  await runCommand(env, ['migrate'])
  const database = new DatabaseSync(databasePath(env))
  database.exec('drop table audit_events')
  database.close()

  const { code, stdout, stderr } = await runCommand(env, ['user', 'create', '--username', 'ada'], { input: PASSWORD })

  t.same({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^Error: no such table: [\s\S]*\n +at /)
  t.notMatch(stderr, /argon2|correct horse/)
})
