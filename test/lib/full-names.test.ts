import t from 'tap'
import { parseFullName } from '../../lib/identifiers.ts'

const refused = (message: RegExp) => ({ name: 'ValidationError', code: 'validation_failed', statusCode: 400, message })

t.test('parseFullName', async (t) => {
  const names = [
    { name: 'keeps a name as typed', text: "Ada  King-O'Neill, 3rd", fullName: "Ada  King-O'Neill, 3rd" },
    { name: 'composes', text: 'Rene\u0301', fullName: 'René' },
    { name: 'keeps compatibility characters', text: 'ﬁona', fullName: 'ﬁona' },
    { name: 'keeps scripts mixed', text: '山田 (Yamada) 😀', fullName: '山田 (Yamada) 😀' },
    { name: 'keeps joiners', text: 'क्\u200dष', fullName: 'क्\u200dष' },
    { name: 'keeps 200 characters outside the basic plane', text: '𠮷'.repeat(200), fullName: '𠮷'.repeat(200) }
  ]
  for (const { name, text, fullName } of names) {
    t.test(name, async (t) => {
      t.equal(parseFullName(text), fullName)
    })
  }

  const faults = [
    { name: 'no text', text: '', message: /1 to 200/ },
    { name: 'spaces alone', text: ' \u3000', message: /1 to 200/ },
    { name: 'nothing that is seen', text: '\u200b\u00ad', message: /1 to 200/ },
    { name: '201 characters', text: 'x'.repeat(201), message: /1 to 200/ },
    { name: 'a NUL', text: 'Ada\0', message: /control/ },
    { name: 'a tab', text: 'Ada\tKing', message: /control/ },
    { name: 'a header after a line break', text: 'Ada\r\nBcc: x@y', message: /control/ },
    { name: 'a C1 line break', text: 'Ada\u0085', message: /control/ },
    { name: 'a line separator', text: 'Ada\u2028King', message: /control/ },
    { name: 'a paragraph separator', text: 'Ada\u2029King', message: /control/ },
    { name: 'a bidi override', text: 'Ada\u202eKing', message: /control/ },
    { name: 'a bidi isolate', text: 'Ada\u2066King', message: /control/ },
    { name: 'a lone surrogate', text: 'Ada\ud800', message: /control/ }
  ]
  for (const { name, text, message } of faults) {
    t.test(`refuses ${name}`, async (t) => {
      t.throws(() => parseFullName(text), refused(message))
    })
  }

  t.test('does no work on text that no name is typed with', async (t) => {
    const normalize = t.capture(String.prototype, 'normalize', String.prototype.normalize)

    t.throws(() => parseFullName('x'.repeat(200 * 6 + 1)), refused(/1 to 200/))

    t.equal(normalize().length, 0)
  })
})
