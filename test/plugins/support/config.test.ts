import t from 'tap'
import { build } from '../../helper.ts'

t.test('nobody changes a setting of a service that runs', async (t) => {
  const app = await build(t)

  t.throws(() => { Object.assign(app.config, { production: true }) }, TypeError)
  t.equal(app.config.production, false)
})
