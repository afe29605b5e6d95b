// The Try it room and every screen: what is shown is what is so, in both themes, on small screens, by keyboard, and read aloud.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { APEX, AXE, Browser, end, prove, quick, say, scratch, settled, shoot, Ui, until } from './lib.mjs'

const home = scratch('tour')
const ui = await new Ui(home).start()
const browser = await new Browser().start({ colorScheme: 'dark' })
const { page, context } = browser
const go = async (hash) => {
  await page.goto(`${ui.base}/${hash}`)
  await settled(page)
}
const here = () => page.evaluate(() => location.href)
const quiet = (ms = 250) => page.waitForTimeout(ms)
const text = (selector = 'body') => page.textContent(selector)
const download = async (click) => {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(click)])
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) }
}

await prove('the first load is below 300 kB compressed and below 1 s', async () => {
  const sizes = []
  const count = (r) => sizes.push(r.body().catch(() => Buffer.alloc(0)).then((body) => Number(r.headers()['content-length'] ?? gzipSync(body).length)))
  page.on('response', count)
  await browser.enter(ui)
  await page.waitForSelector('.page-head')
  await page.waitForLoadState('load')
  page.off('response', count)
  const size = (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
  const chromium = await context.newCDPSession(page)
  const load = await quick(1000, async (tries) => {
    await chromium.send('Network.setCacheDisabled', { cacheDisabled: true })
    if (tries) await page.reload()
    const t = await page.evaluate(() => performance.getEntriesByType('navigation')[0].loadEventEnd)
    console.log(`# ${size} bytes; load ${t.toFixed(0)} ms`)
    return t
  })
  await chromium.detach()
  return size < 300000 && load === true ? true : { size, load }
})
await prove('home shows a trust chip with a word within 1.5 s', async () => {
  let word = ''
  const shown = await quick(1500, async () => {
    const begin = Date.now()
    await page.reload()
    word = await page.waitForSelector('[data-trust]:not([data-trust=checking])').then((e) => e.textContent())
    return Date.now() - begin
  })
  return shown === true && word.length > 2 ? true : { shown, word }
})
await shoot(page, 'contracts-empty')

await go('#/try')
await page.click('button:text("Open the room")')
await page.waitForSelector('[data-testid=room]')
await page.waitForSelector('[data-party=totara] canvas[data-seen]')
await quiet(600)
await shoot(page, 'room-before')
const room = await page.evaluate(async () => (await fetch('/api/room')).json())
const cli = (who, ...words) => JSON.parse(execFileSync(APEX, [...words, '--json', '--home', room.parties.find((p) => p.name === who).home, '--node', room.node], { encoding: 'utf8', maxBuffer: 1 << 28 }))
await prove('in the room three parties seal their rows, one asks, and all open the same answer', async () => {
  await page.click('button:text("All three contribute")')
  await page.waitForSelector('[data-next="1"]')
  await page.click('button:text("rimu asks")')
  await page.waitForSelector('[data-next="2"]')
  await page.click('button:text("The others open it")')
  await page.waitForSelector('[data-next="3"]')
  for (const p of room.parties) await page.waitForSelector(`[data-party=${p.name}] .marker`)
  await quiet(500)
  await shoot(page, 'room')
  const marks = await Promise.all(['kauri', 'rimu', 'totara'].map((n) => page.$$eval(`[data-party=${n}] .marker`, (e) => e.map((m) => m.dataset.latitude + m.dataset.longitude).join())))
  return marks[0] !== '' && marks[0] === marks[1] && marks[1] === marks[2] ? true : marks.map((m) => m.length)
})
await prove('the room says who could see what: own rows, the answer, ciphertext, the log', async () => {
  const t = await text('main')
  return ['its own', 'a customer of another telco', 'random-looking bytes', 'anybody', 'simulated'].every((w) => t.includes(w)) ? true : t
})
await prove('each party’s column shows as many own points as its file has rows', async () => {
  for (const p of room.parties) {
    const rows = readFileSync(`${p.home}/ui/files/00000000000000c1`, 'utf8').trim().split('\n').length - 1
    const seen = Number(await until(() => page.getAttribute(`[data-party=${p.name}] canvas`, 'data-seen'), (n) => Number(n) >= rows * 0.98))
    if (!(await text(`[data-party=${p.name}]`)).includes(rows.toLocaleString('en')) || seen > rows || seen < rows * 0.98) return { p: p.name, rows, seen }
  }
  return true
})

// The market contract: trained and asked from the page's own forms.
await go(`#/kauri/analyse/${room.classify}?function=market`)
await page.waitForSelector('select[name=over]')
await page.selectOption('select[name=over]', 'all')
await page.click('button:text-is("Run")')
await page.waitForSelector('table.bars')
const market = (await here()).split('#')[1].split('?')[0]
const classes = cli('kauri', 'result', room.classify, /\.(\d+)\.json/.exec(market)[1])
await page.waitForSelector('th:text("of these yours")')
await quiet(600)
await shoot(page, 'market')
await prove('market bars are sorted, chart and table are the same numbers, and Namibia is a country', async () => {
  await page.click('text=/^All \\d+$/')
  const bars = await page.$$eval('tr[data-bar]', (r) => r.map((x) => ({ key: x.dataset.bar, value: Number(x.dataset.value), shown: x.querySelector('td').textContent, name: x.querySelector('th').textContent })))
  const told = bars.filter((b) => !['others', 'hidden'].includes(b.key))
  const truth = new Map(classes.classes.filter((c) => c.rows).map((c) => [c.class, c.rows]))
  const sorted = told.every((b, i) => i === 0 || told[i - 1].value >= b.value)
  const same = told.length === truth.size && told.every((b) => truth.get(b.key) === b.value && b.shown === b.value.toLocaleString('en'))
  const sum = bars.reduce((s, b) => s + b.value, 0)
  return sorted && same && sum === classes.rows && told.some((b) => b.key === 'NA' && b.name.includes('Namibia')) ? true : { sorted, same, sum, rows: classes.rows }
})
await prove('top 20 and the others sum to the total, and percent keeps the order', async () => {
  await page.click('text=Top 20 only')
  const read = () => page.$$eval('tr[data-bar]', (r) => r.map((x) => [x.dataset.bar, Number(x.dataset.value), x.querySelector('td').textContent]))
  const counts = await read()
  await page.check('input[type=radio] >> nth=1')
  const shares = await read()
  const sum = counts.reduce((s, b) => s + b[1], 0)
  return counts.length === 22 && sum === classes.rows && counts.every((c, i) => c[0] === shares[i][0]) && shares[0][2].endsWith('%') ? true : { counts, shares }
})
await prove('classes that may not be told say why everywhere: page, export, API and command line', async () => {
  const why = /fewer than|another suppressed cell/ // the first kind, or one hidden for its sake
  const hidden = classes.classes.filter((c) => c.suppressed)
  const csv = (await download('button:text-is("CSV")')).bytes.toString()
  const api = await page.evaluate(async (n) => (await fetch(`/api/kauri/results/${n}`)).json(), market.split('/')[3])
  const rows = csv.trim().split('\n').slice(1).map((l) => l.split(','))
  const inCsv = rows.filter((r) => r.some((c) => why.test(c))).length
  const inApi = api.result.classes.filter((c) => c.suppressed).every((c) => c.rows === undefined && why.test(c.suppressed))
  await page.click(`summary:has-text("${classes.suppressed_classes} suppressed classes")`)
  const inPage = await page.$$eval('[data-hidden]', (e) => e.filter((x) => /fewer than|another suppressed cell/.test(x.textContent)).length)
  const nameless = classes.suppressed_classes - hidden.length
  const inWords = nameless === 0 || (await page.textContent('details:has([data-hidden]), details:has-text("more, which")')).includes(`${nameless} more, which`)
  return classes.suppressed_classes > 0 && inWords && inCsv === hidden.length && inApi && inPage === hidden.length ? true : { hidden: hidden.length, nameless, inCsv, inApi, inPage, inWords }
})

// The answer on the map.
await go('#/rimu/results')
await page.click('a:text-is("Cluster")')
await page.waitForSelector('.marker')
await page.waitForSelector('[data-share]:not([data-share=""])')
await quiet(900)
await shoot(page, 'clusters')
const sitesUrl = await here()
const sitesName = sitesUrl.split('/result/')[1].split('?')[0]
const sites = await page.evaluate(async (n) => (await fetch(`/api/rimu/results/${n}`)).json(), sitesName)
let csvText = ''
await prove('there are k markers for k sites, where the exported CSV says, to 1e-6 of a degree', async () => {
  csvText = (await download('button:text-is("CSV")')).bytes.toString()
  const [head, ...rows] = csvText.trim().split('\n').map((l) => l.split(','))
  const marks = await page.$$eval('.marker[data-site]', (e) => e.map((m) => [Number(m.dataset.site), Number(m.dataset.latitude), Number(m.dataset.longitude)]))
  const at = (name) => head.indexOf(name)
  const off = marks.filter(([id, lat, lon]) => {
    const row = rows.find((r) => Number(r[at('site')]) === id)
    return !row || Math.abs(row[at('latitude')] - lat) > 1e-6 || Math.abs(row[at('longitude')] - lon) > 1e-6
  })
  return marks.length === sites.result.k && off.length === 0 ? true : { n: marks.length, off }
})
await prove('GeoJSON is as RFC 7946 has it, longitude first, and says where it came from', async () => {
  const { bytes, name } = await download('button:text-is("GeoJSON")')
  const g = JSON.parse(bytes)
  const fine = g.type === 'FeatureCollection' && g.features.every((f, i) => f.type === 'Feature' && f.geometry.type === 'Point' && f.geometry.coordinates.length === 2 && Math.abs(f.geometry.coordinates[0] - sites.result.sites[i].longitude) < 1e-9 && Math.abs(f.geometry.coordinates[1]) <= 90)
  return fine && g.features.length === sites.result.k && g.apex.run === sites.receipt.run && g.apex.address === sites.receipt.address && name.includes(`run${sites.receipt.run}`) ? true : { name, apex: g.apex }
})
await prove('the picture is not blank and holds legend, run and date under the map', async () => {
  const { bytes } = await download('.map-tools button:text-is("PNG")')
  const size = await page.evaluate(async (b64) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))], { type: 'image/png' }))
    const c = new OffscreenCanvas(image.width, image.height)
    const g = c.getContext('2d')
    g.drawImage(image, 0, 0)
    const colours = (y0, y1) => new Set(Array.from({ length: 3000 }, (_, i) => g.getImageData((i * 37) % image.width, y0 + ((i * 13) % Math.max(1, y1 - y0)), 1, 1).data.join())).size
    const map = document.querySelector('.map-box').clientHeight
    return { width: image.width, height: image.height, map, above: colours(0, map), below: colours(map + 1, image.height) }
  }, bytes.toString('base64'))
  return bytes.subarray(1, 4).toString() === 'PNG' && size.height > size.map + 60 && size.above > 20 && size.below > 3 ? true : size
})
await prove('an exported CSV is taken again by the check of a contribution', async () => {
  await go(`#/kauri/contribute/${room.cluster}`)
  await page.waitForSelector('[data-testid=drop]')
  await page.setInputFiles('input[type=file]', { name: 'sites.csv', mimeType: 'text/csv', buffer: Buffer.from(csvText) })
  await page.waitForSelector('.map-columns')
  await page.click('text=Use this mapping')
  await page.waitForSelector('[data-testid=checked]')
  return (await page.textContent('.stat.good strong')) === String(sites.result.k)
})
await prove('the coverage slider counts own points as one would by hand', async () => {
  await page.goto(sitesUrl)
  await page.waitForSelector('[data-share]:not([data-share=""])')
  const rimu = room.parties.find((p) => p.name === 'rimu')
  const rows = readFileSync(`${rimu.home}/ui/files/00000000000000c1`, 'utf8').trim().split('\n').slice(1).map((l) => l.split(',').map(Number))
  const rad = Math.PI / 180
  const km = (a, b) => {
    const h = Math.sin(((a[0] - b[0]) * rad) / 2) ** 2 + Math.cos(a[0] * rad) * Math.cos(b[0] * rad) * Math.sin(((a[1] - b[1]) * rad) / 2) ** 2
    return 2 * 6371.0088 * Math.asin(Math.sqrt(h))
  }
  const near = rows.map((r) => Math.min(...sites.result.sites.map((s) => km(r, [s.latitude, s.longitude]))))
  for (const radius of [0.5, 1, 3]) {
    await page.fill('#radius', String(radius))
    const truth = near.filter((d) => d <= radius).length / near.length
    const shown = Number(await until(() => page.getAttribute('[data-testid=share]', 'data-share'), (s) => s !== '' && Math.abs(Number(s) - truth) <= 0.001))
    if (Math.abs(shown - truth) > 0.001) return { radius, shown, truth }
  }
  return true
})
await prove('choosing a row lights its marker, the address holds the choice, and another tab shows the same', async () => {
  await page.click('tr[data-row="7"] button')
  await page.waitForSelector('.marker.chosen[data-site="7"]')
  const other = await context.newPage()
  browser.watch(other)
  await other.goto(await here())
  await other.waitForSelector('.marker.chosen[data-site="7"]')
  const same = (await other.inputValue('#radius')) === (await page.inputValue('#radius'))
  await other.close()
  return same && (await here()).includes('site=7')
})
await prove('back goes to where one was', async () => {
  await go('#/rimu/results')
  await page.waitForSelector('h1:text-is("Results")')
  await page.goBack()
  await page.waitForSelector('.marker.chosen[data-site="7"]')
  return true
})
await prove('the receipt of an answer is checked here, offline, check by check', async () => {
  await page.click('a:text-is("Receipt")')
  await page.waitForSelector('[data-testid=receipt-check]')
  await shoot(page, 'receipt')
  const t = await text('[data-testid=receipt-check]')
  return t.includes('The receipt holds') && (await page.$$('[data-testid=receipt-check] li.pass')).length > 8 ? true : t
})

