import t from 'tap'
import { findFaults } from './check.ts'
import type { Act, Operation, Outcome } from './operation.ts'

const CONTRACT = { password: 'first', heardWithinMs: 1000 }

/** One line of a history: when it began and ended, who answered, what was asked, how it ended. */
type Line = [from: number, to: number, replica: string, act: Act, outcome?: Outcome]

const opened: Line = [0, 10, 'one', { kind: 'log in', password: 'first', opens: { session: 's', token: 'a' } }]
const alsoOpened: Line = [0, 10, 'two', { kind: 'log in', password: 'first', opens: { session: 'other', token: 'x' } }]
const use: Act = { kind: 'use session', session: 's' }
const useOther: Act = { kind: 'use session', session: 'other' }
const revoke: Act = { kind: 'revoke', session: 's' }
const change: Act = { kind: 'change password', session: 's', current: 'first', next: 'second' }
const again: Act = { kind: 'change password', session: 's', current: 'first', next: 'third' }
const link: Line = [20, 30, 'mail', { kind: 'mail link', link: 'l' }]
const logIn = (password: string): Act => ({ kind: 'log in', password })
const refresh = (token: string, successor?: string): Act => ({ kind: 'refresh', session: 's', token, ...successor !== undefined && { successor } })
const reset = (next: string): Act => ({ kind: 'reset password', link: 'l', next })

