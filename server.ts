import './lib/compile-cache.js'
import { finishStart, prepareStart } from './lib/runtime.ts'

prepareStart()
const { serve } = await import('./serve.ts')
await serve()
finishStart()
