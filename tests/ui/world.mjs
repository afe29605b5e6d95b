// A real node with real parties, each with a home of its own, and a recorder between them that can misbehave.
import { spawn, execFileSync } from 'node:child_process'
import { createServer, request as ask } from 'node:http'
import { readFileSync, writeFileSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { APEX, BUILD, ROOT, scratch, until } from './lib.mjs'

export class Recorder {
  constructor(world) {
    this.world = world // whose node may stop, and come back elsewhere
    this.bodies = [] // of requests: { method, path, body }
    this.delay = 0 // ms before each piece of an upload goes on
    this.refuse = null // (method, path) => status, or nothing
  }
  async start() {
    this.server = createServer((q, s) => this.pass(q, s))
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done))
    this.url = `http://127.0.0.1:${this.server.address().port}`
    return this
  }
  async pass(q, s) {
    const status = this.refuse?.(q.method, q.url)
    if (status === 'cut') return q.socket.destroy()
    if (status) {
      q.resume()
      return s.writeHead(status).end('{"error":"refused by the test"}')
    }
    if (!this.world.url) return q.socket.destroy()
    const pieces = []
    const { hostname: host, port } = new URL(this.world.url)
    const up = ask({ host, port, method: q.method, path: q.url, headers: q.headers }, (a) => {
      s.writeHead(a.statusCode, a.headers)
      a.pipe(s)
    })
    up.on('error', () => s.destroy())
    for await (const piece of q) {
      pieces.push(piece)
      if (this.delay && q.method === 'PUT') await new Promise((done) => setTimeout(done, this.delay))
      if (!up.write(piece)) await new Promise((done) => up.once('drain', done))
    }
    up.end()
    this.bodies.push({ method: q.method, path: q.url, body: Buffer.concat(pieces) })
  }
  stop() {
    this.server.closeAllConnections()
    this.server.close()
  }
}

export class World {
  constructor() {
    this.folder = scratch('world')
    this.enclave = join(BUILD, 'enclave/apex-enclave')
  }
  async start() {
    const log = openSync(join(this.folder, 'node.log'), 'a')
    this.host = spawn(join(BUILD, 'host/apexd'), ['--data', join(this.folder, 'node'), '--listen', '127.0.0.1:0', '--tee', 'sim', '--enclave', this.enclave], { stdio: ['ignore', 'pipe', log] })
    const line = await new Promise((done, fail) => {
      this.host.stdout.once('data', (d) => done(String(d)))
      this.host.once('exit', () => fail(new Error('apexd ended')))
    })
    this.url = /http:\/\/\S+/.exec(line)[0]
    const up = await until(() => fetch(`${this.url}/healthz`).then((r) => r.status === 200, () => false), Boolean)
    if (!up) throw new Error('the enclave did not come up')
    return this
  }
  async stop(signal = 'SIGTERM') {
    if (!this.host || this.host.exitCode !== null || this.host.signalCode) return
    const ended = new Promise((done) => this.host.once('exit', done))
    this.host.kill(signal)
    await ended
    this.url = null
  }
  apex(home, ...words) {
    return execFileSync(APEX, [...words, '--home', home, '--node', this.url], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
  }
  json(home, ...words) {
    return JSON.parse(this.apex(home, ...words, '--json'))
  }
  party(name) {
    const home = join(this.folder, name)
    const file = join(this.folder, `${name}.json`)
    writeFileSync(file, this.apex(home, 'id', 'new', name))
    this.apex(home, 'trust', 'init')
    return { name, home, file }
  }
  // contracts/NAME with `change` made to its manifest, deployed by the first party; `accept`: by all.
  contract(name, parties, change = () => undefined, accept = true) {
    const text = readFileSync(join(ROOT, 'contracts', name, 'manifest.json'), 'utf8').replace('[@PARTIES@]', '[]')
    const tree = JSON.parse(text)
    change(tree)
    const template = join(this.folder, `template-${Math.random()}.json`)
    const manifest = `${template}.made`
    const program = join(BUILD, `contracts/${name}.elf`)
    writeFileSync(template, JSON.stringify(tree, null, 1).replace('"parties": []', '"parties": [@PARTIES@]'))
    const address = this.json(parties[0].home, 'contract', 'new', template, '--program', program, ...parties.flatMap((p) => ['--party', p.file]), '-o', manifest).address
    this.apex(parties[0].home, 'contract', 'deploy', manifest, program)
    if (accept) for (const p of parties) this.apex(p.home, 'contract', 'accept', address)
    return address
  }
}

export const splitmix = (x) => {
  const M = (1n << 64n) - 1n
  let z = (x + 0x9e3779b97f4a7c15n) & M
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & M
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & M
  return z ^ (z >> 31n)
}
// The documented hash of a row: ../shared/data/README.md.
export const rowHash = (seed, row) => splitmix((BigInt(seed) << 32n) + BigInt(row))
