import t from 'tap'
import { WeakPasswordError } from '../../../lib/errors.ts'
import { build } from '../../helper.ts'

t.test('passwords are as long as the settings ask for', async (t) => {
  const app = await build(t, { PASSWORD_MIN_LENGTH: '20' })
  const owner = { username: 'ada' }

  await t.rejects(app.passwordPolicy.check('velvet-otter-piano!', owner), WeakPasswordError)
  t.equal(await app.passwordPolicy.check('velvet-otter-piano!!', owner), 'velvet-otter-piano!!')
})

t.test('passwords have fifteen characters if the settings say nothing', async (t) => {
  const app = await build(t)
  const owner = { username: 'ada' }

  await t.rejects(app.passwordPolicy.check('velvet-otter-p', owner), WeakPasswordError)
  t.equal(await app.passwordPolicy.check('velvet-otter-pi', owner), 'velvet-otter-pi')
})
