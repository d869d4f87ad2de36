import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

// Where a browser is missing its tests are skipped, so full coverage is asked for with CI=true only.
const options = process.env.CI === 'true' ? ['--reporter=tap'] : ['--disable-coverage']
// Many tests wait for servers that they have started.
const jobs = `--jobs=${availableParallelism() + 1}`
const { status } = spawnSync('tap', [...options, jobs, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
