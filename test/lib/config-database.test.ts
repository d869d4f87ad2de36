import t from 'tap'
import { loadConfig } from '../../lib/config.ts'
import { problemsOf, SECRET } from '../helper.ts'

const FORM = 'DATABASE_URL must be file:PATH or postgres://USER:PASSWORD@HOST/DATABASE'

const files = [
  { value: 'file:latchkey.db', path: 'latchkey.db' },
  { value: 'file:./data/latchkey.db', path: './data/latchkey.db' },
  { value: 'file:/var/lib/latchkey.db', path: '/var/lib/latchkey.db' },
  { value: 'file:///var/lib/latchkey.db', path: '/var/lib/latchkey.db' }
]
for (const { value, path } of files) {
  t.test(`${value} is the SQLite file ${path}`, async (t) => {
    t.strictSame(loadConfig({ DATABASE_URL: value }).database, { engine: 'sqlite', path })
  })
}

const servers = [
  'postgres://latchkey@db/latchkey',
  'postgres://latchkey@db/l',
  'postgresql://latchkey:p%40ss@db.example.com:6432/latchkey',
  'postgres:///latchkey?host=/var/run/postgresql',
  'postgres://db/latchkey?sslmode=disable',
  'postgres://db/latchkey?sslmode=require',
  'postgres://db/latchkey?sslmode=verify-ca&sslrootcert=ca.pem',
  'postgres://db/latchkey?sslmode=verify-full'
]
for (const url of servers) {
  t.test(`${url} is a PostgreSQL database`, async (t) => {
    t.strictSame(loadConfig({ DATABASE_URL: url, LATCHKEY_SECRET: SECRET }).database, { engine: 'postgres', url })
  })
}

const refused = [
  ...['latchkey.db', '/var/lib/latchkey.db', 'file:', 'file::memory:', 'file:x?mode=memory', ':memory:', 'sqlite:x', 'mysql://db/x'].map((value) => ({ value, problem: FORM })),
  ...['postgres:', 'postgres:latchkey', 'postgres://', 'postgres://db', 'postgres://db/', 'postgres://db:port/latchkey'].map((value) => ({ value, problem: FORM })),
  ...['', 'prefer', 'allow', 'REQUIRE', 'no-verify'].map((mode) => ({
    value: `postgres://db/latchkey?sslmode=${mode}`,
    problem: 'DATABASE_URL has an sslmode that is not one of disable, require, verify-ca, verify-full'
  })),
  { value: 'postgres://db/latchkey?sslmode=verify-ca', problem: 'DATABASE_URL needs an sslrootcert with sslmode=verify-ca' }
]
for (const { value, problem } of refused) {
  t.test(`${value} is refused, and not shown`, async (t) => {
    t.strictSame(problemsOf({ DATABASE_URL: value, LATCHKEY_SECRET: SECRET }), [problem])
  })
}

t.test('PostgreSQL needs a secret, since there is no file beside which one could be made', async (t) => {
  t.strictSame(problemsOf({ DATABASE_URL: 'postgres://db/latchkey' }), ['LATCHKEY_SECRET is required with PostgreSQL; make one with: openssl rand -base64 48'])
})
