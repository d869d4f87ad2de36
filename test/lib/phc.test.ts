import { hash as argon2 } from '@node-rs/argon2'
import fc from 'fast-check'
import t from 'tap'
import { missingCost, needsRehash, parseArgon2Hash } from '../../lib/phc.ts'

const base64 = (bytes: number): string => Buffer.alloc(bytes, 0xa5).toString('base64').replaceAll('=', '')

function phc ({ variant = 'argon2id', v = '19', m = '19456', t = '2', p = '1', salt = base64(16), digest = base64(32) } = {}): string {
  return `$${variant}$v=${v}$m=${m},t=${t},p=${p}$${salt}$${digest}`
}

const parsed = {
  variant: 'argon2id', version: 19, memoryKib: 19456, timeCost: 2, parallelism: 1, saltLength: 16, hashLength: 32
} as const
const settings = { memoryKib: 19456, timeCost: 2, parallelism: 1 }

t.test('parseArgon2Hash', async (t) => {
  const accepted = [
    { name: 'today\'s settings', text: phc(), hash: parsed },
    { name: 'argon2i', text: phc({ variant: 'argon2i' }), hash: { ...parsed, variant: 'argon2i' } },
    { name: 'argon2d', text: phc({ variant: 'argon2d' }), hash: { ...parsed, variant: 'argon2d' } },
    { name: 'version 16', text: phc({ v: '16' }), hash: { ...parsed, version: 16 } },
    { name: '8 KiB for one lane', text: phc({ m: '8' }), hash: { ...parsed, memoryKib: 8 } },
    { name: '128 KiB for 16 lanes', text: phc({ m: '128', p: '16' }), hash: { ...parsed, memoryKib: 128, parallelism: 16 } },
    { name: '256 MiB in four passes', text: phc({ m: '262144', t: '4' }), hash: { ...parsed, memoryKib: 262144, timeCost: 4 } },
    { name: 'one pass', text: phc({ t: '1' }), hash: { ...parsed, timeCost: 1 } },
    { name: '20 passes', text: phc({ t: '20' }), hash: { ...parsed, timeCost: 20 } },
    { name: 'the shortest salt and hash', text: phc({ salt: base64(8), digest: base64(12) }), hash: { ...parsed, saltLength: 8, hashLength: 12 } },
    { name: 'the longest salt and hash', text: phc({ salt: base64(64), digest: base64(64) }), hash: { ...parsed, saltLength: 64, hashLength: 64 } }
  ]
  for (const { name, text, hash } of accepted) {
    t.test(`reads ${name}`, async (t) => {
      t.same(parseArgon2Hash(text), hash)
    })
  }

  t.test('reads what the hash library writes', async (t) => {
    const text = await argon2('correct horse', { memoryCost: 16, timeCost: 3, parallelism: 2 })

    t.same(parseArgon2Hash(text), { ...parsed, memoryKib: 16, timeCost: 3, parallelism: 2 })
  })

  const refused = [
    { name: 'no text', text: '' },
    { name: 'bcrypt', text: '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW' },
    { name: 'scrypt', text: '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E' },
    { name: 'another variant', text: phc({ variant: 'argon2x' }) },
    { name: 'a variant in capitals', text: phc({ variant: 'ARGON2ID' }) },
    { name: 'no version', text: phc().replace('$v=19', '') },
    { name: 'another version', text: phc({ v: '18' }) },
    { name: 'parameters in another order', text: phc().replace('m=19456,t=2', 't=2,m=19456') },
    { name: 'a parameter twice', text: phc().replace('t=2', 't=2,t=2') },
    { name: 'a key id', text: phc().replace('p=1', 'p=1,keyid=AAAA') },
    { name: 'a leading zero', text: phc({ t: '02' }) },
    { name: 'a sign', text: phc({ t: '+2' }) },
    { name: 'a negative number', text: phc({ t: '-2' }) },
    { name: 'a fraction', text: phc({ t: '2.0' }) },
    { name: 'an exponent', text: phc({ t: '2e0' }) },
    { name: 'digits that are not ASCII', text: phc({ t: '٢' }) },
    { name: 'no hash', text: phc().slice(0, phc().lastIndexOf('$')) },
    { name: 'an empty hash', text: phc({ digest: '' }) },
    { name: 'one part more', text: `${phc()}$AAAA` },
    { name: 'a space in front', text: ` ${phc()}` },
    { name: 'a line break at the end', text: `${phc()}\n` },
    { name: 'padding in the salt', text: phc({ salt: `${base64(16)}==` }) },
    { name: 'padding in the hash', text: phc({ digest: `${base64(32)}=` }) },
    { name: 'the alphabet of base64url', text: phc({ salt: '-'.repeat(22) }) },
    { name: 'a salt with loose bits', text: phc({ salt: `${base64(16).slice(0, -1)}R` }) },
    { name: 'a hash with loose bits', text: phc({ digest: `${base64(32).slice(0, -1)}V` }) },
    { name: 'a salt of an impossible length', text: phc({ salt: 'A'.repeat(21) }) },
    { name: '7 KiB', text: phc({ m: '7' }) },
    { name: 'less than 8 KiB a lane', text: phc({ m: '31', p: '4' }) },
    { name: 'over 256 MiB', text: phc({ m: '262145', t: '1' }) },
    { name: 'over 1 GiB in all passes', text: phc({ m: '209716', t: '5' }) },
    { name: '4 TiB', text: phc({ m: '4294967295' }) },
    { name: 'more memory than fits in 32 bits', text: phc({ m: '4294967304' }) },
    { name: 'no memory', text: phc({ m: '0' }) },
    { name: 'no pass', text: phc({ t: '0' }) },
    { name: '21 passes', text: phc({ t: '21' }) },
    { name: 'a thousand million passes', text: phc({ t: '1000000000' }) },
    { name: 'no lane', text: phc({ p: '0' }) },
    { name: '17 lanes', text: phc({ p: '17' }) },
    { name: 'a salt of 7 bytes', text: phc({ salt: base64(7) }) },
    { name: 'a salt of 65 bytes', text: phc({ salt: base64(65) }) },
    { name: 'a hash of 11 bytes', text: phc({ digest: base64(11) }) },
    { name: 'a hash of 65 bytes', text: phc({ digest: base64(65) }) }
  ]
  for (const { name, text } of refused) {
    t.test(`does not read ${name}`, async (t) => {
      t.equal(parseArgon2Hash(text), undefined)
    })
  }

  t.test('does not look at more than 512 characters', async (t) => {
    const decode = t.capture(Buffer, 'from', Buffer.from)

    t.equal(parseArgon2Hash(phc({ digest: 'A'.repeat(512) })), undefined)

    t.equal(decode().length, 0)
  })

  t.test('never throws', async (t) => {
    fc.assert(fc.property(fc.string(), fc.nat({ max: phc().length }), (text, at) => {
      parseArgon2Hash(text)
      parseArgon2Hash(phc().slice(0, at) + text + phc().slice(at))
    }))
  })
})

