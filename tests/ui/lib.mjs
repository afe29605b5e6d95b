// Starts the real `apex ui` and Debian's Chromium, and says one line for each sentence a test proves.
import { spawn } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
export const BUILD = process.env.APEX_BUILD ?? join(ROOT, 'build')
export const SHARED = join(ROOT, '..', 'shared')
export const APEX = join(BUILD, 'client/apex')
const need = createRequire(join(ROOT, 'client/web/package.json'))
const { chromium } = need('playwright-core')
export const AXE = need.resolve('axe-core/axe.min.js')

let failures = 0
export function say(good, sentence, why = '') {
  console.log(`${good ? 'ok' : 'not ok'} - ${sentence}`)
  if (good) return true
  failures++
  const text = typeof why === 'string' ? why : JSON.stringify(why, null, 1)
  console.log(`# ${String(text).slice(0, 3000).replaceAll('\n', '\n# ')}`)
  return false
}
// One expectation: what throws is a failure of its own, not of those after it.
export async function prove(sentence, body) {
  try {
    const why = await body()
    say(why === undefined || why === true, sentence, why)
  } catch (error) {
    say(false, sentence, error.stack ?? error)
  }
}

// How much slower than the machine that limits were written on this one is just now, others' use of it included: the same work by the clock.
const WORK_MS = 70
let work = 1
function slowness() {
  const begin = performance.now()
  let x = work
  for (let i = 0; i < 60_000_000; i++) x = (Math.imul(x, 1103515245) + 12345) | 0
  work = x
  return Math.max(1, (performance.now() - begin) / WORK_MS)
}
// The shortest of up to 20 tries is below `ms`. A moment in which somebody else had the processor costs a try; what is too slow is so in all of them.
export async function quick(ms, take) {
  let best = Infinity
  let allowed = ms
  for (let tries = 0; tries < 20 && best >= allowed; tries++) {
    best = Math.min(best, await take(tries))
    allowed = Math.max(allowed, ms * slowness())
  }
  return best < allowed ? true : `${best.toFixed(0)} ms at best, ${allowed.toFixed(0)} allowed`
}
// An act asked of `apex ui` by the page, past its buttons, until it has ended.
export const answered = (page, request) =>
  page.evaluate(async (r) => {
    let j = await (await fetch('/api/own/do', { method: 'POST', body: JSON.stringify({ ...r, wait_ms: 15000 }) })).json()
    while (j.state === 'running') j = await (await fetch(`/api/jobs/${j.id}?wait_ms=1000`)).json()
    return j
  }, request)
// After the handlers of what came before it have run.
export const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))
// What `ask` says, asked again until it is `good` or patience is at an end.
export async function until(ask, good) {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const said = await ask()
    if (good(said) || performance.now() > end) return said
    await new Promise((done) => setTimeout(done, 50))
  }
}
// For what must come, however slow the machine; not a measure of anything.
export const PATIENCE_MS = 180_000

const scratches = []
export function scratch(name) {
  const folder = mkdtempSync(join(tmpdir(), `apex-ui-${name}-`))
  scratches.push(folder)
  return folder
}

export class Ui {
  constructor(home, options = [], env = {}) {
    this.home = home
    this.options = options
    this.env = env
  }
  async start() {
    this.process = spawn(APEX, ['ui', '--quiet', '--home', this.home, ...this.options], { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.complaint = ''
    this.process.stderr.on('data', (d) => (this.complaint += d))
    this.entry = await new Promise((done, fail) => {
      let text = ''
      this.process.stdout.on('data', (d) => {
        text += d
        if (text.includes('\n')) done(text.trim())
      })
      this.process.on('exit', (code) => fail(new Error(`apex ui ended with ${code}: ${this.complaint}`)))
    })
    this.base = new URL(this.entry).origin
    return this
  }
  async stop(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode) return
    const ended = new Promise((done) => this.process.on('exit', done))
    this.process.kill(signal)
    await ended
  }
}

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']
export class Browser {
  async start(options = {}) {
    this.context = await chromium.launchPersistentContext(scratch('chromium'), {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS, viewport: { width: 1440, height: 900 }, acceptDownloads: true, timeout: PATIENCE_MS, ...options,
    })
    this.page = this.context.pages()[0] ?? (await this.context.newPage())
    this.context.setDefaultTimeout(PATIENCE_MS)
    this.requests = []
    this.complaints = []
    this.watch(this.page)
    return this
  }
  watch(page) {
    page.on('request', (r) => this.requests.push(r.url()))
    page.on('console', (m) => m.type() === 'error' && this.complaints.push(`${page.url()}: ${m.text()}`))
    page.on('pageerror', (e) => this.complaints.push(`${page.url()}: ${e.message}`))
  }
  async enter(ui) {
    await this.page.goto(ui.entry)
    await this.page.waitForSelector('.shell')
  }
  async stop() {
    await this.context?.close()
  }
}

export const shots = join(BUILD, 'ui')
export async function shoot(page, name) {
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: false })
}

export function end() {
  for (const s of scratches) rmSync(s, { recursive: true, force: true })
  process.exit(failures ? 1 : 0)
}