// The contract, as the command line has it.
await go(`#/kauri/contract/${room.cluster}`)
await page.waitForSelector('h2:text-is("Identity")')
await page.waitForSelector('.checks li')
await shoot(page, 'contract')
const facts = cli('kauri', 'contract', 'show', room.cluster)
const verdict = cli('kauri', 'trust', 'check')
await prove('address, code hash and measurement stand in full, with a copy button each, as the command line says', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ui.base })
  for (const value of [room.cluster, facts.program, verdict.measurement]) {
    await page.click(`[data-copy="${value}"] >> nth=0`)
    const copied = await until(() => page.evaluate(() => navigator.clipboard.readText()), (t) => t === value)
    if (copied !== value) return { value, copied }
  }
  return true
})
await prove('each step of the verdict says pass or not, when, and can be repeated by the command shown', async () => {
  const steps = await page.$$eval('.verdict .checks li', (e) => e.map((x) => [x.dataset.check, x.className, x.textContent]))
  const lines = steps.every(([, kind, t]) => ['pass', 'fail', 'not-asked'].includes(kind) && /\d\d:\d\d:\d\d UTC/.test(t))
  const same = verdict.checks.every((c) => steps.some(([name, kind]) => name === c.name && kind === c.result))
  await page.click('summary:text("How to check this yourself")')
  const { bytes } = await download('button:text("Download this verdict")')
  const raw = await download('button:text("Download the raw evidence")')
  const kept = `${home}/node.evidence`
  writeFileSync(kept, raw.bytes)
  const offline = cli('kauri', 'trust', 'check', '--evidence', kept)
  const line = await page.getAttribute('.verdict .command button', 'data-copy')
  const again = JSON.parse(execFileSync('/bin/sh', ['-c', `${line.replace(/^apex/, APEX)} --json`], { encoding: 'utf8' }))
  return lines && same && JSON.parse(bytes).measurement === again.measurement && offline.measurement === again.measurement ? true : { lines, same, line, offline }
})

