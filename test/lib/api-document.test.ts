import t from 'tap'
import { finishDocument } from '../../lib/api-document.ts'

const POINT = { title: 'Point', type: 'object', properties: { x: { type: 'integer' } } }

const answer = (schema: object): object => ({ responses: { 200: { description: 'Here', content: { 'application/json': { schema } } } } })

t.test('A schema with a title becomes a component, without what describes it where it is used', async (t) => {
  const document = finishDocument({
    paths: { '/a': { get: answer({ description: 'Here', ...POINT }) }, '/b': { get: answer({ type: 'array', items: POINT }) } },
    components: { securitySchemes: { password: {} } }
  }, [])

  t.strictSame(document, {
    paths: { '/a': { get: answer({ $ref: '#/components/schemas/Point' }) }, '/b': { get: answer({ type: 'array', items: { $ref: '#/components/schemas/Point' } }) } },
    components: { securitySchemes: { password: {} }, schemas: { Point: POINT } }
  })
})

t.test('A named schema inside a named schema is referred to as well', async (t) => {
  const { components } = finishDocument({ paths: { '/a': { get: { title: 'Line', type: 'array', items: POINT } } } }, [])

  t.strictSame(components, { schemas: { Point: POINT, Line: { title: 'Line', type: 'array', items: { $ref: '#/components/schemas/Point' } } } })
})

t.test('A member that happens to be called title stays what it is', async (t) => {
  const book = { type: 'object', properties: { title: { type: 'string' }, type: { type: 'string' } } }

  const { paths, components } = finishDocument({ paths: { '/a': { get: answer(book) } } }, [])

  t.strictSame(paths, { '/a': { get: answer(book) } })
  t.strictSame(components, { schemas: {} })
})

t.test('Two different schemas may not have one name', async (t) => {
  const paths = { '/a': { get: POINT, post: { ...POINT, type: 'array' } } }

  t.throws(() => finishDocument({ paths }, []), { message: 'Two schemas are called Point' })
})

t.test('The paths that are to come first do, in that order, and the others stay as they were', async (t) => {
  const { paths } = finishDocument({ paths: { '/d': {}, '/c': {}, '/b': {}, '/a': {} } }, ['/a', '/c'])

  t.strictSame(Object.keys(paths ?? {}), ['/a', '/c', '/d', '/b'])
})

t.test('A document without paths is none the worse', async (t) => {
  t.strictSame(finishDocument({}, ['/a']), { paths: {}, components: { schemas: {} } })
})
