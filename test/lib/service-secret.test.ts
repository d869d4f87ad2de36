import fs, { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { StartupError } from '../../lib/errors.ts'
import { isExposed, isWeakSecret, readOrCreateSecret, secretPathFor } from '../../lib/service-secret.ts'
import { SECRET, temporaryDirectory } from '../helper.ts'

const MODULE = new URL('../../lib/service-secret.ts', import.meta.url).href

/** Puts something else in the place of one function of the file system until the test ends. */
function replace<Name extends 'existsSync' | 'linkSync'> (t: Test, name: Name, replacement: typeof fs[Name]): void {
  const original = fs[name]
  const put = (value: typeof fs[Name]): void => {
    fs[name] = value
    syncBuiltinESMExports()
  }
  t.teardown(() => { put(original) })
  put(replacement)
}

t.test('the secret of a database lies beside it', async (t) => {
  t.equal(secretPathFor('/var/lib/latchkey/main.db'), '/var/lib/latchkey/main.secret')
  t.equal(secretPathFor('./data/latchkey.db'), 'data/latchkey.secret')
  t.equal(secretPathFor('latchkey'), 'latchkey.secret')
})

t.test('a first start makes a secret of 48 random bytes and leaves nothing else behind', async (t) => {
  const directory = temporaryDirectory(t)
  const database = join(directory, 'latchkey.db')

  const secret = readOrCreateSecret(database)

  t.equal(Buffer.from(secret, 'base64url').toString('base64url'), secret)
  t.equal(Buffer.from(secret, 'base64url').length, 48)
  t.strictSame(readdirSync(directory), ['latchkey.secret'])
  t.equal(readFileSync(join(directory, 'latchkey.secret'), 'utf8'), `${secret}\n`)
})

t.test('a later start reads the same secret, with the database and without', async (t) => {
  const database = join(temporaryDirectory(t), 'latchkey.db')
  const secret = readOrCreateSecret(database)

  t.equal(readOrCreateSecret(database), secret)
  writeFileSync(database, '')
  t.equal(readOrCreateSecret(database), secret)
})

t.test('every database gets a secret of its own', async (t) => {
  const directory = temporaryDirectory(t)

  const secrets = Array.from({ length: 20 }, (_, index) => readOrCreateSecret(join(directory, `${index}.db`)))

  t.equal(new Set(secrets).size, 20)
})

t.test('only the owner can read the file and its directory, whatever the umask says', async (t) => {
  const directory = join(temporaryDirectory(t), 'data', 'deep')
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))

  readOrCreateSecret(join(directory, 'latchkey.db'))

  t.equal(statSync(join(directory, 'latchkey.secret')).mode & 0o777, 0o600)
  t.equal(statSync(directory).mode & 0o777, 0o700)
})

const modes = [
  { mode: 0o600, exposed: false }, { mode: 0o400, exposed: false }, { mode: 0o700, exposed: false },
  { mode: 0o640, exposed: true }, { mode: 0o604, exposed: true }, { mode: 0o620, exposed: true }, { mode: 0o601, exposed: true }, { mode: 0o644, exposed: true }
]
for (const { mode, exposed } of modes) {
  t.test(`a file of mode ${mode.toString(8)} is ${exposed ? 'exposed' : 'private'}`, async (t) => {
    const path = join(temporaryDirectory(t), 'latchkey.secret')
    writeFileSync(path, SECRET)
    chmodSync(path, mode)

    t.equal(isExposed(path), exposed)
  })
}

t.test('a database whose secret is gone stops the start and gets no new one', async (t) => {
  const directory = temporaryDirectory(t)
  const database = join(directory, 'latchkey.db')
  writeFileSync(database, '')

  t.throws(() => readOrCreateSecret(database), new StartupError(
    `The database ${database} exists but its secret ${join(directory, 'latchkey.secret')} does not; restore that file or set LATCHKEY_SECRET to the secret it was made with`
  ))
  t.strictSame(readdirSync(directory), ['latchkey.db'])
})

t.test('a secret file without a usable secret stops the start and stays as it is', async (t) => {
  const database = join(temporaryDirectory(t), 'latchkey.db')
  const path = secretPathFor(database)

  for (const content of ['', '\n', 'changeme', SECRET.slice(0, 31), 'a'.repeat(64)]) {
    writeFileSync(path, content)

    t.throws(() => readOrCreateSecret(database), new StartupError(`The secret file ${path} holds no secret of at least 32 random bytes; restore it`))
    t.equal(readFileSync(path, 'utf8'), content)
  }
})

