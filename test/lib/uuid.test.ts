import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { isUuid } from '../../lib/uuid.ts'

t.test('The identifiers that are made here are UUIDs', async (t) => {
  t.equal(isUuid(uuidv7()), true)
})

t.test('Nothing else is one', async (t) => {
  const id = '019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b'
  for (const text of ['', 'x', '1', id.toUpperCase(), id.replaceAll('-', ''), `{${id}}`, ` ${id}`, `${id} `, `${id}\n`, `${id}\0`, `${id},${id}`, id.replace('a', 'g'), `urn:uuid:${id}`]) {
    t.equal(isUuid(text), false, JSON.stringify(text))
  }
})
