import { createHmac } from 'node:crypto'
import { MALFORMED, tooCostly, type ReadHash } from './format.ts'

// Each step doubles the time.
const MIN_COST = 4
const MAX_COST = 15

const PREFIX = /^\$(?:wp\$)?2[aby]\$/
// The last characters of salt and digest have bits that stand for nothing; the library takes only zeros there.
const HASH = /^(?<wordpress>\$wp)?(?<hash>\$2[aby]\$(?<cost>\d\d)\$[.\/A-Za-z0-9]{21}[.Oeu][.\/A-Za-z0-9]{30}[.CGKOSWaeimquy26])$/v

/** WordPress 6.8 and later hashes this instead, because bcrypt sees no more than 72 bytes. */
function wordpressDigest (password: string): string {
  return createHmac('sha384', 'wp-sha384').update(password).digest('base64')
}

/** `$2a$`, `$2b$` and `$2y$`, which name the same algorithm, and `$wp$2y$` of WordPress. As everywhere, only the first 72 bytes count. */
export const readBcrypt: ReadHash = (text) => {
  if (!PREFIX.test(text)) return undefined
  const { wordpress, hash, cost } = HASH.exec(text)?.groups ?? {}
  if (hash === undefined || Number(cost) < MIN_COST) return MALFORMED
  if (Number(cost) > MAX_COST) return tooCostly(`bcrypt is taken up to cost ${MAX_COST}`)
  return {
    async verify (password) {
      const bcrypt = await import('@node-rs/bcrypt') // takes 2 MB, and few have such hashes
      return await bcrypt.verify(wordpress === undefined ? password : wordpressDigest(password), hash)
    }
  }
}
