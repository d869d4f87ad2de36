import { spawn, execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { settingsTable, withSettingsTable } from '../lib/settings-table.ts'
import { ConfigSchema } from '../schemas/config.ts'
import { temporaryDirectory } from './helper.ts'

const root = new URL('..', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')
const commands = [...readme.matchAll(/```sh\n([^`]*)```/g)].map(([, block]) => block as string)

t.test('the table of settings in the README is made from the schema', async (t) => {
  t.equal(withSettingsTable(readme), readme, 'run npm run readme')
  for (const name of Object.keys(ConfigSchema.properties)) t.match(settingsTable(), `\`${name}\``)
})

t.test('the README names the commands that start and test it', async (t) => {
  t.ok(commands.includes('npm ci && npm start\n'))
  t.ok(commands.includes('npm ci && npm test\n'))
})

/** Starts what `npm start` starts, on a free port and a database of its own. */
async function start (t: Test): Promise<{ host: string, env: NodeJS.ProcessEnv }> {
  const env = { ...process.env, DATABASE_URL: `file:${temporaryDirectory(t)}/latchkey.db`, PORT: '0' }
  const server = spawn('npm', ['start'], { cwd: root, env, detached: true })
  t.teardown(async () => {
    process.kill(-(server.pid as number), 'SIGTERM')
    await once(server, 'close')
  })
  let output = ''
  for await (const chunk of server.stdout) {
    output += String(chunk)
    const host = /listening at http:\/\/([\d.:]+)/.exec(output)?.[1]
    if (host !== undefined && output.includes('Demo user: johndoe / secret')) return { host, env }
  }
  throw new Error(`the server did not start: ${output}`)
}

t.test('every command of the README does what it says', async (t) => {
  const { host, env } = await start(t)
  const run = async (block: string): Promise<string> => {
    const { stdout } = await promisify(execFile)('sh', ['-euc', block.replaceAll('localhost:8000', host)], { cwd: root, env })
    return stdout
  }
  const find = (text: string): string => commands.find((block) => block.includes(text)) as string

  t.match(JSON.parse(await run(commands.find((block) => block.startsWith('curl -d')) as string)), { token_type: 'bearer', expires_in: 600, scope: 'profile account' })
  t.match(JSON.parse(await run(find('/users/me'))), { username: 'johndoe', full_name: 'John Doe' })
  t.match(await run(find('/revoke')), /"refresh_token":"lkr_.*\{\}$/s)
  t.match(await run(find('user create')), /^ada +ada@example\.com +user admin +enabled/m)
})
