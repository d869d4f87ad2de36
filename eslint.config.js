import neostandard from 'neostandard'

export default [
  { ignores: ['.tap/**', 'data/**'] },
  ...neostandard({ ts: true }),
  {
    rules: {
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error'
    }
  }
]
