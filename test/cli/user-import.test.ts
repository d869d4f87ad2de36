import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { databasePath, readAudit, readRows, runCommand } from '../command.ts'
import { ARGON2_SAMPLES, FOREIGN_SAMPLES, PASSPHRASE } from '../fixtures/foreign-hashes.ts'
import { build, logIn, testEnv } from '../helper.ts'
import { ADA, BCRYPT, jsonLines, runImport, usernamesIn } from '../importing.ts'

t.test('latchkey user import', async (t) => {
  t.test('makes users who log in with the password that they have, by the operator', async (t) => {
    const env = testEnv(t)

    const result = await runImport(t, env, jsonLines(ADA, { username: 'ben', disabled: true }))

    t.same(result, { code: 0, stdout: '2 imported, 0 there already, 0 refused\n', stderr: '' })
    const app = await build(t, env)
    t.match((await logIn(app, { grant_type: 'password', username: 'ada@example.com', password: PASSPHRASE })).scope, /\busers:write\b/)
    t.match(await app.users.list(), [
      { username: 'ada', email: 'ada@example.com', emailVerifiedAt: null, fullName: 'Ada Lovelace', disabledAt: null, roles: ['user', 'admin'] },
      { username: 'ben', email: null, fullName: null, disabledAt: Number, roles: ['user'] }
    ])
    t.match(readAudit(env).filter(({ type }) => type === 'user_imported'), Array(2).fill({ type: 'user_imported', outcome: 'success', actor_id: 'operator', user_id: String }))
  })

  t.test('reaches a server that runs', async (t) => {
    const env = testEnv(t)
    const app = await build(t, env)

    const { code } = await runImport(t, env, jsonLines(ADA))

    t.equal(code, 0)
    t.ok(await logIn(app, { grant_type: 'password', username: 'ada', password: PASSPHRASE }))
  })

  t.test('takes every format, and keeps each hash as it is', async (t) => {
    const env = testEnv(t)
    const hashes = [...ARGON2_SAMPLES, ...FOREIGN_SAMPLES].map(({ hash }) => hash)

    const { code, stdout } = await runImport(t, env, jsonLines(...hashes.map((hash, number) => ({ username: `user${number}`, password_hash: hash }))))

    t.same([code, stdout], [0, `${hashes.length} imported, 0 there already, 0 refused\n`])
    t.same(readRows(databasePath(env), 'select password_hash from users order by id').map(({ password_hash: hash }) => hash), hashes)
  })

  t.test('reads standard input', async (t) => {
    const env = testEnv(t)

    const result = await runCommand(env, ['user', 'import', '-'], { input: jsonLines(ADA) })

    t.same(result, { code: 0, stdout: '1 imported, 0 there already, 0 refused\n', stderr: '' })
    t.same(usernamesIn(env), ['ada'])
  })

  t.test('names each line that it refuses by number and reason, in order, and takes all others', async (t) => {
    const env = testEnv(t)
    const content = Buffer.concat([
      Buffer.from('\ufeff'),
      Buffer.from(jsonLines(ADA)),
      Buffer.from('\r\n  \n'),
      Buffer.from(jsonLines(
        { username: 'b c' },
        { username: 'ced', password_hash: BCRYPT.replace('$10$', '$31$') },
        { username: 'ced', password_hash: '$scrypt$ln=30,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E' },
        { username: 'ced', password_hash: 'pbkdf2_sha256$2147483648$salt$DRAOIbjvOGA9VLnPc4Jn2GO3AWU3C0zSaz6uaBxtFvg=' },
        { username: 'ced', password_hash: '{SSHA}!!!' },
        { username: 'ced', password_hash: 'pbkdf2:sha256:1000$$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56' },
        { username: 'ced', password: 'hunter2' },
        { username: 'dan', roles: ['king'] },
        { username: 'ADA' },
        { username: 'eve', email: 'ADA@example.com' }
      )),
      Buffer.from('{"username":"ren\xe9e"}\n', 'latin1'),
      Buffer.from(`{"username":"${'x'.repeat(16_384)}"}\n`),
      Buffer.from('{"username":\n'),
      Buffer.from('{"username":"fay"}')
    ])

    const result = await runImport(t, env, content)

    t.same(result, {
      code: 1,
      stdout: [
        'Line 4: Use only letters, digits, dots, underscores and hyphens in the username',
        'Line 5: The password hash costs too much: bcrypt is taken up to cost 15',
        'Line 6: The password hash costs too much: scrypt is taken up to 128 MiB, N * r * p of 1048576, r of 32 and p of 16',
        'Line 7: The password hash costs too much: PBKDF2 is taken up to 2000000 iterations',
        'Line 8: The password hash is malformed',
        'Line 9: The password hash is malformed',
        'Line 10: Use only the members username, email, full_name, password_hash, roles, disabled',
        'Line 11: There is no role called king',
        'Line 12: Line 1 has the same username',
        'Line 13: Line 1 has the same e-mail address',
        'Line 14: Write the line in UTF-8',
        'Line 15: Use at most 16384 bytes in a line',
        'Line 16: Write one JSON object in a line',
        '2 imported, 0 there already, 13 refused\n'
      ].join('\n'),
      stderr: ''
    })
    t.same(usernamesIn(env), ['ada', 'fay'])
  })

  t.test('prints for programs what became of the lines', async (t) => {
    const env = testEnv(t)
    const content = jsonLines(ADA, { username: 'b c' }, { username: 'ced', roles: ['king'] })

    const first = await runImport(t, env, content, '--json')
    const second = await runImport(t, env, jsonLines(ADA), '--json')

    t.equal(first.code, 1)
    t.strictSame(JSON.parse(first.stdout), {
      refused: [
        { line: 2, reason: 'Use only letters, digits, dots, underscores and hyphens in the username' },
        { line: 3, reason: 'There is no role called king' }
      ],
      imported: 1,
      skipped: 0
    })
    t.same(second, { code: 0, stdout: '{"refused":[],"imported":0,"skipped":1}\n', stderr: '' })
  })

  t.test('does nothing the second time', async (t) => {
    const env = testEnv(t)
    const content = jsonLines(ADA, { username: 'ben' })
    await runImport(t, env, content)
    const read = () => ['users', 'user_roles', 'audit_events'].map((table) => readRows(databasePath(env), `select * from ${table}`))
    const before = read()

    const result = await runImport(t, env, content)

    t.same(result, { code: 0, stdout: '0 imported, 2 there already, 0 refused\n', stderr: '' })
    t.same(read(), before)
  })

  t.test('refuses the address of somebody who is there, and skips who is there by name', async (t) => {
    const env = testEnv(t)
    await build(t, env)

    const result = await runImport(t, env, jsonLines({ username: 'JohnDoe', full_name: 'Somebody Else' }, { username: 'ada', email: 'JohnDoe@Example.com' }))

    t.same(result, { code: 1, stdout: 'Line 2: The e-mail address belongs to another user\n0 imported, 1 there already, 1 refused\n', stderr: '' })
    t.same(readRows(databasePath(env), 'select username, full_name from users'), [{ username: 'johndoe', full_name: 'John Doe' }])
  })

  t.test('finds nothing to do in an empty file', async (t) => {
    t.same(await runImport(t, testEnv(t), ''), { code: 0, stdout: '0 imported, 0 there already, 0 refused\n', stderr: '' })
  })

  for (const [name, path] of [['is not there', '/nowhere/users.jsonl'], ['is a directory', '/']] as const) {
    t.test(`says in one sentence that a file ${name}`, async (t) => {
      t.same(await runCommand(testEnv(t), ['user', 'import', path]), { code: 1, stdout: '', stderr: `${path} can't be read\n` })
    })
  }

  t.test('shows where an error comes from that is nobody\'s mistake, and keeps what is done', async (t) => {
    const env = testEnv(t)
    await runImport(t, env, jsonLines(ADA))
    const database = new DatabaseSync(databasePath(env))
    database.exec("create trigger full before insert on users when new.username = 'user700' begin select raise(abort, 'no room'); end")
    database.close()

    const { code, stdout, stderr } = await runImport(t, env, jsonLines(...Array.from({ length: 1000 }, (_, number) => ({ username: `user${number}` }))))

    t.same([code, stdout], [1, ''])
    t.match(stderr, /^Error: no room\n +at /)
    t.equal(usernamesIn(env).length, 501)
  })
})
