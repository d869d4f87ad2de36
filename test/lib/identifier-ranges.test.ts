import t from 'tap'
import { rangesOfPrefix, type KeyRange } from '../../lib/identifier-ranges.ts'

// As the databases compare: by the bytes of UTF-8.
const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const isWithin = (key: string, { from, to }: KeyRange): boolean => order(key, from) >= 0 && order(key, to) < 0

t.test('a range holds what begins like the text and nothing else', async (t) => {
  const keys = ['a', 'ab', 'ab.c', 'abz', 'ab\u{2F800}', 'ab\uFFFD', 'ab𠀀', 'ac', 'b', '']

  const { usernames, emails } = rangesOfPrefix('ab')

  for (const range of [usernames, emails]) t.strictSame(keys.filter((key) => isWithin(key, range)), keys.filter((key) => key.startsWith('ab')))
})

t.test('the empty text is the beginning of all', async (t) => {
  const { usernames, emails } = rangesOfPrefix('')

  for (const range of [usernames, emails]) t.ok(['0', 'a', 'я', '𠀀', '東京'].every((key) => isWithin(key, range)))
})

const spellings = [
  { text: 'ADA', username: 'ada', email: 'ada@example.com' },
  { text: 'ＡＤＡ', username: 'ada', email: 'ａｄａ' },
  { text: 'Ada@Example', username: 'ada@example', email: 'ada@example.com' },
  { text: 'ada@BÜCHER.example', username: 'x', email: 'ada@xn--bcher-kva.example' },
  { text: 'ΝΙΚΟΣ', username: 'νικος', email: 'x' },
  { text: 'νικοσ', username: 'νικος', email: 'x' },
  { text: 'κως', username: 'κωστας', email: 'x' },
  { text: 'κωσ', username: 'κωσ', email: 'x' }
]
for (const { text, username, email } of spellings) {
  t.test(`${text} is canonicalised`, async (t) => {
    const { usernames, emails } = rangesOfPrefix(text)

    if (username !== 'x') t.ok(isWithin(username, usernames))
    if (email !== 'x') t.ok(isWithin(email, emails))
    t.notOk(isWithin('κωτ', usernames))
    t.notOk(isWithin('κωρ', usernames))
  })
}