t.test('a secret is weak if it is under 32 bytes or has under eight different characters', async (t) => {
  t.equal(isWeakSecret('12345678'.repeat(4)), false)
  t.equal(isWeakSecret('1234567'.repeat(5)), true)
  t.equal(isWeakSecret(SECRET.slice(0, 32)), false)
  t.equal(isWeakSecret(SECRET.slice(0, 31)), true)
})

t.test('what the file system refuses is told as one sentence with its cause', async (t) => {
  const directory = temporaryDirectory(t)
  const failure = (path: string, code: string) => ({
    name: 'StartupError',
    message: `The secret file ${path} can't be read or written: check that the directory can be written`,
    cause: { code }
  })

  writeFileSync(join(directory, 'file'), '')
  t.throws(() => readOrCreateSecret(join(directory, 'file', 'sub', 'latchkey.db')), failure(join(directory, 'file', 'sub', 'latchkey.secret'), 'ENOTDIR'))

  mkdirSync(join(directory, 'folder.secret'))
  t.throws(() => readOrCreateSecret(join(directory, 'folder.db')), failure(join(directory, 'folder.secret'), 'EISDIR'))

  replace(t, 'linkSync', () => { throw Object.assign(new Error('no links here'), { code: 'EPERM' }) })
  t.throws(() => readOrCreateSecret(join(directory, 'linkless.db')), failure(join(directory, 'linkless.secret'), 'EPERM'))
  t.notOk(readdirSync(directory).some((name) => name.startsWith('linkless')), 'no half-made file is left')
})

t.test('when another process makes the secret first', async (t) => {
  /** Lets the other process act right after this one first looked whether `path` exists. */
  function interrupt (t: Test, path: string, act: () => void): void {
    const { existsSync } = fs
    let acted = false
    replace(t, 'existsSync', (asked) => {
      const answer = existsSync(asked)
      if (asked === path && !acted) {
        acted = true
        act()
      }
      return answer
    })
  }

  t.test('its secret counts', async (t) => {
    const directory = temporaryDirectory(t)
    const database = join(directory, 'latchkey.db')
    interrupt(t, secretPathFor(database), () => { writeFileSync(secretPathFor(database), SECRET) })

    const secret = readOrCreateSecret(database)

    t.equal(secret, SECRET)
    t.strictSame(readdirSync(directory), ['latchkey.secret'])
  })

  t.test('and the database too, that is no lost secret, whichever was looked for last', async (t) => {
    for (const first of ['latchkey.db', 'latchkey.secret']) {
      t.test(`first ${first}`, async (t) => {
        const database = join(temporaryDirectory(t), 'latchkey.db')
        interrupt(t, join(dirname(database), first), () => {
          writeFileSync(secretPathFor(database), SECRET)
          writeFileSync(database, '')
        })

        t.equal(readOrCreateSecret(database), SECRET)
      })
    }
  })
})

t.test('threads that start at the same instant all get the same secret, each time', async (t) => {
  const THREADS = 4
  const directories = Array.from({ length: 50 }, () => temporaryDirectory(t))
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const code = `
    const { parentPort, workerData: { module, databases, threads, gate } } = require('node:worker_threads')
    import(module).then(({ readOrCreateSecret }) => {
      parentPort.postMessage(databases.map((database, round) => {
        Atomics.add(gate, 0, 1)
        Atomics.notify(gate, 0)
        for (let seen; (seen = Atomics.load(gate, 0)) < threads * (round + 1);) Atomics.wait(gate, 0, seen)
        return readOrCreateSecret(database)
      }))
    })`

  const workerData = { module: MODULE, databases: directories.map((directory) => join(directory, 'latchkey.db')), threads: THREADS, gate }
  const answers = await Promise.all(Array.from({ length: THREADS }, async () => await new Promise<string[]>((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData })
    worker.once('message', resolve).once('error', reject)
  })))

  for (const [round, directory] of directories.entries()) {
    const kept = readFileSync(join(directory, 'latchkey.secret'), 'utf8').trim()
    t.strictSame(answers.map((secrets) => secrets[round]), Array(THREADS).fill(kept))
    t.strictSame(readdirSync(directory), ['latchkey.secret'])
  }
})
