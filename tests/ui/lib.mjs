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

// Limits are of a machine that does nothing else. Where others want its processors too, a busy loop takes longer by the clock than
// it takes of a processor, and limits are stretched by as much; on a quiet machine they are what they say.
let worst = 1
export function busy() {
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  let used = 0
  while (used < 40000) {
    const u = process.cpuUsage(cpu)
    used = u.user + u.system
  }
  const factor = Number(process.hrtime.bigint() - wall) / 1000 / used
  worst = Math.max(factor, worst * 0.7)
  return worst < 1.3 ? 1 : 2 * worst
}
export const limit = (ms) => ms * busy()

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
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS, viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options,
    })
    this.page = this.context.pages()[0] ?? (await this.context.newPage())
    this.context.setDefaultTimeout(60000)
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
