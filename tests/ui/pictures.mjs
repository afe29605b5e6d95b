// Makes the pictures of README: node tests/ui/pictures.mjs. Not a test.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Browser, end, ROOT, scratch, shoot, shots, Ui } from './lib.mjs'

const ui = await new Ui(scratch('pictures')).start()
const browser = await new Browser().start({ colorScheme: 'dark', viewport: { width: 1280, height: 860 } })
const { page } = browser
await browser.enter(ui)
const keep = async (name) => {
  await shoot(page, name)
  copyFileSync(join(shots, `${name}.png`), join(ROOT, 'docs/pictures', `${name}.png`))
}
await page.goto(`${ui.base}/#/try`)
await page.click('button:text("Open the room")')
for (const [step, next] of [['All three contribute', 1], ['rimu asks', 2], ['The others open it', 3]]) {
  await page.click(`button:text("${step}")`, { timeout: 60000 })
  await page.waitForSelector(`[data-next="${next}"]`, { timeout: 60000 })
}
const room = await page.evaluate(async () => (await fetch('/api/room')).json())
await page.click('text=Look at it closely')
await page.waitForSelector('[data-share]:not([data-share=""])')
await page.click('tr[data-row="2"] button')
await page.waitForTimeout(800)
await keep('map')
await page.goto(`${ui.base}/#/rimu/contract/${room.cluster}`)
await page.waitForSelector('.checks li')
await page.waitForSelector('h2:text-is("Identity")')
await page.waitForTimeout(500)
await keep('trust')
await browser.stop()
await ui.stop()
end()