// Every screen, in every shape.
const screens = {
  contracts: '#/kauri/contracts', contract: `#/kauri/contract/${room.cluster}`, participants: `#/kauri/participants/${room.cluster}`, contribute: `#/kauri/contribute/${room.cluster}`,
  analyse: `#/kauri/analyse/${room.cluster}`, results: '#/rimu/results', clusters: sitesUrl.slice(sitesUrl.indexOf('#')), market: `#${market}`, models: `#/kauri/models/${room.classify}`,
  audit: `#/kauri/audit/${room.cluster}`, settings: '#/kauri/settings', room: '#/try',
}
const settle = async (name) => {
  await go(screens[name])
  await page.waitForSelector(name === 'room' ? '[data-party=totara] .marker' : 'main h1')
  await page.waitForSelector('.top [data-trust=simulated]') // said anew of each party
  await page.waitForFunction(() => !document.querySelector('.loading'))
  await quiet(150)
}
const axe = readFileSync(AXE, 'utf8')
const unsaid = []
const nameless = []
const audited = { dark: [], light: [] }
const colours = []
for (const theme of ['dark', 'light']) {
  await page.evaluate((t) => { document.documentElement.dataset.theme = t }, theme)
  for (const name of Object.keys(screens)) {
    await settle(name)
    await shoot(page, `${name}-1440-${theme}`)
    await page.evaluate(axe)
    const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => ({ id: v.id, at: v.nodes.slice(0, 4).map((n) => `${n.target} ${n.failureSummary}`) })))
    if (found.length) audited[theme].push({ name, found })
    const all = await text('body')
    if (!/simulated/i.test(all) || /\bverified\b/i.test(all.replace(/apex verify/g, ''))) unsaid.push(name)
    nameless.push(...(await page.$$eval('svg:not([aria-hidden=true]):not([role=img]), canvas', (e) => e.filter((x) => !x.getAttribute('aria-label') && !x.closest('.map-box, [aria-hidden=true]')).map((x) => x.outerHTML.slice(0, 80)))))
    colours.push(...(await page.$$eval('.chip', (e) => e.filter((x) => !x.querySelector('svg') || x.textContent.trim().length < 3).map((x) => x.outerHTML))))
  }
}
say(unsaid.length === 0, 'every page of a simulated node says “simulated”, and none “verified”', unsaid)
say(audited.dark.length === 0, 'axe finds nothing serious on any screen in the dark theme, contrast included', audited.dark)
say(audited.light.length === 0, 'axe finds nothing serious on any screen in the light theme, contrast included', audited.light)
say(nameless.length === 0, 'every chart and map has an accessible name', nameless)
say(colours.length === 0, 'every status is an icon and a word, never colour alone', colours)
await prove('what the map shows stands in a table too', async () => {
  await settle('clusters')
  const [marks, rows] = [await page.$$('.marker[data-site]'), await page.$$('tr[data-row]')]
  return marks.length === rows.length && marks.length > 0
})
const wide = []
for (const [width, height] of [[360, 800], [720, 450], [768, 1024]]) {
  await page.setViewportSize({ width, height })
  for (const theme of ['dark', 'light']) {
    if (theme === 'light' && width !== 360) continue
    await page.evaluate((t) => { document.documentElement.dataset.theme = t }, theme)
    for (const name of Object.keys(screens)) {
      await settle(name)
      await shoot(page, `${name}-${width}-${theme}`)
      const scroll = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      const lost = await page.$$eval('main button, main a, main select, main input', (e) => e.filter((x) => {
        const r = x.getBoundingClientRect()
        return r.width > 0 && (r.right > innerWidth + 1 || r.left < -1) && !x.closest('.table-box, .hidden, pre')
      }).map((x) => x.outerHTML.slice(0, 90)))
      if (scroll > 0 || lost.length) wide.push({ name, width, scroll, lost })
    }
  }
}
say(wide.length === 0, 'at 360 pixels, at 768, and at 200 % zoom no page scrolls sideways and every action can be reached', wide)
await page.setViewportSize({ width: 1440, height: 900 })

