import t from 'tap'
import { failuresOf, RULES, waitMs, type RuleName } from '../../../lib/throttle/rules.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const NOW = Date.UTC(2030, 0, 1)

/** The wait right after so many. */
const waitAfter = (name: RuleName, failures: number): number => waitMs(RULES[name], { failures, anchoredAt: NOW }, NOW)

const waits: Array<{ rule: RuleName, after: Record<number, number> }> = [
  { rule: 'account_network', after: { 0: 0, 1: 0, 4: 0, 5: SECOND, 6: 2 * SECOND, 7: 4 * SECOND, 14: 512 * SECOND, 15: 15 * MINUTE, 16: 15 * MINUTE, 100_000: 15 * MINUTE } },
  { rule: 'account', after: { 0: 0, 19: 0, 20: 45 * SECOND, 21: 45 * SECOND, 5000: 45 * SECOND } },
  { rule: 'network', after: { 0: 0, 99: 0, 100: MINUTE, 5000: MINUTE } },
  { rule: 'mail_address', after: { 0: 0, 2: 0, 3: HOUR } },
  { rule: 'mail_network', after: { 0: 0, 9: 0, 10: HOUR } }
]
for (const { rule, after } of waits) {
  t.test(`${rule} holds up by what was counted`, async (t) => {
    for (const [failures, wait] of Object.entries(after)) t.equal(waitAfter(rule, Number(failures)), wait, `after ${failures}`)
    t.equal(waitMs(RULES[rule], undefined, NOW), 0, 'after nothing')
    t.equal(RULES[rule].name, rule)
  })
}

const anchors: Array<{ rule: RuleName, anchor: string, forgetMs: number }> = [
  { rule: 'account_network', anchor: 'last', forgetMs: HOUR },
  { rule: 'account', anchor: 'last', forgetMs: HOUR },
  { rule: 'network', anchor: 'first', forgetMs: MINUTE },
  { rule: 'mail_address', anchor: 'last', forgetMs: HOUR },
  { rule: 'mail_network', anchor: 'first', forgetMs: HOUR }
]
for (const { rule, anchor, forgetMs } of anchors) {
  t.test(`${rule} counts from the ${anchor} one and forgets after ${forgetMs / SECOND} seconds`, async (t) => {
    t.match(RULES[rule], { anchor, forgetMs })
    const state = { failures: 1000, anchoredAt: NOW }

    t.equal(failuresOf(RULES[rule], state, NOW + forgetMs - 1), 1000)
    t.equal(failuresOf(RULES[rule], state, NOW + forgetMs), 0)
    t.equal(failuresOf(RULES[rule], undefined, NOW), 0)
    t.equal(waitMs(RULES[rule], state, NOW + forgetMs), 0)
  })
}

t.test('a wait gets shorter with time, and ends', async (t) => {
  const state = { failures: 20, anchoredAt: NOW }

  t.equal(waitMs(RULES.account, state, NOW + 44_999), 1)
  t.equal(waitMs(RULES.account, state, NOW + 45_000), 0)
  t.equal(waitMs(RULES.account, state, NOW + 45_001), 0)
})

t.test('after the clock was set back nobody waits longer than the rule says, nor for ever', async (t) => {
  for (const rule of Object.values(RULES)) {
    const soon = { failures: rule.free, anchoredAt: NOW + rule.forgetMs - 1 }
    const far = { failures: rule.free, anchoredAt: NOW + rule.forgetMs }

    t.equal(waitMs(rule, soon, NOW), rule.delayMs(rule.free))
    t.equal(waitMs(rule, far, NOW), 0)
    t.equal(failuresOf(rule, soon, NOW), rule.free)
    t.equal(failuresOf(rule, far, NOW), 0)
  }
})

t.test('with an account there are at most 100 failures of strangers in any hour', async (t) => {
  const { account } = RULES
  const times: number[] = []
  let failures = 0
  for (let now = NOW; now <= NOW + 3 * HOUR; now += SECOND) {
    while (waitMs(account, { failures, anchoredAt: times.at(-1) ?? 0 }, now) === 0) {
      failures = failuresOf(account, { failures, anchoredAt: times.at(-1) ?? 0 }, now) + 1
      times.push(now)
    }
  }

  const mostInAnHour = Math.max(...times.map((from) => times.filter((time) => time >= from && time <= from + HOUR).length))
  t.equal(mostInAnHour, 100)
})
