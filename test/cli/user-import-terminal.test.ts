import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { childEnv, CLI, databasePath, readRows, REPOSITORY } from '../command.ts'
import { canRun, temporaryDirectory, testEnv } from '../helper.ts'

const SCRIPT = '/usr/bin/script' // of util-linux: runs a command on a terminal of its own

const LINES = '{"username":"ada"}\n{"username":"b c"}\n{"username":"ced"}\n'
const REFUSAL = 'Line 2: Use only letters, digits, dots, underscores and hyphens in the username\r\n'
const SUMMARY = '2 imported, 0 there already, 1 refused\r\n'

/** What the terminal gets to see of a shell command, and its exit code. */
async function show (t: Parameters<typeof testEnv>[0], commandFor: (importCommand: string, file: string) => string): Promise<{ code: number, screen: string }> {
  const file = join(temporaryDirectory(t), 'users.jsonl')
  writeFileSync(file, LINES)
  const command = commandFor(`'${process.execPath}' '${CLI}' user import`, file)
  const child = spawn(SCRIPT, ['--quiet', '--return', '--command', command, '/dev/null'], { cwd: REPOSITORY, env: childEnv({ SHELL: '/bin/sh', TERM: 'xterm', ...testEnv(t) }) })
  child.stdin.end()
  const [screen, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code, screen }
}

t.test('A terminal shows a bar that grows to its end, and each refused line on a line of its own', async (t) => {
  if (!canRun(t, 'the program script', existsSync(SCRIPT))) return

  const { code, screen } = await show(t, (command, file) => `${command} ${file}`)

  t.equal(code, 1)
  t.match(screen, /-{40} 0% \| 0 lines/)
  t.match(screen, /={40} 100% \| 3 lines/)
  // The bar's line is emptied first, and the bar goes on below.
  t.ok(screen.includes(`\r\u001B[K${REFUSAL}\u001B7`))
  t.ok(screen.endsWith(SUMMARY))
})

t.test('A terminal shows a bar for a file on standard input', async (t) => {
  if (!canRun(t, 'the program script', existsSync(SCRIPT))) return

  const { screen } = await show(t, (command, file) => `${command} - < ${file}`)

  t.match(screen, /={40} 100% \| 3 lines/)
})

t.test('A terminal shows no bar where nobody knows how much there is to come', async (t) => {
  if (!canRun(t, 'the program script', existsSync(SCRIPT))) return

  const { screen } = await show(t, (command, file) => `cat ${file} | ${command} -`)

  t.equal(screen, REFUSAL + SUMMARY)
})

t.test('Ctrl-C ends an import at once', async (t) => {
  if (!canRun(t, 'the program script', existsSync(SCRIPT))) return
  const env = testEnv(t)
  const file = join(temporaryDirectory(t), 'users.jsonl')
  writeFileSync(file, Array.from({ length: 50_000 }, (_, number) => `{"username":"user${number}"}\n`).join(''))

  const child = spawn(SCRIPT, ['--quiet', '--return', '--command', `'${process.execPath}' '${CLI}' user import ${file}`, '/dev/null'], { cwd: REPOSITORY, env: childEnv({ SHELL: '/bin/sh', TERM: 'xterm', ...env }) })
  let screen = ''
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
    if (/ [1-9]\d*% /.test(screen) && child.stdin.writable) child.stdin.end('\x03')
  })
  const [code] = await once(child, 'close')

  t.equal(code, 130)
  t.notMatch(screen, /imported/)
  t.ok(Number(readRows(databasePath(env), 'select count(*) as count from users')[0]?.count) < 50_000)
})
