// Many points, drawn by counting them per pixel: no WebGL, and 140,000 in a few milliseconds. Where they lie thick the
// colour grows brighter, so that density shows without a setting.
import { worldX, worldY, type View } from './projection'

export interface Points {
  n: number
  x: Float64Array
  y: Float64Array
}

export function project(latitude: ArrayLike<number>, longitude: ArrayLike<number>): Points {
  const n = latitude.length
  const x = new Float64Array(n)
  const y = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    x[i] = worldX(longitude[i]!)
    y[i] = worldY(latitude[i]!)
  }
  return { n, x, y }
}

export type Rgb = [number, number, number]

export class PointRaster {
  readonly canvas = document.createElement('canvas')
  private counts = new Uint16Array(0)
  private image: ImageData | null = null
  private ramp = new Uint32Array(256)
  private rampOf = ''

  private room(width: number, height: number): ImageData {
    if (this.image && this.image.width === width && this.image.height === height) return this.image
    this.canvas.width = width
    this.canvas.height = height
    this.counts = new Uint16Array(width * height)
    this.image = new ImageData(width, height)
    return this.image
  }

  // Little-endian RGBA: from translucent, for one point, to opaque and brighter, for many.
  private colours(low: Rgb, high: Rgb): void {
    const key = `${low}/${high}`
    if (key === this.rampOf) return
    this.rampOf = key
    for (let c = 1; c < 256; c++) {
      const t = Math.min(1, Math.log2(c) / 7)
      const mix = (i: 0 | 1 | 2): number => Math.round(low[i] + (high[i] - low[i]) * t)
      const alpha = Math.round(150 + 105 * Math.min(1, t * 2))
      this.ramp[c] = ((alpha << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0
    }
  }

  // How many lay in the window. `size`: pixels across one point.
  draw(points: Points, view: View, width: number, height: number, size: number, low: Rgb, high: Rgb): number {
    const image = this.room(width, height)
    const { counts } = this
    const out = new Uint32Array(image.data.buffer)
    const left = view.x * view.scale - width / 2
    const top = view.y * view.scale - height / 2
    const { scale } = view
    const { x, y, n } = points
    let seen = 0
    counts.fill(0)
    this.colours(low, high)
    for (let i = 0; i < n; i++) {
      const px = (x[i]! * scale - left) | 0
      const py = (y[i]! * scale - top) | 0
      if (px < 0 || py < 0 || px > width - size || py > height - size) continue
      seen++
      for (let v = 0; v < size; v++) {
        const row = (py + v) * width + px
        for (let u = 0; u < size; u++) counts[row + u]!++
      }
    }
    for (let i = 0; i < counts.length; i++) {
      const c = counts[i]!
      out[i] = c ? this.ramp[c < 255 ? c : 255]! : 0
    }
    this.canvas.getContext('2d')!.putImageData(image, 0, 0)
    return seen
  }
}
