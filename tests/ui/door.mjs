// Another site, open in the same browser, can neither read nor drive the page of `apex ui`.
import { createServer, request as raw } from 'node:http'
import { Browser, end, prove, scratch, Ui } from './lib.mjs'

const ui = await new Ui(scratch('door')).start()
const browser = await new Browser().start()
const { page } = browser
const at = new URL(ui.base)

// A request as a program makes it, with whatever headers.
const send = (path, headers = {}, method = 'GET', body = '') =>
  new Promise((done, fail) => {
    const q = raw({ host: at.hostname, port: at.port, path, method, headers }, (a) => {
      let text = ''
      a.on('data', (d) => (text += d))
      a.on('end', () => done({ status: a.statusCode, text, headers: a.headers }))
    })
    q.on('error', fail)
    q.end(body)
  })

const evil = createServer((q, s) => {
  s.writeHead(200, { 'content-type': 'text/html' })
  s.end(`<!doctype html><title>evil</title><form id="f" method="post" enctype="text/plain" action="${ui.base}/api/quit"><input name="a" value="b"></form><iframe src="${ui.base}/"></iframe>`)
})
await new Promise((done) => evil.listen(0, '127.0.0.1', done))
const evilUrl = `http://127.0.0.1:${evil.address().port}/`

await prove('without the token nobody is let in, and is told what to do', async () => {
  const r = await send('/')
  const api = await send('/api/session')
  return r.status === 403 && r.text.includes('apex ui') && api.status === 403 && JSON.parse(api.text).error.what !== '' ? true : { r, api }
})
await browser.enter(ui)
const cookies = await browser.context.cookies()
await prove('the token becomes a cookie that scripts cannot read and other sites cannot cause to be sent', async () => {
  const c = cookies.find((x) => x.name.startsWith('apex-'))
  const seen = await page.evaluate(() => document.cookie)
  return c?.httpOnly && c.sameSite === 'Strict' && c.domain === at.hostname && seen === '' ? true : { c, seen }
})
await prove('the token is good once', async () => (await send(new URL(ui.entry).pathname + new URL(ui.entry).search)).status === 403)
await prove('it listens on a loopback address of its own', () => /^127\.\d+\.\d+\.\d+$/.test(at.hostname) && at.hostname !== '127.0.0.1')
const cookie = cookies.map((c) => `${c.name}=${c.value}`).join('; ')
await prove('a name rebound to loopback is refused by its Host, with the right cookie', async () => {
  for (const host of ['evil.example', `evil.example:${at.port}`, `localhost:${at.port}`, `127.0.0.1:${at.port}`]) {
    const r = await send('/api/session', { host, cookie })
    if (r.status === 200) return { host, r }
  }
  return (await send('/api/session', { host: at.host, cookie })).status === 200
})
await prove('a request that says it comes from another origin is refused, with the right cookie', async () => {
  for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { origin: evilUrl.slice(0, -1) }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
    const r = await send('/api/own/do', { host: at.host, cookie, ...headers }, 'POST', '{"act":"doctor"}')
    if (r.status !== 403) return { headers, r }
  }
  const silent = await send('/api/own/do', { host: at.host, cookie }, 'POST', '{"act":"doctor"}')
  return silent.status === 403 ? true : silent
})