const rules: Array<{ rule: string, good: Line[], bad: Line[] }> = [
  {
    rule: 'a revoked session is refused from then on by the replica that revoked it',
    good: [opened, [20, 40, 'one', revoke], [30, 50, 'one', use], [50, 60, 'one', use, 'refused']],
    bad: [opened, [20, 40, 'one', revoke], [50, 60, 'one', use]]
  },
  {
    rule: 'a revoked session is refused by the other replica when it must have heard of it',
    good: [opened, [20, 40, 'one', revoke], [1030, 1060, 'two', use], [1050, 1060, 'two', use, 'refused']],
    bad: [opened, [20, 40, 'one', revoke], [1050, 1060, 'two', use]]
  },
  {
    rule: 'what a replica believes does not go back behind what it has changed itself',
    good: [opened, alsoOpened, [20, 40, 'two', { ...change, session: 'other' }], [50, 60, 'one', use], [70, 80, 'one', { kind: 'revoke', session: 'other' }], [90, 100, 'one', use, 'refused']],
    bad: [opened, alsoOpened, [20, 40, 'two', { ...change, session: 'other' }], [70, 80, 'one', { kind: 'revoke', session: 'other' }], [90, 100, 'one', use]]
  },
  {
    rule: 'who finds a session ended by another replica has not heard yet what else that one has done',
    good: [opened, [20, 40, 'two', revoke], [30, 50, 'one', revoke], [60, 70, 'one', use]],
    bad: [opened, [20, 40, 'two', revoke], [30, 50, 'one', revoke], [1060, 1070, 'one', use]]
  },
  {
    rule: 'a revoked session has no more refreshes, whoever is asked',
    good: [opened, [20, 40, 'one', revoke], [30, 50, 'two', refresh('a', 'b')], [60, 70, 'two', refresh('b'), 'refused']],
    bad: [opened, [20, 40, 'one', revoke], [50, 60, 'two', refresh('a', 'b')]]
  },
  {
    rule: 'a session that nobody has ended is not refused',
    good: [opened, [15, 60, 'one', revoke, 'unknown'], [20, 30, 'two', use, 'refused']],
    bad: [opened, [20, 30, 'two', use, 'refused']]
  },
  {
    rule: 'a refused session does not come back',
    good: [opened, [15, Infinity, 'one', revoke, 'unknown'], [20, 30, 'two', use], [2000, 2010, 'two', use, 'refused']],
    bad: [opened, [15, Infinity, 'one', revoke, 'unknown'], [20, 30, 'two', use, 'refused'], [2000, 2010, 'two', use]]
  },
  {
    rule: 'a refresh token has one successor',
    good: [opened, [20, 40, 'one', refresh('a', 'b')], [20, 40, 'two', refresh('a', 'b')]],
    bad: [opened, [20, 40, 'one', refresh('a', 'b')], [20, 40, 'two', refresh('a', 'c')]]
  },
  {
    rule: 'a refresh without an answer has one successor too',
    good: [opened, [20, Infinity, 'one', refresh('a'), 'unknown'], [50, 60, 'two', refresh('a', 'b')], [70, 80, 'two', refresh('b', 'c')]],
    bad: [opened, [20, Infinity, 'one', refresh('a'), 'unknown'], [50, 60, 'two', refresh('a', 'b')], [70, 80, 'two', refresh('a', 'c')]]
  },
  {
    rule: 'the newest refresh token and the one before are good',
    good: [opened, [20, 30, 'one', refresh('a', 'b')], [40, 50, 'two', refresh('a', 'b')], [60, 70, 'two', refresh('b', 'c')]],
    bad: [opened, [20, 30, 'one', refresh('a', 'b')], [40, 50, 'two', refresh('a'), 'refused']]
  },
  {
    rule: 'an older refresh token is theft, which ends the session',
    good: [opened, [20, 30, 'one', refresh('a', 'b')], [40, 50, 'two', refresh('b', 'c')], [60, 70, 'two', refresh('a'), 'refused'], [80, 90, 'one', refresh('c'), 'refused']],
    bad: [opened, [20, 30, 'one', refresh('a', 'b')], [40, 50, 'two', refresh('b', 'c')], [60, 70, 'two', refresh('a'), 'refused'], [80, 90, 'one', refresh('c', 'd')]]
  },
  {
    rule: 'an older refresh token has no successor any more',
    good: [opened, [20, 30, 'one', refresh('a', 'b')], [40, 60, 'two', refresh('b', 'c')], [50, 70, 'two', refresh('a', 'b')]],
    bad: [opened, [20, 30, 'one', refresh('a', 'b')], [40, 60, 'two', refresh('b', 'c')], [70, 80, 'two', refresh('a', 'b')]]
  },
  {
    rule: 'the old password is refused once there is another',
    good: [opened, [20, 40, 'one', change], [30, 50, 'two', logIn('first')], [60, 70, 'two', logIn('first'), 'refused']],
    bad: [opened, [20, 40, 'one', change], [50, 60, 'two', logIn('first')]]
  },
  {
    rule: 'the new password is never refused',
    good: [opened, [20, 40, 'one', change], [30, 50, 'two', logIn('second'), 'refused'], [60, 70, 'two', logIn('second')]],
    bad: [opened, [20, 40, 'one', change], [50, 60, 'two', logIn('second'), 'refused']]
  },
  {
    rule: 'a new password ends the other sessions, and no others',
    good: [opened, alsoOpened, [20, 40, 'one', change], [50, 60, 'one', useOther, 'refused'], [50, 60, 'one', use]],
    bad: [opened, alsoOpened, [20, 40, 'one', change], [50, 60, 'one', use, 'refused']]
  },
  {
    rule: 'a session of the old password does not outlive it, however late its log-in was answered',
    good: [opened, [20, 40, 'one', change], [30, 80, 'two', { kind: 'log in', password: 'first', opens: { session: 'other', token: 'x' } }], [90, 95, 'two', { kind: 'refresh', session: 'other', token: 'x' }, 'refused']],
    bad: [opened, [20, 40, 'one', change], [30, 80, 'two', { kind: 'log in', password: 'first', opens: { session: 'other', token: 'x' } }], [90, 95, 'two', { kind: 'refresh', session: 'other', token: 'x', successor: 'y' }]]
  },
  {
    rule: 'of two changes from one password one is made',
    good: [opened, [20, 40, 'one', change], [20, 40, 'two', again, 'refused']],
    bad: [opened, [20, 40, 'one', change], [20, 40, 'two', again]]
  },
  {
    rule: 'a change without an answer was made or not, and stays so',
    good: [opened, [20, Infinity, 'one', change, 'unknown'], [50, 60, 'two', logIn('first')], [70, 80, 'two', logIn('second')], [90, 95, 'two', logIn('first'), 'refused']],
    bad: [opened, [20, Infinity, 'one', change, 'unknown'], [70, 80, 'two', logIn('second')], [90, 95, 'two', logIn('first')]]
  },
  {
    rule: 'a change without an answer explains everything or nothing',
    good: [opened, alsoOpened, [20, Infinity, 'one', change, 'unknown'], [50, 60, 'two', useOther, 'refused'], [70, 80, 'two', logIn('first'), 'refused']],
    bad: [opened, alsoOpened, [20, Infinity, 'one', change, 'unknown'], [50, 60, 'two', useOther, 'refused'], [70, 80, 'two', logIn('first')]]
  },
  {
    rule: 'a link is used once',
    good: [opened, link, [40, 60, 'one', reset('second')], [40, 60, 'two', reset('third'), 'refused'], [70, 80, 'two', logIn('second')]],
    bad: [opened, link, [40, 60, 'one', reset('second')], [50, 70, 'two', reset('third')]]
  },
  {
    rule: 'a link is good until it is used',
    good: [opened, link, [40, Infinity, 'one', reset('second'), 'unknown'], [50, 60, 'two', reset('third'), 'refused'], [70, 80, 'two', logIn('second')]],
    bad: [opened, link, [50, 60, 'two', reset('third'), 'refused']]
  },
  {
    rule: 'a new password makes the link void',
    good: [opened, link, [40, 60, 'one', change], [50, 70, 'two', reset('third'), 'refused'], [80, 90, 'two', logIn('second')]],
    bad: [opened, link, [40, 60, 'one', change], [70, 80, 'two', reset('third')]]
  },
  {
    rule: 'a password by a link ends all sessions',
    good: [opened, link, [40, 60, 'one', reset('second')], [70, 80, 'one', use, 'refused']],
    bad: [opened, link, [40, 60, 'one', reset('second')], [70, 80, 'one', use]]
  }
]

function toHistory (lines: Line[]): Operation[] {
  return lines.map(([invokedAt, completedAt, replica, act, outcome = 'ok']) => ({ user: 'ada', replica, act, outcome, invokedAt, completedAt }))
}

for (const { rule, good, bad } of rules) {
  t.test(rule, async (t) => {
    t.strictSame(findFaults(toHistory(good), CONTRACT), [])
    t.match(findFaults(toHistory(bad), CONTRACT), [/^ada at /])
  })
}

t.test('users have nothing to do with each other', async (t) => {
  const history = toHistory([opened, [20, 40, 'one', change], [50, 60, 'two', logIn('first')]]).map((operation, index) => ({ ...operation, user: index === 2 ? 'bob' : 'ada' }))

  t.strictSame(findFaults(history, CONTRACT), [])
})

t.test('a search that gives up says so', async (t) => {
  const links = Array.from({ length: 15 }, (_, index): Line => [20, Infinity, 'mail', { kind: 'mail link', link: `l${index}` }, 'unknown'])

  const faults = findFaults(toHistory([opened, ...links, [50, 60, 'two', logIn('another')]]), CONTRACT)

  t.match(faults, [/^Nothing is proven: the search gave up after 20000 positions/, /^ada at two from 50/])
})
