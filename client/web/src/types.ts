// What the server and `apex --json` say, as far as the page reads it.
export interface Trouble {
  status: string
  what: string
  not_done: string
  next: string
  who: string
  refusal?: string
}
export interface Place {
  id: string
  home: string
  node: string
  as: string
  room: boolean
}
export interface RoomFile {
  id: string
  address: string
  dataset: string
  map?: string
}
export interface Room {
  state: 'closed' | 'opening' | 'open' | 'failed'
  stage: string
  why?: string
  node?: string
  cluster?: string
  classify?: string
  data?: string
  parties?: { name: string; home: string; files: RoomFile[] }[]
}
export interface Session {
  version: string
  own: Place
  room: Room
}

export type TrustWord = 'verified' | 'simulated' | 'stale' | 'mismatch' | 'unreachable' | 'unpinned' | 'unset' | 'checking'
export interface Check {
  name: string
  result: 'pass' | 'fail' | 'not-asked'
  detail: string
}
export interface Verdict {
  genuine: boolean
  acceptable: boolean
  simulated: boolean
  tee: string
  measurement: string
  origin: string
  log_key: string
  checks: Check[]
}
export interface Trust {
  word: TrustWord
  checked_ms?: number
  took_ms?: number
  line?: string
  verdict?: Verdict
  error?: Trouble
}

export interface Job {
  id: number
  place: string
  act: string
  line: string
  state: 'running' | 'done' | 'failed' | 'cancelled'
  stage: string
  done: number
  total: number
  started_ms: number
  now_ms: number
  ended_ms?: number
  exit?: number
  request: Record<string, unknown>
  output?: unknown
}
export interface Upload {
  id: string
  name: string
  bytes: number
  sha256: string
}
export interface Sent {
  sha256: string
  name: string
  time_ms: number
  file: string
  address: string
  dataset: string
  map?: string
  receipt: { rows: number; contribution: number; sealed_bytes: number; ciphertext: string }
}
export interface Kept {
  name: string
  address: string
  function: string
  run: number
  simulated: boolean
  kept_ms: number
}

export interface Column {
  name: string
  type: string
  unit?: string
  missing?: boolean
  min?: number | string
  max?: number | string
}
export interface Dataset {
  name: string
  columns: Column[]
}
export interface Param {
  name: string
  type: 'int' | 'float' | 'bool' | 'choice' | 'points'
  min?: number
  max?: number
  default?: number | string | boolean
  choices?: string[]
  max_items?: number
  dims?: number
}
export interface Fn {
  name: string
  datasets: string[]
  rows?: string
  release: string
  trains?: boolean
  uses?: string
  exports?: boolean
  private?: boolean
  params: Param[]
}
export interface Party {
  name: string
  sign: string
  seal: string
  may: string[]
}
export interface Manifest {
  apex: number
  name: string
  purpose: string
  program: Record<string, string>
  source: { at: string; build: string }
  enclaves: { tee: string; measurement: string }[]
  parties: Party[]
  datasets: Dataset[]
  functions: Fn[]
  release: { minimum_rows: number; minimum_contributors: number; maximum_share: number }
  privacy?: { epsilon: number; delta: number }
  oblivious?: boolean
  quotas: { runs_per_party: number; rows_per_party: number; memory_mb: number; cpu_seconds: number; output_mb: number }
  expires: string
}
export interface Facts {
  name: string
  state: string
  program: string
  key: string
  entries: number
  parties: { name: string; approves: boolean; accepted: boolean }[]
  manifest: string
  privacy?: { epsilon: number; spent: number; delta: number }
}
export interface Contract {
  address: string
  facts: Facts
  manifest: Manifest
}

export interface Event {
  index: number
  time_ms: number
  kind: string
  who: string
  what: string
  refusal: string
  epsilon?: number
}
export interface BadRow {
  row: number
  line: number
  column: string
  value: string
  reason: string
}
export interface Report {
  format: string
  rows: number
  bad_rows: number
  ignored_columns: string
  bad: BadRow[]
}
export interface Verification {
  holds: boolean
  simulated: boolean
  checks: Check[]
  sentences: string[]
}

export interface Site {
  site: number
  latitude?: number
  longitude?: number
  rows?: number
  contributors?: number
  within_radius?: number | null
  median_km?: number | null
  p95_km?: number | null
  max_km?: number | null
  suppressed?: string
  weight?: number
}
export interface SitesAnswer {
  function: string
  metric?: string
  inertia?: number
  inertia_unit?: string
  rounds?: number
  converged?: boolean
  rows: number | null
  contributors: number
  k: number
  suppressed_sites: number
  radius_km: number
  within_radius: number | null
  sites: Site[]
}
export interface ClassCount {
  class: string
  rows?: number
  share?: number
  contributors?: number
  suppressed?: string
}
export interface ClassAnswer {
  function: string
  model?: string
  training_rows?: number
  rows?: number
  holdout_rows?: number
  contributors?: number
  n_classes?: number
  n_features?: number
  classes?: ClassCount[]
  suppressed_classes?: number
  accuracy?: number
  balanced_accuracy?: number | null
  log_loss?: number
  roc_auc?: number | null
  average_precision?: number | null
  r2?: number
  rmse?: number
  mae?: number
  confusion?: (number | null)[][]
  pooled?: Figures
  alone?: (Figures & { party: number; training_rows?: number; classes_seen?: number; suppressed?: string; failed?: string })[]
  predictions?: { row: number; class?: string; score?: number; value?: number }[]
}
export interface Figures {
  accuracy?: number
  balanced_accuracy?: number | null
  roc_auc?: number | null
  r2?: number
  rmse?: number
  mae?: number
}
export interface ResultFile<A> {
  result: A
  receipt: { address: string; function: string; run: number; simulated: boolean; node: string; manifest: string }
}
