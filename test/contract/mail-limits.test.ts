import t, { type Test } from 'tap'
import { parseEmail } from '../../lib/identifiers.ts'
import type { AnonymousMailKind } from '../../plugins/data/mail-limits.ts'
import type { Engine } from './engines.ts'
import { HOUR, openRepositories } from './repositories.ts'
import { stores } from './throttle-stores.ts'

const HERE = '192.0.2.1'
const ADDRESS = parseEmail('Ada@example.com')
const SLOW_DOWN = { statusCode: 429, code: 'slow_down', message: 'Too many mails were asked for; try again later' }
const after = (seconds: number) => ({ ...SLOW_DOWN, headers: { 'retry-after': String(seconds) } })

async function openLimits (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, mailLimits } = repositories
  const inTransaction = <Argument>(act: (tx: typeof db, argument: Argument) => Promise<void>) =>
    async (argument: Argument): Promise<void> => { await db.transaction().execute(async (tx) => { await act(tx, argument) }) }
  return {
    ...repositories,
    countRequest: inTransaction<string | undefined>(mailLimits.countRequest),
    countMail: async (kind: Parameters<typeof mailLimits.countMail>[1] = 'invitation') => {
      await db.transaction().execute(async (tx) => { await mailLimits.countMail(tx, kind, ADDRESS.canonical) })
    },
    owe: async (ip = HERE, email = ADDRESS, kind: AnonymousMailKind = 'password_reset') => {
      await db.transaction().execute(async (tx) => { await mailLimits.owe(tx, kind, email, ip) })
    }
  }
}

for (const engine of stores) {
  t.test(engine.name, async (t) => {
    t.test('An address is owed three mails within an hour, and then none without a word', async (t) => {
      const { owe, mails, clock } = await openLimits(t, engine)

      for (let count = 0; count < 5; count++) await owe()
      t.strictSame(await mails(), Array(3).fill({ kind: 'password_reset', email: 'Ada@example.com' }))
      await owe(HERE, parseEmail('ADA@EXAMPLE.COM'))
      t.equal((await mails()).length, 3, 'in another spelling')
      await owe(HERE, parseEmail('ben@example.com'))
      t.equal((await mails()).length, 4, 'another address')

      clock.at += HOUR - 1
      await owe('192.0.2.2')
      t.equal((await mails()).length, 4)
      clock.at += 1
      await owe('192.0.2.2')
      t.equal((await mails()).length, 5)
    })

    t.test('Fifty who ask at once are owed three', async (t) => {
      const { owe, mails } = await openLimits(t, engine)

      await Promise.all(Array.from({ length: 50 }, async (_, index) => { await owe(`192.0.2.${index}`) }))

      t.equal((await mails()).length, 3)
    })

    t.test('There are never more than three mails to an address in any hour', async (t) => {
      const { owe, mails, clock } = await openLimits(t, engine)
      const times: number[] = []
      for (let minute = 0; minute < 300; minute++) {
        const before = (await mails()).length
        await owe(`198.51.100.${minute % 200}`)
        if ((await mails()).length > before) times.push(minute)
        clock.at += HOUR / 60
      }

      t.equal(Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + 60).length)), 3)
      t.ok(times.length >= 12, 'and mails go on')
    })

    t.test('A network may ask ten times within an hour', async (t) => {
      const { mailLimits, countRequest, clock } = await openLimits(t, engine)
      await countRequest(HERE)
      clock.at += 10 * 60_000
      for (let count = 1; count < 10; count++) {
        await mailLimits.check(HERE)
        await countRequest(HERE)
      }

      await t.rejects(countRequest(HERE), after(3000))
      await t.rejects(mailLimits.check(HERE), after(3000))
      await mailLimits.check('192.0.2.2')
      await countRequest('192.0.2.2')
      await mailLimits.check(undefined)
      await countRequest(undefined)

      clock.at += 50 * 60_000 - 1
      await t.rejects(countRequest(HERE), after(1))
      clock.at += 1
      await mailLimits.check(HERE)
      await countRequest(HERE)
    })

    t.test('Fifty who ask from one network at once are owed ten', async (t) => {
      const { owe, mails } = await openLimits(t, engine)

      const results = await Promise.allSettled(Array.from({ length: 50 }, async (_, index) => { await owe(HERE, parseEmail(`user${index}@example.com`)) }))

      t.equal(results.filter(({ status }) => status === 'fulfilled').length, 10)
      t.match(results.find(({ status }) => status === 'rejected'), { reason: after(3600) })
      t.equal((await mails()).length, 10)
    })

    t.test('Who may know is told that the address has had its share', async (t) => {
      const { countMail } = await openLimits(t, engine)
      for (const kind of ['invitation', 'password_reset_by_admin', 'invitation'] as const) await countMail(kind)

      await t.rejects(countMail('invitation'), after(3600))
      await t.rejects(countMail('password_reset_by_admin'), after(3600))
    })

    t.test('What strangers ask for keeps no administrator from writing to somebody, nor the other way round', async (t) => {
      const { countMail, owe, mails } = await openLimits(t, engine)
      for (let count = 0; count < 4; count++) await owe()

      await t.resolves(countMail('invitation'))

      for (let count = 0; count < 2; count++) await countMail('password_reset_by_admin')
      t.equal((await mails()).length, 3)
    })

    t.test('Whatever else is asked for, one mail is left for a link for a new password', async (t) => {
      const { countMail, owe, mails } = await openLimits(t, engine)
      await countMail('email_change')
      for (const kind of ['email_verification', 'address_in_use', 'email_verification'] as const) await owe(HERE, ADDRESS, kind)
      await t.rejects(countMail('email_change'), after(3600))

      await owe()
      await owe()

      t.strictSame((await mails()).map(({ kind }) => kind), ['email_verification', 'password_reset'])
    })
  })
}
