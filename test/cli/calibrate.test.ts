import { parseEnv } from 'node:util'
import t from 'tap'
import { PRODUCTION, runCommand } from '../command.ts'
import { testConfig } from '../helper.ts'

// It measures the machine, whatever state the database and the settings are in.
const ENV = { DATABASE_URL: 'nowhere' }

t.test('latchkey calibrate prints no less than what is the least for production', async (t) => {
  const { code, stdout, stderr } = await runCommand(ENV, ['calibrate', '--target-ms', '0.1', '--json'])

  t.same({ code, stderr }, { code: 0, stderr: '' })
  const { ms, ...settings } = JSON.parse(stdout)
  t.type(ms, 'number')
  t.same(settings, { ARGON2_MEMORY_KIB: 19456, ARGON2_TIME_COST: 2, ARGON2_PARALLELISM: 1 })
})

t.test('latchkey calibrate prints lines for .env, with more memory for a longer time', async (t) => {
  const { code, stdout, stderr } = await runCommand(ENV, ['calibrate', '--target-ms', '400'])

  t.same({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^# one hash takes \d+ ms here\n/)
  const settings = parseEnv(stdout) as Record<string, string>
  t.same(Object.keys(settings).sort(), ['ARGON2_MEMORY_KIB', 'ARGON2_PARALLELISM', 'ARGON2_TIME_COST'])
  const { argon2 } = testConfig(t, { ...PRODUCTION, ...settings })
  t.ok(argon2.memoryKib > 19456)
})

for (const target of ['0', '10001', 'soon']) {
  t.test(`latchkey calibrate refuses "${target}" milliseconds`, async (t) => {
    const result = await runCommand(ENV, ['calibrate', '--target-ms', target])

    t.equal(result.code, 1)
    t.equal(result.stdout, '')
    t.match(result.stderr, 'It must be a number above 0 and up to 10000.')
  })
}
