#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Apart from that of the service: what was compiled with its flags of V8 is refused without them, and the other way round.
enableCompileCache(join(import.meta.dirname, 'node_modules/.cache/latchkey/command'))
await import('./cli/program.ts')
