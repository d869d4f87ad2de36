import t from 'tap'
import { createFirstLines } from '../../lib/first-lines.ts'

t.test('A name is found in the line that had it first', async (t) => {
  const firstLines = createFirstLines()
  t.teardown(() => { firstLines.close() })

  t.equal(firstLines.find('username ada', 1), 1)
  t.equal(firstLines.find('username ben', 2), 2)
  t.equal(firstLines.find('username ada', 3), 1)
  t.equal(firstLines.find('username ada', 4), 1)
  t.equal(firstLines.find('e-mail address ada', 5), 5)
})

t.test('No two files know of each other', async (t) => {
  const [one, other] = [createFirstLines(), createFirstLines()]
  t.teardown(() => { one.close(); other.close() })

  t.equal(one.find('username ada', 1), 1)
  t.equal(other.find('username ada', 2), 2)
})