t.test('needsRehash', async (t) => {
  t.test('keeps a hash with exactly the settings, whatever the salt', async (t) => {
    t.equal(needsRehash(parsed, settings), false)
    t.equal(needsRehash({ ...parsed, saltLength: 8, hashLength: 64 }, settings), false)
  })

  const replaced = [
    { name: 'another variant', hash: { ...parsed, variant: 'argon2i' as const } },
    { name: 'an old version', hash: { ...parsed, version: 16 } },
    { name: 'less memory', hash: { ...parsed, memoryKib: 19455 } },
    { name: 'more memory', hash: { ...parsed, memoryKib: 65536 } },
    { name: 'fewer passes', hash: { ...parsed, timeCost: 1 } },
    { name: 'more passes', hash: { ...parsed, timeCost: 3 } },
    { name: 'more lanes', hash: { ...parsed, parallelism: 2 } }
  ]
  for (const { name, hash } of replaced) {
    t.test(`replaces a hash with ${name}`, async (t) => {
      t.equal(needsRehash(hash, settings), true)
    })
  }
})

t.test('missingCost', async (t) => {
  const settings = { memoryKib: 19456, timeCost: 2, parallelism: 1 }
  const costs = [
    { name: 'nothing is missing to the same cost', hash: {}, missing: undefined },
    { name: 'nor to more memory', hash: { memoryKib: 65536 }, missing: undefined },
    { name: 'a pass of the same memory', hash: { timeCost: 1 }, missing: { memoryKib: 19456, timeCost: 1, parallelism: 1 } },
    { name: 'less than a pass', hash: { memoryKib: 16456 }, missing: { memoryKib: 6000, timeCost: 1, parallelism: 1 } },
    { name: 'more than a pass, in no more memory than the settings have', hash: { memoryKib: 4096, timeCost: 1 }, missing: { memoryKib: 17408, timeCost: 2, parallelism: 1 } },
    { name: 'as little as a hash can cost', hash: { memoryKib: 19455 }, missing: { memoryKib: 8, timeCost: 1, parallelism: 1 } }
  ]
  for (const { name, hash, missing } of costs) {
    t.test(name, async (t) => { t.strictSame(missingCost({ ...parsed, memoryKib: 19456, timeCost: 2, ...hash }, settings), missing) })
  }
})
