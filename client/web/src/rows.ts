// Text of rows, read for looking at them only. What counts as a row, and what is sealed, libapex alone decides.

// Up to `limit` rows of delimited text, quotes as RFC 4180 has them.
export function cells(text: string, delimiter: string, limit: number): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < text.length && rows.length < limit; i++) {
    const c = text[i]!
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') cell += text[++i]
      else quoted = false
    } else if (c === '"' && cell === '') quoted = true
    else if (c === delimiter) {
      row.push(cell)
      cell = ''
    } else if (c === '\n' || c === '\r') {
      if (c === '\r' && text[i + 1] === '\n') i++
      row.push(cell)
      if (row.length > 1 || cell !== '') rows.push(row)
      row = []
      cell = ''
    } else cell += c
  }
  if (rows.length < limit && (cell !== '' || row.length > 0)) rows.push([...row, cell])
  return rows
}

export function delimiterOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/))
  const counts = [',', ';', '\t', '|'].map((d) => [d, line.split(d).length] as const)
  return counts.sort((a, b) => b[1] - a[1])[0]![0]
}

export const looksJson = (text: string): boolean => /^[\s\ufeff]*[[{]/.test(text)

export interface Rows {
  names: string[]
  n: number
  latitude?: Float64Array
  longitude?: Float64Array
  label?: string[]
}

const PIECE = 12000 // rows read before the page gets a breath
const breath = (): Promise<void> => new Promise((done) => setTimeout(done))

// The CSV that `apex contribute --check -o` writes: rows as they would be sealed.
export async function readRows(text: string): Promise<Rows> {
  const end = text.indexOf('\n')
  const names = text.slice(0, end).split(',')
  const label = names.findIndex((n) => n !== 'latitude' && n !== 'longitude')
  if (names[0] !== 'latitude' || names[1] !== 'longitude') return { names, n: 0 }
  let n = 0
  for (let i = end + 1; i < text.length; i = text.indexOf('\n', i) + 1) n++
  const latitude = new Float64Array(n)
  const longitude = new Float64Array(n)
  const labels: string[] | undefined = label >= 0 ? new Array<string>(n) : undefined
  for (let i = end + 1, k = 0; k < n; k++) {
    const a = text.indexOf(',', i)
    const stop = text.indexOf('\n', a)
    let b = labels ? text.indexOf(',', a + 1) : stop
    if (b < 0 || b > stop) b = stop
    latitude[k] = +text.slice(i, a)
    longitude[k] = +text.slice(a + 1, b)
    if (labels)
      labels[k] = text[b + 1] === '"' ? (cells(text.slice(b + 1, stop), ',', 1)[0]?.[0] ?? '') : text.slice(b + 1, stop).split(',', 1)[0]!
    i = stop + 1
    if (k % PIECE === PIECE - 1) await breath()
  }
  return { names, n, latitude, longitude, label: labels }
}

// How many of the places are there once more, to a metre.
export async function twins(rows: Rows): Promise<number> {
  if (!rows.latitude || !rows.longitude) return 0
  const keys = new Float64Array(rows.n)
  for (let i = 0; i < rows.n; i++)
    keys[i] = Math.round((rows.latitude[i]! + 90) * 1e5) * 36000001 + Math.round((rows.longitude[i]! + 180) * 1e5)
  await breath()
  keys.sort()
  let n = 0
  for (let i = 1; i < keys.length; i++) if (keys[i] === keys[i - 1]) n++
  return n
}
