import t from 'tap'
import { formatTable } from '../../cli/output.ts'

t.test('A table has a heading, aligned columns, and no spaces at the ends of lines', async (t) => {
  const table = formatTable([{ name: 'ada', state: 'enabled' }, { name: 'grace', state: '-' }])

  t.equal(table, 'NAME   STATE\nada    enabled\ngrace  -')
})

t.test('A cell that a row does not have is empty', async (t) => {
  t.equal(formatTable([{ name: 'ada', state: 'enabled' }, { name: 'grace' }]), 'NAME   STATE\nada    enabled\ngrace')
})

t.test('A table without rows is empty', async (t) => {
  t.equal(formatTable([]), '')
})

t.test('A table may have more rows than a function takes arguments', async (t) => {
  const table = formatTable(Array.from({ length: 200_000 }, (_, index) => ({ name: `user${index}`, state: '-' })))

  t.equal(table.split('\n').length, 200_001)
})
