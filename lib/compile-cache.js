// Keeps what Node has compiled beside the packages, where that can be written. In JavaScript, and to be loaded before any
// TypeScript, because from the second start on the compiler for it is not needed then: that takes 15 MB.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/latchkey'))
