// The page's TypeScript under the strictest rules of its compiler.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { end, ROOT, say } from './lib.mjs'

const web = join(ROOT, 'client/web')
const done = spawnSync(process.execPath, [join(web, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', web], { encoding: 'utf8' })
say(done.status === 0, 'the page’s TypeScript holds under strict rules', done.stdout + done.stderr)
end()
