import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../lib/config.ts'
import { CREDENTIALS } from '../../schemas/config.ts'
import { problemsOf, SECRET, temporaryDirectory } from '../helper.ts'

const WEAK = 'LATCHKEY_SECRET must be at least 32 random bytes (each, if it is a list); make one with: openssl rand -base64 48'

const GOOD: Record<typeof CREDENTIALS[number], string> = {
  DATABASE_URL: 'file:/srv/latchkey.db',
  REDIS_URL: 'rediss://latchkey:password@redis.example.com:6380/2',
  LATCHKEY_SECRET: SECRET,
  SMTP_URL: 'smtps://login:password@mail.example.com'
}

for (const name of CREDENTIALS) {
  t.test(`${name}_FILE`, async (t) => {
    t.test('names a file that holds the value, white space around it aside', async (t) => {
      const path = join(temporaryDirectory(t), 'value')
      writeFileSync(path, `\n ${GOOD[name]} \r\n`)

      const config = loadConfig({ [`${name}_FILE`]: path })

      t.strictSame(config, loadConfig({ [name]: GOOD[name] }))
    })

    t.test(`can't be set beside ${name}, not even to the same value`, async (t) => {
      const path = join(temporaryDirectory(t), 'value')
      writeFileSync(path, GOOD[name])

      const problems = problemsOf({ [name]: GOOD[name], [`${name}_FILE`]: path })

      t.strictSame(problems, [`${name} and ${name}_FILE are both set; set one of them, the other to nothing`])
    })

    t.test('must name a file that can be read', async (t) => {
      const directory = temporaryDirectory(t)
      mkdirSync(join(directory, 'folder'))

      for (const path of [join(directory, 'missing'), join(directory, 'folder')]) {
        t.strictSame(problemsOf({ [`${name}_FILE`]: path }), [`${name}_FILE names a file that can't be read`])
      }
    })

    t.test('must not name an empty file', async (t) => {
      const path = join(temporaryDirectory(t), 'value')

      for (const content of ['', ' ', '\n\n']) {
        writeFileSync(path, content)

        t.strictSame(problemsOf({ [`${name}_FILE`]: path }), [`${name}_FILE names an empty file`])
      }
    })
  })
}

t.test('a file may hold a list of secrets and must hold strong ones', async (t) => {
  const path = join(temporaryDirectory(t), 'value')

  writeFileSync(path, `${SECRET}-new,\n${SECRET}-old\n`)
  t.strictSame(loadConfig({ LATCHKEY_SECRET_FILE: path }).secrets, [`${SECRET}-new`, `${SECRET}-old`])

  writeFileSync(path, 'changeme')
  t.strictSame(problemsOf({ LATCHKEY_SECRET_FILE: path }), [WEAK])
})

t.test('other settings have no file variant', async (t) => {
  const path = join(temporaryDirectory(t), 'value')
  writeFileSync(path, '9000')

  t.equal(loadConfig({ PORT_FILE: path }).port, 8000)
})

t.test('LATCHKEY_SECRET refuses', async (t) => {
  const refused = [
    { name: 'the word secret', secret: 'secret' },
    { name: 'the word changeme', secret: 'changeme' },
    { name: '16 random bytes', secret: 'Zp7-Qe3_Rk9.Wm1x' },
    { name: '31 random bytes', secret: SECRET.slice(0, 31) },
    { name: '31 characters and a space', secret: `${SECRET.slice(0, 31)} ` },
    { name: 'one character, often', secret: 'a'.repeat(64) },
    { name: 'two characters, often', secret: '01'.repeat(32) },
    { name: 'a short word, often', secret: 'secret'.repeat(8) },
    { name: 'changeme, often', secret: 'changeme'.repeat(8) },
    { name: 'a list whose first is weak', secret: `changeme,${SECRET}` },
    { name: 'a list whose last is weak', secret: `${SECRET},${SECRET}x,changeme` },
    { name: 'a list that ends with a comma', secret: `${SECRET},` },
    { name: 'nothing but a comma', secret: ',' },
    { name: 'nothing but a space', secret: ' ' }
  ]
  for (const { name, secret } of refused) {
    t.test(name, async (t) => {
      t.strictSame(problemsOf({ LATCHKEY_SECRET: secret }), [WEAK])
    })
  }
})

t.test('LATCHKEY_SECRET takes 32 bytes, which may be fewer characters', async (t) => {
  for (const secret of [SECRET.slice(0, 32), 'äöüßéèêâ'.repeat(2)]) {
    t.strictSame(loadConfig({ LATCHKEY_SECRET: secret }).secrets, [secret])
  }
})
