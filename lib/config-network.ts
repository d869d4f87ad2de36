import { BlockList, isIP } from 'node:net'
import type { Environment } from '../schemas/config.ts'

/** What is wrong is added to these, by the variable's name. */
type Problems = string[]

/** The URL without a trailing slash. */
export function parsePublicUrl ({ PUBLIC_URL, PORT }: Environment, production: boolean, problems: Problems): string {
  if (PUBLIC_URL === undefined) {
    if (production) problems.push('PUBLIC_URL is required in production')
    return `http://localhost:${PORT}`
  }
  const url = URL.parse(PUBLIC_URL)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || /[?#]/.test(PUBLIC_URL)) {
    problems.push('PUBLIC_URL must be an http or https URL without credentials, query or fragment')
    return ''
  }
  // RFC 8414 section 2: the issuer is an https URL; plain http is for the own machine only.
  if (production && url.protocol !== 'https:' && !isLoopback(url.hostname)) problems.push('PUBLIC_URL must begin with https:// in production')
  return url.href.replace(/\/+$/, '')
}

export function isLoopback (hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
}

/** The ranges, or false for none. */
export function parseTrustProxy (list: string | undefined, production: boolean, problems: Problems): string[] | false {
  if (list === undefined && production) problems.push('TRUST_PROXY is required in production: the CIDR ranges of the proxies in front, or none')
  if (list === undefined || list === 'none') return false
  const ranges = list.split(',').map((range) => range.trim())
  if (!ranges.every(isRange)) problems.push('TRUST_PROXY must be none, or IP addresses and CIDR ranges separated by commas, none of which is everybody (/0)')
  return ranges
}

function isRange (range: string): boolean {
  const [address = '', prefix, ...rest] = range.split('/')
  if (isIP(address) === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  if (!/^[1-9]\d?\d?$/.test(prefix)) return false // a prefix of 0 would trust everybody
  try {
    new BlockList().addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    return false
  }
}

export function parseOrigins (list: string | undefined, problems: Problems): string[] {
  if (list === undefined) return []
  const origins = list.split(',').map((origin) => origin.trim())
  if (!origins.every((origin) => /^https?:/.test(origin) && URL.parse(origin)?.origin === origin)) {
    problems.push('CORS_ORIGINS must be origins such as https://app.example.com, separated by commas')
  }
  return origins
}
