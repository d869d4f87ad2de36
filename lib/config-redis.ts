export interface RedisConfig {
  host: string
  port: number
  username: string | undefined
  password: string | undefined
  /** The number of the database. */
  database: number
  isEncrypted: boolean
}

const DEFAULT_PORT = 6379

/** What is wrong is added to `problems`, by the variable's name. */
export function parseRedisUrl (text: string | undefined, problems: string[]): RedisConfig | undefined {
  if (text === undefined) return undefined
  const config = parse(text)
  if (config === undefined) problems.push('REDIS_URL must be redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS')
  return config
}

function parse (text: string): RedisConfig | undefined {
  const url = URL.parse(text)
  const path = url === null ? null : /^\/?(\d{0,5})$/.exec(url.pathname)
  // A query would be options of the client, which are ours to choose.
  if (url === null || path === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || /[?#]/.test(text)) return undefined
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      database: Number(path[1]),
      isEncrypted: url.protocol === 'rediss:'
    }
  } catch {
    return undefined // what is percent-encoded is no text
  }
}
