export type DatabaseConfig =
  | { engine: 'sqlite', path: string }
  /** With the credentials. */
  | { engine: 'postgres', url: string }

// libpq's others go on without encryption when the server, or somebody in between, has none.
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

/** What is wrong is added to `problems`, by the variable's name. */
export function parseDatabaseUrl (text: string, problems: string[]): DatabaseConfig {
  if (/^postgres(?:ql)?:/.test(text)) return { engine: 'postgres', url: parsePostgresUrl(text, problems) }
  const path = /^file:(?:\/\/(?=\/))?(.+)$/.exec(text)?.[1]
  if (path === undefined || path.includes('?') || path.startsWith(':')) {
    problems.push('DATABASE_URL must be file:PATH or postgres://USER:PASSWORD@HOST/DATABASE')
    return { engine: 'sqlite', path: '' }
  }
  return { engine: 'sqlite', path }
}

function parsePostgresUrl (text: string, problems: string[]): string {
  const url = URL.parse(text)
  const mode = url?.searchParams.get('sslmode') ?? null
  if (url === null || !/^postgres(?:ql)?:\/\//.test(text) || url.pathname.length <= 1) {
    problems.push('DATABASE_URL must be file:PATH or postgres://USER:PASSWORD@HOST/DATABASE')
  } else if (mode !== null && !SSL_MODES.includes(mode)) {
    problems.push(`DATABASE_URL has an sslmode that is not one of ${SSL_MODES.join(', ')}`)
  } else if (mode === 'verify-ca' && !url.searchParams.has('sslrootcert')) {
    problems.push('DATABASE_URL needs an sslrootcert with sslmode=verify-ca')
  }
  return text
}
