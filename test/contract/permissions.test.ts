import t from 'tap'
import { ALL_SCOPES } from '../../lib/scopes.ts'
import { permissions } from '../../plugins/data/permissions.ts'
import { engines } from './engines.ts'
import { openRepositories } from './repositories.ts'

const REFUSED = { statusCode: 403, code: 'beyond_own_scopes' }

for (const engine of engines) {
  t.test(`${engine.name}: who was disabled, or is gone, while a request of his was on its way holds nothing`, async (t) => {
    const { users, accounts, db } = await openRepositories(t, engine)
    const { id: adminId } = await users.create({ username: 'root', roles: ['admin'] }, {})
    const { id: otherId } = await users.create({ username: 'other', roles: ['admin'] }, {})
    const admin = { id: adminId, scopes: ALL_SCOPES }
    const guards = [permissions.over(admin, otherId), permissions.toGive(admin, ['admin']), permissions.toGrant(admin, ['profile'])]
    const run = async (guard: typeof guards[number]): Promise<void> => { await db.transaction().execute(guard) }
    for (const guard of guards) await t.resolves(run(guard))

    await accounts.update(adminId, { disabled: true }, {})
    for (const guard of guards) await t.rejects(run(guard), REFUSED)

    await accounts.remove(adminId, {})
    for (const guard of guards) await t.rejects(run(guard), REFUSED)
  })
}
