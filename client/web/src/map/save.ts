import { themes } from './paint'
import { worldX, worldY, type View } from './projection'
import type { MapProps } from './map'

// The picture with its legend and where it came from.
export async function save(
  shown: HTMLCanvasElement,
  v: View,
  p: MapProps,
  size: { width: number; height: number },
  theme: 'dark' | 'light',
): Promise<void> {
  const t = themes[theme]
  const caption = [...(p.legend ?? []).map((l) => l.text), ...(p.caption ?? [])]
  const ratio = shown.width / size.width
  const out = document.createElement('canvas')
  out.width = shown.width
  out.height = shown.height + ratio * (18 * caption.length + 20)
  const c = out.getContext('2d')!
  c.scale(ratio, ratio)
  c.fillStyle = t.water
  c.fillRect(0, 0, size.width, out.height / ratio)
  c.drawImage(shown, 0, 0, size.width, size.height)
  c.textAlign = 'center'
  for (const m of p.markers ?? []) {
    const x = (worldX(m.longitude) - v.x) * v.scale + size.width / 2
    const y = (worldY(m.latitude) - v.y) * v.scale + size.height / 2
    c.beginPath()
    c.arc(x, y, 7, 0, 2 * Math.PI)
    c.fillStyle = '#0d9488'
    c.fill()
    c.strokeStyle = '#ffffff'
    c.stroke()
    c.fillStyle = '#ffffff'
    c.font = 'bold 9px system-ui, sans-serif'
    c.fillText(String(m.id + 1), x, y + 3)
  }
  c.textAlign = 'left'
  c.fillStyle = t.ink
  c.font = '13px system-ui, sans-serif'
  caption.forEach((line, i) => c.fillText(line, 12, size.height + 22 + 18 * i))
  const blob = await new Promise<Blob | null>((done) => out.toBlob(done, 'image/png'))
  if (blob) download(`${p.fileName}.png`, blob)
}

export function download(name: string, what: Blob | string, type = 'text/plain'): void {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(typeof what === 'string' ? new Blob([what], { type }) : what)
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10000)
}