const other = await browser.context.newPage()
await other.goto(evilUrl)
await prove('a fetch from another site reads nothing', async () => {
  const got = await other.evaluate(async (base) => {
    const out = []
    for (const init of [{}, { mode: 'no-cors' }, { credentials: 'include' }, { credentials: 'include', mode: 'no-cors' }])
      try {
        const r = await fetch(`${base}/api/session`, init)
        out.push([r.status, await r.text()])
      } catch {
        out.push('refused')
      }
    return out
  }, ui.base)
  return got.every((g) => g === 'refused' || (g[0] === 0 && g[1] === '')) ? true : got
})
await prove('a script or picture tag of another site loads nothing of it', async () => {
  const got = await other.evaluate(async (base) => {
    const one = (tag, src) => new Promise((done) => {
      const e = document.createElement(tag)
      e.onload = () => done('loaded')
      e.onerror = () => done('refused')
      e.src = src
      document.body.append(e)
    })
    return [await one('script', `${base}/preferences.js`), await one('img', `${base}/api/session`)]
  }, ui.base)
  return got.every((g) => g === 'refused') ? true : got
})
await prove('a frame around it stays empty', async () => {
  const frame = other.frames().find((f) => f !== other.mainFrame())
  const text = await frame?.evaluate(() => document.body?.innerText ?? '').catch(() => '')
  return !text?.includes('Contracts') ? true : text
})
await prove('a form posted by another site changes nothing', async () => {
  await Promise.all([other.waitForNavigation().catch(() => undefined), other.evaluate(() => void setTimeout(() => document.getElementById('f').submit()))])
  await new Promise((done) => setTimeout(done, 300))
  return (await send('/api/session', { host: at.host, cookie })).status === 200
})
await prove('a link from another site opens no session: it is closed to that step', async () => {
  await other.goto(evilUrl)
  await Promise.all([other.waitForNavigation(), other.evaluate((u) => void setTimeout(() => { location.href = u }), `${ui.base}/`)])
  const text = await other.evaluate(() => document.body.innerText)
  return text.includes('This page is closed') ? true : text
})
await prove('every answer forbids frames, foreign scripts and guessing of types', async () => {
  for (const path of ['/', '/api/session', '/preferences.js', '/none']) {
    const { headers } = await send(path, { host: at.host, cookie })
    const csp = headers['content-security-policy'] ?? ''
    if (!csp.includes("default-src 'none'") || !csp.includes("frame-ancestors 'none'") || csp.includes('unsafe-') || headers['x-content-type-options'] !== 'nosniff' || headers['x-frame-options'] !== 'DENY') return { path, headers }
  }
  return true
})
await prove('a script that gets into the page is not run', async () => {
  await page.bringToFront()
  const ran = await page.evaluate(async () => {
    const d = document.createElement('div')
    try {
      const s = document.createElement('script')
      s.append('window.ran = 1')
      document.body.append(s)
      d.innerHTML = '<img src=x onerror="window.ran = 2">'
      document.body.append(d)
    } catch { /* trusted types */ }
    await new Promise((done) => setTimeout(done, 100))
    return window.ran
  })
  return ran === undefined ? true : { ran }
})
await prove('paths, methods and bodies that are none of its own are refused in words', async () => {
  const head = { host: at.host, cookie, origin: ui.base }
  const tries = [['/api/own/files/../../identities/x', 'GET'], ['/../etc/passwd', 'GET'], ['/api/own/results/..%2f..%2ftrust.json', 'GET'], ['/api/nobody/do', 'POST', '{}'], ['/api/own/do', 'POST', '[]'],
    ['/api/own/do', 'POST', '{'], ['/api/own/do', 'POST', '{"act":"demo"}'], ['/api/own/do', 'POST', '{"act":"doctor","act":"ui"}'], ['/api/own/do', 'PUT', ''], ['/api/own/do', 'POST', 'x'.repeat((1 << 20) + 5)], ['/api/jobs/99', 'GET']]
  for (const [path, method, body] of tries) {
    const r = await send(path, head, method, body)
    if (r.status < 400 || r.status >= 500 || r.text.includes('root:')) return { path, method, r }
  }
  return (await send('/api/session', head)).status === 200
})
await prove('nothing was asked of any other host', () => {
  const strange = browser.requests.filter((u) => !u.startsWith(ui.base) && !u.startsWith('data:') && !u.startsWith('blob:'))
  return strange.length === 0 ? true : strange
})
await browser.stop()
evil.close()
await ui.stop()
end()
