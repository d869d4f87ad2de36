import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { childEnv, CLI, databasePath, PASSWORD, readRows, REPOSITORY } from '../command.ts'
import { build, canRun, requestToken, testEnv, type Env } from '../helper.ts'

const SCRIPT = '/usr/bin/script' // of util-linux: runs a command on a terminal of its own
const COMMAND = `'${process.execPath}' '${CLI}' user create --username ada`

/** Types each answer when the terminal shows its prompt, and gives the exit code and all that the terminal showed. */
async function type (env: Env, answers: Array<[prompt: string, keys: string]>, command = COMMAND): Promise<{ code: number | null, screen: string }> {
  const child = spawn(SCRIPT, ['--quiet', '--return', '--command', command, '/dev/null'], { cwd: REPOSITORY, env: childEnv({ SHELL: '/bin/sh', TERM: 'xterm', ...env }) })
  const remaining = [...answers]
  let screen = ''
  let seen = 0
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
    const [prompt, keys] = remaining[0] ?? []
    if (prompt === undefined || !screen.includes(prompt, seen)) return
    remaining.shift()
    seen = screen.length
    child.stdin.write(keys)
  })
  const [code] = await once(child, 'close')
  return { code, screen }
}

function usersOf (env: Env): unknown[] {
  return readRows(databasePath(env), 'select username from users')
}

function testOnTerminal (name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, async (t) => {
    if (canRun(t, 'the program script', existsSync(SCRIPT))) await body(t)
  })
}

testOnTerminal('A terminal shows two prompts and nothing of the password', async (t) => {
  const env = testEnv(t)

  const { code, screen } = await type(env, [['Password: ', `${PASSWORD}\r`], ['Again: ', `${PASSWORD}\r`]])

  t.equal(code, 0)
  t.equal(screen, 'Password: \r\nAgain: \r\nada is there\r\n')
  const app = await build(t, env)
  t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: PASSWORD })).statusCode, 200)
})

testOnTerminal('A terminal shows nothing of the password where standard error goes elsewhere', async (t) => {
  const env = testEnv(t)

  const { screen } = await type(env, [['Password: ', `${PASSWORD}\r`], ['Again: ', `${PASSWORD}\r`]], `${COMMAND} 2>&1 | cat`)

  t.equal(screen, 'Password: \r\nAgain: \r\nada is there\r\n')
})

const refused: Array<{ name: string, answers: Array<[string, string]>, message: string }> = [
  { name: 'two different passwords', answers: [['Password: ', `${PASSWORD}\r`], ['Again: ', `${PASSWORD}.\r`]], message: 'The two passwords differ' },
  { name: 'the last line brought back with a key for the second', answers: [['Password: ', `${PASSWORD}\r`], ['Again: ', '\x1B[A\r']], message: 'The two passwords differ' },
  { name: 'two empty lines', answers: [['Password: ', '\r'], ['Again: ', '\r']], message: 'Give the password on standard input' },
  { name: 'Ctrl-C', answers: [['Password: ', 'corr\x03']], message: 'No password was given' },
  { name: 'Ctrl-D at the second prompt', answers: [['Password: ', `${PASSWORD}\r`], ['Again: ', '\x04']], message: 'No password was given' }
]
for (const { name, answers, message } of refused) {
  testOnTerminal(`A terminal refuses ${name} with one sentence`, async (t) => {
    const env = testEnv(t)

    const { code, screen } = await type(env, answers)

    t.equal(code, 1)
    t.equal(screen, `${answers.map(([prompt]) => `${prompt}\r\n`).join('')}${message}\r\n`)
    t.same(usersOf(env), [])
  })
}