await prove('the theme follows the system, is switched, and survives a reload without a flash', async () => {
  const colour = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  await page.evaluate(() => { document.documentElement.dataset.theme = 'system' })
  const dark = await colour()
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await colour()
  await settle('settings')
  await Promise.all([page.waitForResponse((r) => r.url().includes('/preferences') && r.request().method() !== 'GET'), page.selectOption('#theme', 'dark')])
  await page.reload({ waitUntil: 'commit' })
  const first = await page.waitForFunction(() => document.documentElement.dataset.theme).then((h) => h.jsonValue())
  await page.waitForSelector('.shell')
  const kept = await colour()
  return dark !== light && first === 'dark' && kept === dark ? true : { dark, light, first, kept }
})
await prove('the palette opens by Ctrl K, goes where one says, Esc closes it and gives the focus back', async () => {
  await settle('contracts')
  await page.focus('.palette-button')
  await page.keyboard.press('Control+k')
  await page.waitForSelector('dialog[open] input')
  await page.keyboard.press('Escape')
  await page.waitForSelector('dialog[open]', { state: 'detached' }).catch(() => undefined)
  const back = await page.evaluate(() => document.activeElement?.className ?? '')
  await page.keyboard.press('Control+k')
  await page.waitForSelector('dialog[open] input:focus')
  await page.keyboard.type('audit telco')
  await page.waitForSelector('[role=option]:text-matches("^Audit telco")')
  await page.keyboard.press('Enter')
  await page.waitForSelector('h1:text-is("Audit")')
  return back.includes('palette-button') ? true : back
})
await prove('k = 0, 1, -3, 2.5, abc and 10^9 are refused at the field with what is allowed, and the rest of the form stays', async () => {
  await go(`#/kauri/analyse/${room.cluster}?function=sites`)
  await page.waitForSelector('input[name=k]')
  await page.fill('input[name=radius_km]', '7')
  const before = cli('kauri', 'audit', room.cluster).events.length
  for (const k of ['0', '1', '-3', '2.5', 'abc', '1000000000', '']) {
    await page.fill('input[name=k]', k)
    if (k === '') continue
    await page.click('button:text-is("Run")')
    const said = await page.textContent('.field.wrong .field-error').catch(() => '')
    if (!said.includes('between 2 and 200') || !page.url().includes('/analyse/')) return { k, said }
  }
  return (await page.inputValue('input[name=radius_km]')) === '7' && cli('kauri', 'audit', room.cluster).events.length === before
})
await prove('contributing and asking work by keyboard alone, the focus ever in sight', async () => {
  const reach = async (want) => {
    for (let i = 0; i < 90; i++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const e = document.activeElement
        const r = e.getBoundingClientRect()
        return { text: (e.textContent || e.getAttribute('aria-label') || e.name || '').trim(), name: e.getAttribute('name') ?? e.id, outline: getComputedStyle(e).outlineStyle, seen: r.width > 0 && r.height > 0 }
      })
      if (want(at)) {
        if (at.outline === 'none') throw new Error(`no focus ring on ${at.text}`)
        return
      }
    }
    throw new Error('not reached by Tab')
  }
  await go(`#/totara/contribute/${room.classify}?dataset=customers`)
  await page.waitForSelector('[data-testid=drop]')
  await reach((a) => a.text === 'Paste rows instead')
  await page.keyboard.press('Enter')
  await reach((a) => a.text === 'Rows as JSON or CSV')
  await page.keyboard.type('[{"latitude": 51.5, "longitude": -0.1}, {"latitude": 48.85, "longitude": 2.35}]')
  await reach((a) => a.text === 'Use these rows')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=checked]')
  await page.waitForSelector('button:text-is("Go on to seal"):enabled')
  await reach((a) => a.text === 'Go on to seal')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=seal]')
  await reach((a) => a.outline !== undefined && a.text === '' && a.name === '')
  await page.keyboard.press('Space')
  await page.waitForSelector('button:text-is("Seal and send"):enabled')
  await reach((a) => a.text === 'Seal and send')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=receipt]')
  await go(`#/totara/analyse/${room.cluster}?function=sites`)
  await page.waitForSelector('input[name=k]')
  await page.waitForSelector('button:text-is("Run"):enabled')
  await reach((a) => a.name === 'k')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('5')
  await page.keyboard.press('Control+Enter')
  await page.waitForSelector('.marker')
  return (await page.$$('.marker[data-site]')).length === 5
})
await prove('what changed is told in a live region, and stays among the messages', async () => {
  const live = await until(() => text('[data-testid=live]'), (t) => /done|recorded/i.test(t))
  await page.click('[aria-label^="Messages"]')
  const kept = await text('dialog[open]')
  await page.keyboard.press('Escape')
  return /done|recorded/i.test(live) && /recorded|done/i.test(kept) ? true : { live, kept }
})
say(browser.complaints.length === 0, 'no console error on any screen', browser.complaints)
await prove('nothing was asked of any other host', () => {
  const strange = browser.requests.filter((u) => !u.startsWith(ui.base) && !u.startsWith('data:') && !u.startsWith('blob:'))
  return strange.length === 0 ? true : strange
})
await prove('closing the room takes its node, homes and scratch folder away', async () => {
  const origin = () => fetch(`${room.node}/checkpoint`).then((r) => r.text()).then((t) => t.split('\n')[0], () => null)
  const before = await origin()
  await go('#/try')
  await page.click('text=Close the room')
  await page.waitForSelector('button:text("Open the room")')
  const log = await origin() // another's, if somebody has taken the port since
  return existsSync(`${room.data}/node.log`) ? 'the scratch folder is still there' : log !== before || log
})
await browser.stop()
await ui.stop()
end()
