import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import t, { type Test } from 'tap'
import type { Config } from '../../lib/config.ts'
import { createLogger } from '../../lib/logger.ts'
import { temporaryDirectory } from '../helper.ts'

const END = 'the end'

/** Runs `act` with a logger that writes to a real file and gives what it wrote, when all of it is there. */
async function written (t: Test, settings: Pick<Config, 'production' | 'logLevel'>, act: (logger: Logger) => void): Promise<string> {
  const path = join(temporaryDirectory(t), 'log')
  const logger = await createLogger(settings, openSync(path, 'w')) // left open: the logger may use it until the process ends

  act(logger)
  logger.level = 'info'
  logger.info(END)
  while (!readFileSync(path, 'utf8').includes(END)) await new Promise(setImmediate)

  return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '' && !line.includes(END)).join('\n')
}

const kinds = [
  { kind: 'production', production: true },
  { kind: 'development', production: false }
]

t.test('in production each line is one JSON object', async (t) => {
  const text = await written(t, { production: true, logLevel: 'info' }, (logger) => {
    logger.info({ user_id: 'u1' }, 'first\nline')
    logger.warn('second')
  })
  const lines = text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)

  t.match(lines, [
    { level: 30, pid: process.pid, user_id: 'u1', msg: 'first\nline' },
    { level: 40, msg: 'second' }
  ])
  t.equal(lines.length, 2)
})

t.test('otherwise lines are for people', async (t) => {
  const text = await written(t, { production: false, logLevel: 'info' }, (logger) => { logger.info({ user_id: 'u1' }, 'hello') })

  t.match(text, /^\[\d{2}:\d{2}:\d{2}\] .*INFO.*: .*hello/)
  t.match(text, /user_id.*: .*"u1"/)
  t.notMatch(text, /^\{|\bpid\b|hostname/m)
})

for (const { kind, production } of kinds) {
  t.test(`in ${kind} what is below the level is not written`, async (t) => {
    const text = await written(t, { production, logLevel: 'warn' }, (logger) => {
      logger.info('quiet')
      logger.warn('loud')
    })

    t.match(text, 'loud')
    t.notMatch(text, 'quiet')
  })

  t.test(`in ${kind} silent writes nothing`, async (t) => {
    t.equal(await written(t, { production, logLevel: 'silent' }, (logger) => { logger.fatal('loud') }), '')
  })

  t.test(`in ${kind} no secret of a logged object is written`, async (t) => {
    const CANARY = 'canary-7f3a'
    const names = ['password', 'access_token', 'refresh_token', 'token', 'client_secret', 'authorization', 'cookie']
    const inBody = ['password', 'refresh_token', 'token', 'client_secret']
    const inHeaders = ['authorization', 'cookie']
    const object = (members: string[]): Record<string, string> => Object.fromEntries(members.map((name) => [name, CANARY]))

    for (const secrets of [
      ...names.map((name) => object([name])),
      ...inBody.map((name) => ({ body: object([name]) })),
      ...inHeaders.map((name) => ({ headers: object([name]) })),
      ...inHeaders.map((name) => ({ req: { headers: object([name]) } }))
    ]) {
      const text = await written(t, { production, logLevel: 'info' }, (logger) => {
        logger.info({ ...secrets, username: 'ada' }, 'a log-in')
        logger.child({ request_id: 'r1' }).info(secrets, 'from a child')
      })

      t.notMatch(text, CANARY, JSON.stringify(secrets))
      t.equal(text.match(/\[Redacted\]/g)?.length, 2)
      t.match(text, /ada/, 'the rest is')
    }
  })
}
