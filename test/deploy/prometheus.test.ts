import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { REPOSITORY } from '../command.ts'
import { JOHN, logIn, requestToken } from '../helper.ts'
import { buildMeasured } from '../scrape.ts'

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string, description: string }
}

interface Panel {
  id: number
  title: string
  targets: Array<{ expr: string }>
}

const read = (path: string): string => readFileSync(join(REPOSITORY, 'deploy', path), 'utf8')
const { groups } = parse(read('prometheus/alerts.yaml')) as { groups: Array<{ rules: Rule[] }> }
const rules = groups.flatMap((group) => group.rules)
const { panels } = JSON.parse(read('grafana/latchkey.json')) as { panels: Panel[] }

/** Each series that the service has, as its name and the values of its labels; with some of everything that happens. */
async function knownSeries (t: Test): Promise<Map<string, Map<string, Set<string>>>> {
  const { app, scrape } = await buildMeasured(t)
  await logIn(app)
  await requestToken(app, { ...JOHN, password: 'wrong' })
  for (const url of ['/health/ready', '/verify', '/verify/orders']) await app.inject(url)
  const known = new Map<string, Map<string, Set<string>>>()
  for (const series of (await scrape()).keys()) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? []
    const values = known.get(name) ?? new Map<string, Set<string>>()
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) values.set(label, (values.get(label) ?? new Set()).add(value))
    known.set(name, values)
  }
  return known
}

const SELECTOR = /\b((?:latchkey|nodejs|process)_\w+)(?:\{([^}]*)\})?/g
// Prometheus adds these itself.
const OF_PROMETHEUS = new Set(['job', 'instance', 'le'])
// It need not have happened yet.
const OPEN_ENDED = new Set(['status'])

function checkExpression (t: Test, expr: string, known: Map<string, Map<string, Set<string>>>): void {
  const selectors = [...expr.matchAll(SELECTOR)]
  t.ok(selectors.length > 0 || expr.startsWith('up{'), 'it looks at something')
  for (const [, name = '', matchers = ''] of selectors) {
    const labels = known.get(name)
    t.ok(labels, name)
    t.match(matchers, 'job="latchkey"')
    for (const [, label = '', operator, value = ''] of matchers.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)) {
      if (OF_PROMETHEUS.has(label)) continue
      t.ok(labels?.has(label), `${name} has ${label}`)
      if (OPEN_ENDED.has(label)) continue
      const known = [...labels?.get(label) ?? []]
      for (const alternative of operator === '=~' ? value.split('|') : []) t.ok(known.some((text) => new RegExp(`^${alternative}$`).test(text)), `${label} of ${name} is like ${alternative} at times`)
      if (operator !== '=~') t.ok(known.includes(value), `${label} of ${name} is ${value} at times`)
    }
  }
  for (const [, list = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
    for (const label of list.split(', ')) t.ok(OF_PROMETHEUS.has(label) || selectors.some(([, name = '']) => known.get(name)?.has(label)), `there is a ${label}`)
  }
}

t.test('every alert looks at figures that are there, and says what to do', async (t) => {
  const known = await knownSeries(t)

  t.ok(rules.length >= 8)
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, expr, labels, annotations } of rules) {
    t.test(alert, async (t) => {
      checkExpression(t, expr, known)
      t.ok(['warning', 'critical'].includes(labels.severity))
      t.ok(annotations.summary.length > 10 && annotations.description.length > 20)
    })
  }
})

t.test('every panel of the dashboard looks at figures that are there', async (t) => {
  const known = await knownSeries(t)

  t.strictSame(panels.map(({ id }) => id), panels.map((_, index) => index + 1))
  for (const { title, targets } of panels) {
    t.test(title, async (t) => { targets.forEach(({ expr }) => { checkExpression(t, expr, known) }) })
  }
})

t.test('every figure of the service is in the dashboard, and docs/operations.md says what it is', async (t) => {
  const known = await knownSeries(t)
  const names = [...known.keys()].filter((name) => name.startsWith('latchkey_')).map((name) => name.replace(/_(?:bucket|sum|count)$/, ''))
  const shown = panels.flatMap(({ targets }) => targets).map(({ expr }) => expr).join('\n')
  const operations = readFileSync(join(REPOSITORY, 'docs/operations.md'), 'utf8')

  for (const name of new Set(names)) {
    t.ok(shown.includes(name), `${name} is shown`)
    t.ok(operations.includes(`| \`${name}\``), `${name} is explained`)
  }
})

t.test('docs/operations.md has a row for every alert', async (t) => {
  const operations = readFileSync(join(REPOSITORY, 'docs/operations.md'), 'utf8')

  const rows = [...operations.matchAll(/^\| `(Latchkey\w+)` \|/gm)].map(([, alert]) => alert)

  t.strictSame(rows, rules.map(({ alert }) => alert))
})
