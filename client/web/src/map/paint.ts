// One frame of the map: water, land, borders, names, own points, coverage. Markers lie above it as SVG.
import type { Base } from './base'
import { PointRaster, type Points, type Rgb } from './points'
import { kmToPixels, type View } from './projection'

export interface Theme {
  water: string
  land: string
  border: string
  name: string
  ink: string
  point: Rgb
  dense: Rgb
  circle: string
  ring: string
}
export interface Circle {
  latitude: number
  x: number
  y: number
  km: number
  strong: boolean
}
export interface Scene {
  base: Base | null
  points: Points | null
  circles: Circle[]
  shade: ((name: string) => string | null) | null
}

export const themes: Record<'dark' | 'light', Theme> = {
  dark: {
    water: '#0a1018',
    land: '#172130',
    border: '#2c3b50',
    name: '#7f93ab',
    ink: '#e8eef6',
    point: [122, 162, 247],
    dense: [219, 234, 254],
    circle: 'rgba(45, 212, 191, 0.13)',
    ring: 'rgba(94, 234, 212, 0.75)',
  },
  light: {
    water: '#dfe9f2',
    land: '#fbfaf6',
    border: '#c3ccd6',
    name: '#66758a',
    ink: '#15202e',
    point: [72, 101, 190],
    dense: [23, 37, 84],
    circle: 'rgba(13, 148, 136, 0.14)',
    ring: 'rgba(15, 118, 110, 0.8)',
  },
}

function land(c: CanvasRenderingContext2D, s: Scene, t: Theme, view: View, width: number, height: number, ratio: number): void {
  if (!s.base) return
  c.save()
  c.setTransform(
    ratio * view.scale,
    0,
    0,
    ratio * view.scale,
    ratio * (width / 2 - view.x * view.scale),
    ratio * (height / 2 - view.y * view.scale),
  )
  c.fillStyle = t.land
  c.fill(s.base.land)
  if (s.shade)
    for (const country of s.base.countries) {
      const colour = s.shade(country.name)
      if (!colour) continue
      c.fillStyle = colour
      c.fill(country.path)
    }
  c.lineWidth = 0.8 / view.scale
  c.strokeStyle = t.border
  c.stroke(s.base.borders)
  c.restore()
}

function names(c: CanvasRenderingContext2D, s: Scene, t: Theme, view: View, width: number, height: number): void {
  if (!s.base) return
  c.font = '11px system-ui, sans-serif'
  c.textAlign = 'center'
  c.fillStyle = t.name
  for (const country of s.base.countries) {
    const x = (country.label[0] - view.x) * view.scale + width / 2
    const y = (country.label[1] - view.y) * view.scale + height / 2
    if (x < 0 || y < 0 || x > width || y > height) continue
    if (country.width * view.scale > 6.4 * country.name.length + 14) c.fillText(country.name, x, y)
  }
}

function circles(c: CanvasRenderingContext2D, s: Scene, t: Theme, view: View, width: number, height: number): void {
  for (const q of s.circles) {
    const x = (q.x - view.x) * view.scale + width / 2
    const y = (q.y - view.y) * view.scale + height / 2
    const r = kmToPixels(q.km, q.latitude, view.scale)
    if (x + r < 0 || y + r < 0 || x - r > width || y - r > height || r < 1) continue
    c.beginPath()
    c.arc(x, y, r, 0, 2 * Math.PI)
    c.fillStyle = t.circle
    c.fill()
    c.lineWidth = q.strong ? 2.5 : 1
    c.strokeStyle = t.ring
    c.stroke()
  }
}

export function paint(
  canvas: HTMLCanvasElement,
  raster: PointRaster,
  s: Scene,
  theme: Theme,
  view: View,
  width: number,
  height: number,
): number {
  const ratio = canvas.width / width
  const c = canvas.getContext('2d')!
  c.setTransform(ratio, 0, 0, ratio, 0, 0)
  c.fillStyle = theme.water
  c.fillRect(0, 0, width, height)
  land(c, s, theme, view, width, height, ratio)
  names(c, s, theme, view, width, height)
  let seen = 0
  if (s.points) {
    const size = view.scale > 2 ** 21 ? 4 : view.scale > 2 ** 18 ? 3 : 2
    seen = raster.draw(s.points, view, Math.round(width), Math.round(height), size, theme.point, theme.dense)
    c.drawImage(raster.canvas, 0, 0, width, height)
  }
  circles(c, s, theme, view, width, height)
  return seen
}
