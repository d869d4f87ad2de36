import { spawnSync } from 'node:child_process'

// Where a browser is missing its tests are skipped, so full coverage is asked for with CI=true only.
const options = process.env.CI === 'true' ? ['--reporter=tap'] : ['--disable-coverage']
const { status } = spawnSync('tap', [...options, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
