// What the page shows and refuses when the other side is not what it should be: another enclave, old evidence, a dead node, a changed log.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answered, Browser, end, prove, quick, say, settled, SHARED, shoot, Ui, until } from './lib.mjs'
import { Recorder, World } from './world.mjs'

const world = await new World().start()
const kauri = world.party('kauri')
const rimu = world.party('rimu')
const loose = (m) => {
  m.release = { minimum_rows: 10, minimum_contributors: 1, maximum_share: 1 }
}
const address = world.contract('cluster', [kauri, rimu], loose)
const waiting = world.contract('cluster', [kauri, rimu], (m) => {
  loose(m)
  m.name = 'waiting'
  m.quotas.runs_per_party = 1
}, false)
world.apex(kauri.home, 'contribute', address, 'customers', join(SHARED, 'data/geo/nz_addresses.csv'))
const wire = await new Recorder(world).start()
const ui = await new Ui(kauri.home, ['--node', wire.url]).start()
const browser = await new Browser().start()
const { page } = browser
await browser.enter(ui)
const go = async (hash) => {
  await page.goto(`${ui.base}/#/own/${hash}`)
  await settled(page)
}
// Ms until the log's page shows an entry of a kind, gone to anew at each try.
const logged = async (address, kind) => {
  await go('contracts')
  const begin = Date.now()
  await go(`audit/${address}`)
  await page.waitForSelector(`tr[data-kind=${kind}]`)
  return Date.now() - begin
}
const chip = (word) => page.waitForSelector(`.top [data-trust=${word}]`)
const direct = (request) => answered(page, request)
const choose = async (name, text) => {
  await page.waitForSelector('[data-testid=drop]')
  await page.setInputFiles('input[type=file]', { name, mimeType: 'text/csv', buffer: Buffer.from(text) })
  await page.waitForSelector('[data-testid=checked]')
}

await prove('what needs me is said: an acceptance asked for, given in a click, and in the log within 2 s', async () => {
  await go('contracts')
  await page.click('text=Your acceptance is asked for')
  await page.click('button:text("Accept this contract")')
  await page.waitForSelector('.toast, .toasts .card')
  const told = await quick(2000, () => logged(waiting, 'accept'))
  return told !== true ? told : world.json(rimu.home, 'audit', waiting).events.some((e) => e.kind === 'accept' && e.who === 'kauri')
})
await prove('before all have accepted, sealing and running are off, with the reason', async () => {
  await go(`analyse/${waiting}`)
  await page.waitForSelector('button:text-is("Run")')
  await page.waitForSelector('.warning:has-text("deployed")')
  return page.isDisabled('button:text-is("Run")')
})
world.apex(rimu.home, 'contract', 'accept', waiting)

