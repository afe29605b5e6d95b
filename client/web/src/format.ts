// Numbers, times and names as people read them. One place, so that table, chart and map agree.
const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })

export const count = (n: number): string => counts.format(n)
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`
export const degree = (d: number): string => d.toFixed(4)
export const short = (hash: string): string => (hash.length > 20 ? `${hash.slice(0, 11)}…${hash.slice(-6)}` : hash)

export function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB']
  let i = 0
  while (n >= 1000 && i < 3) {
    n /= 1000
    i++
  }
  return `${i ? n.toFixed(1) : n} ${units[i]}`
}

export const units = (): 'km' | 'miles' => (document.documentElement.dataset.units === 'miles' ? 'miles' : 'km')
export const perUnit = (): number => (units() === 'miles' ? 1.609344 : 1)
export const distance = (km: number, digits = 2): string => `${(km / perUnit()).toFixed(digits)} ${units() === 'miles' ? 'mi' : 'km'}`

export const when = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
export const clock = (ms: number): string => `${new Date(ms).toISOString().slice(11, 19)} UTC`

export function elapsed(ms: number): string {
  const s = ms / 1000
  return s < 10 ? `${s.toFixed(1)} s` : s < 90 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`
}

// "NA" is Namibia. What is no region's code stays as it is.
export function regionName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code
  try {
    return regions.of(code) ?? code
  } catch {
    return code
  }
}