const policy = join(kauri.home, 'trust.json')
const put = (text) => (writeFileSync(`${policy}.new`, text), renameSync(`${policy}.new`, policy)) // nobody reads half of it
const trusted = readFileSync(policy, 'utf8')
await prove('with another code hash than agreed the chip says Mismatch, sealing and running are off, and a direct request is refused too', async () => {
  const tree = JSON.parse(trusted)
  tree.accept[0].measurements = ['ab'.repeat(32)]
  await go(`contribute/${address}`)
  await choose('rows.csv', 'latitude,longitude\n1,2\n3,4\n')
  await page.click('text=Go on to seal')
  await page.check('input[type=checkbox]')
  put(JSON.stringify(tree))
  await chip('mismatch')
  await page.waitForFunction(() => [...document.querySelectorAll('button')].find((b) => b.textContent === 'Seal and send')?.disabled)
  const why = await page.textContent('.warning:has-text("mismatch")')
  const file = (await page.evaluate(async () => (await fetch('/api/own/files?name=x', { method: 'POST', body: 'latitude,longitude\n1,2\n' })).json())).id
  const before = wire.bodies.filter((b) => b.method === 'PUT').length
  const sealed = await direct({ act: 'contribute', address, dataset: 'customers', file })
  const asked = await direct({ act: 'run', address, function: 'sites', params: ['k=3'] })
  await go(`contract/${address}`)
  await page.waitForSelector('.verdict.mismatch li.fail')
  await shoot(page, 'mismatch')
  const text = await page.textContent('.verdict')
  return why.includes('mismatch') && sealed.state === 'failed' && sealed.output.error.status === 'E_UNTRUSTED' && asked.output.error.status === 'E_UNTRUSTED' && wire.bodies.filter((b) => b.method === 'PUT').length === before && text.includes('Mismatch') ? true : { why, sealed, asked }
})
put(trusted)
await chip('simulated')
await prove('evidence older than the policy allows is Stale, not green', async () => {
  const tree = JSON.parse(trusted)
  tree.accept[0].maximum_age_s = 1
  await new Promise((done) => setTimeout(done, 1200))
  put(JSON.stringify(tree))
  const found = await Promise.race([chip('stale').then(() => 'stale'), chip('mismatch').then(() => 'mismatch')])
  await shoot(page, 'stale')
  return found === 'stale' ? true : found
})
put(trusted)
await chip('simulated')
// A run that ends no sooner than it may: its program, a child of the enclave's, is held.
const children = (pid) => {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).trim().split('\n').map(Number)
  } catch {
    return []
  }
}
const hold = async (signal = 'SIGSTOP') => {
  const found = await until(() => children(world.host.pid).flatMap(children), (f) => f.length > 0)
  for (const pid of found) process.kill(pid, signal)
}
const longRun = async () => {
  await go(`analyse/${address}?function=sites`)
  await page.waitForSelector('input[name=k]')
  await page.fill('input[name=k]', '150')
  await page.fill('input[name=restarts]', '64')
  await page.click('button:text-is("Run")')
  await hold()
  await page.waitForSelector('[data-testid=stage]')
}
await prove('a run shows its state and time, moves at least once a second, and survives a reload without being asked twice', async () => {
  await longRun()
  await page.waitForSelector('[data-testid=stage]:has-text("of the log")')
  const runs = () => world.json(rimu.home, 'audit', address).events.filter((e) => e.kind === 'run').length
  const asked = runs()
  const moves = await quick(1000, async () => {
    const before = await page.textContent('[data-testid=stage]')
    const begin = Date.now()
    await page.waitForFunction((t) => document.querySelector('[data-testid=stage]')?.textContent !== t, before)
    return Date.now() - begin
  })
  await shoot(page, 'run')
  const url = await page.evaluate(() => location.href)
  await page.reload()
  await page.waitForSelector('[data-testid=stage]')
  const after = await page.textContent('[data-testid=stage]')
  return moves === true && /\d+(\.\d)? s|min/.test(after) && /run \d+ of the log/.test(after) && (await page.evaluate(() => location.href)) === url && runs() === asked ? true : { moves, after }
})
await prove('a run that is under way is found again from Results and from the message of its command', async () => {
  await go('results')
  await page.waitForSelector('a.card:has-text("run ")')
  await page.click('a.card:has-text("run ")')
  await page.waitForSelector('[data-testid=stage]')
  return true
})
await prove('with the node gone in the middle of a run the chip says Unreachable, and recovers by itself', async () => {
  await world.stop('SIGKILL')
  const begin = Date.now()
  await chip('unreachable')
  console.log(`# unreachable after ${Date.now() - begin} ms`)
  await page.waitForSelector('[data-testid=stage]:has-text("waiting for the node")')
  await shoot(page, 'unreachable')
  const disabled = await page.evaluate(async () => (await fetch('/api/own/trust')).json())
  await world.start()
  await hold()
  await chip('simulated')
  return disabled.word === 'unreachable' ? true : disabled
})
await prove('cancelling stops the waiting, and says what becomes of the run', async () => {
  await page.waitForSelector('[data-testid=stage]')
  await page.click('button:text-is("Cancel")')
  const begin = Date.now()
  await page.waitForSelector('h2:text-is("You stopped waiting")')
  console.log(`# stopped after ${Date.now() - begin} ms`)
  await shoot(page, 'cancelled')
  return (await page.textContent('main')).includes('goes on')
})
// It went on; now it ends, so that nothing writes to the log behind what follows.
const last = world.json(rimu.home, 'audit', address).events.findLast((e) => e.kind === 'run').index
await hold('SIGKILL')
await until(() => fetch(`${world.url}/runs/${last}`).then((r) => r.json()), (r) => ['released', 'refused', 'failed'].includes(r.state))
await prove('what the contract refuses is told by its rule, cost the others nothing, and stands in the log within 2 s', async () => {
  await direct({ act: 'contribute', address: waiting, dataset: 'customers', file: (await page.evaluate(async () => (await fetch('/api/own/files?name=few.csv', { method: 'POST', body: 'latitude,longitude\n1,2\n3,4\n5,6\n' })).json())).id })
  await go(`analyse/${waiting}?function=sites`)
  await page.waitForSelector('input[name=k]')
  await page.fill('input[name=k]', '5')
  await page.click('button:text-is("Run")')
  const text = await page.waitForSelector('.trouble').then((e) => e.textContent())
  await shoot(page, 'refused')
  const told = await quick(2500, () => logged(waiting, 'refuse'))
  return /fewer|rows|minimum/i.test(text) && told === true ? true : { text, told }
})
await prove('a budget that is used up says so where one would run', async () => {
  await go(`analyse/${waiting}?function=sites`)
  await page.waitForSelector('.warning:has-text("runs are used up")')
  return page.isDisabled('button:text-is("Run")')
})
await prove('errors stay until they are dismissed, have an id and say what was not done', async () => {
  await go(`participants/${address}`)
  await page.waitForSelector('text=Withdraw')
  wire.refuse = (method, path) => (path === '/message' ? 503 : undefined)
  await page.click('button:text-is("Withdraw") >> nth=0')
  await page.click('dialog[open] button.danger')
  const box = await page.waitForSelector('.toasts .trouble')
  const text = await box.textContent()
  wire.refuse = null
  await page.waitForTimeout(2500)
  const still = await page.isVisible('.toasts .trouble')
  await page.click('.toasts .trouble button:text("Dismiss")')
  await page.waitForSelector('.toasts .trouble', { state: 'detached' })
  return still && /Message M\w+/.test(text) && /Nothing was recorded/i.test(text) && /Next:/.test(text) ? true : text
})
await prove('the log is checked whole: right as it is, wrong after one byte of it was changed, and right again', async () => {
  await chip('simulated')
  await go(`audit/${address}`)
  await page.waitForSelector('[data-testid=chain][data-holds=yes]')
  await page.click('text=Check the log again')
  await page.waitForSelector('text=checked again')
  await shoot(page, 'audit')
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Export JSON lines')])
  const lines = readFileSync(await file.path(), 'utf8').split('\n').map((l) => JSON.parse(l))
  const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? files(join(folder, e.name)) : [join(folder, e.name)]))
  const bundle = files(join(world.folder, 'node')).filter((f) => f.includes('entries') && statSync(f).size > 0).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
  const before = readFileSync(bundle)
  const changed = Buffer.from(before)
  changed[Math.floor(changed.length / 2)] ^= 1
  writeFileSync(bundle, changed)
  await page.waitForSelector('[data-testid=chain][data-holds=no]')
  await shoot(page, 'audit-broken')
  writeFileSync(bundle, before)
  await page.waitForSelector('[data-testid=chain][data-holds=yes]')
  return lines.length > 3 && lines.every((l) => l.contract === address) ? true : { lines, bundle }
})
await prove('a result that was sealed to others does not open here, and who is no party is told so before it asks', async () => {
  const mine = world.contract('cluster', [rimu], (m) => {
    loose(m)
    m.name = 'rimus-own'
  })
  world.apex(rimu.home, 'contribute', mine, 'customers', join(SHARED, 'data/geo/us_stores.csv'), '--map', 'latitude=latitude,longitude=longitude')
  world.apex(rimu.home, 'run', mine, 'sites', '--param', 'k=4', '-o', join(world.folder, 'r.json'))
  await go('results')
  await page.waitForSelector('h2:has-text("rimus-own")')
  await page.click('section:has(h2:has-text("rimus-own")) >> button:text("Open with my key")')
  const text = await page.waitForSelector('.toasts .trouble').then((e) => e.textContent())
  await go(`analyse/${mine}`)
  const why = await page.textContent('.warning:has-text("no party")')
  return /not sealed to this identity/i.test(text) && why.includes('no party') && (await page.isDisabled('button:text-is("Run")')) ? true : text + why
})
await prove('a result file with one byte changed does not hold, check by check', async () => {
  const answer = await direct({ act: 'run', address, function: 'sites', params: ['k=3'] })
  const name = answer.output.result
  const path = join(kauri.home, 'results', name)
  const text = readFileSync(path, 'utf8')
  const at = text.indexOf('"output": "') + 30
  writeFileSync(path, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1))
  await go(`result/${name}?tab=receipt`)
  await page.waitForSelector('h2:has-text("does not hold")')
  return (await page.$$('[data-testid=receipt-check] li.fail')).length > 0
})
await prove('a node that came back with another enclave than the contract names is a mismatch, though the policy knows both', async () => {
  const other = join(world.folder, 'other-enclave')
  writeFileSync(other, Buffer.concat([readFileSync(world.enclave), Buffer.from('x')]), { mode: 0o755 })
  const tree = JSON.parse(trusted)
  tree.accept[0].measurements.push(createHash('sha256').update(readFileSync(other)).digest('hex'))
  await world.stop()
  put(JSON.stringify(tree))
  const own = world.enclave
  world.enclave = other
  await world.start()
  await go(`contract/${address}`)
  await page.waitForSelector('.verdict.mismatch li.fail[data-check=contract]')
  await go(`analyse/${address}`)
  const why = await page.textContent('.warning:has-text("another enclave")')
  const off = await page.isDisabled('button:text-is("Run")')
  const asked = await direct({ act: 'run', address, function: 'sites', params: ['k=3'] })
  await world.stop()
  world.enclave = own
  put(trusted)
  await world.start()
  await chip('simulated')
  return off && why.includes('another enclave') && asked.state === 'failed' ? true : { off, why, asked }
})
await prove('when `apex ui` itself ends the page says so', async () => {
  await ui.stop('SIGKILL')
  await page.waitForSelector('main > .trouble:has-text("does not answer")')
  await shoot(page, 'ended')
  return (await page.$('.top [data-trust=unreachable]')) !== null
})
const lost = browser.complaints.filter((c) => !/Failed to load resource|ERR_CONNECTION/.test(c))
say(lost.length === 0, 'no script failed in any of these states', lost)
await browser.stop()
await ui.stop()
wire.stop()
await world.stop()
end()
