import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api'
import { when } from '../format'
import { Chip, Empty, Loading, Progress, TroubleBox } from '../parts'
import { link, type Route } from '../router'
import { announce, complain, troubleOf, trust, useAct } from '../store'
import type { Event, Job, Kept, Trouble } from '../types'
import { title } from './analyse'
import { trusted, useContracts } from './contracts'
import type { History } from './participants'

export function useResults(place: string, turn: unknown = 0): { kept: Kept[] | null; error: Trouble | null } {
  const [state, set] = useState<{ kept: Kept[] | null; error: Trouble | null }>({ kept: null, error: null })
  useEffect(() => {
    let here = true
    api.results(place).then(
      (kept) => here && set({ kept: kept.sort((a, b) => b.kept_ms - a.kept_ms || b.run - a.run), error: null }),
      (e) => here && set({ kept: null, error: troubleOf(e) }),
    )
    return () => {
      here = false
    }
  }, [place, turn])
  return state
}

const Fetch = ({ place, address, event, onDone }: { place: string; address: string; event: Event; onDone: () => void }): JSX.Element => {
  const [busy, set] = useState(false)
  const run = Number(/run (\d+)/.exec(event.what)?.[1])
  const take = async (): Promise<void> => {
    set(true)
    try {
      await api.run(place, { act: 'result', address, run })
      announce(`The answer of run ${run} is here`)
      onDone()
    } catch (e) {
      complain(e)
    }
    set(false)
  }
  return (
    <li class="row between wrap card">
      <span>
        Run {run}: {event.what.replace(/^of run \d+, /, '')} <span class="dim">{when(event.time_ms)}</span>
      </span>
      <button type="button" class="small" disabled={busy} onClick={() => void take()}>
        Open with my key
      </button>
    </li>
  )
}

function OfContract({
  place,
  address,
  name,
  kept,
  onDone,
}: {
  place: string
  address: string
  name: string
  kept: Kept[]
  onDone: () => void
}): JSX.Element | null {
  const history = useAct<History>(place, { act: 'audit', address })
  const open = (history.value?.events ?? []).filter(
    (e) => e.kind === 'result' && !kept.some((k) => k.address === address && k.run === Number(/run (\d+)/.exec(e.what)?.[1])),
  )
  if (open.length === 0) return null
  return (
    <section>
      <h2>Released, not opened here yet: {name}</h2>
      <ul class="plain">
        {open.map((e) => (
          <Fetch key={e.index} place={place} address={address} event={e} onDone={onDone} />
        ))}
      </ul>
    </section>
  )
}

/** An answer that was kept; `of`: the contract, where the screen does not say it. */
export function AnswerCard(p: { place: string; kept: Kept; heading: 'h2' | 'h3'; of?: string }): JSX.Element {
  const { kept: k, heading: Heading } = p
  return (
    <li class="card">
      <div class="row between">
        <Heading>
          <a href={link(p.place, 'result', k.name)}>{title(k.function)}</a>
        </Heading>
        {k.simulated && (
          <Chip tone="amber" icon="warn">
            simulated
          </Chip>
        )}
      </div>
      <p class="dim">
        {p.of ? `${p.of}, ` : ''}run {k.run}, {when(k.kept_ms)}
      </p>
    </li>
  )
}

export function Results({ route }: { route: Route }): JSX.Element {
  const { place } = route
  const [turn, setTurn] = useState(0)
  const [jobs, setJobs] = useState<Job[]>([])
  const { kept, error } = useResults(place, turn)
  const t = trust.use()
  const contracts = useContracts(place, trusted(t?.trust.word))
  useEffect(() => void api.jobs(place).then(setJobs, () => undefined), [place, turn, t])
  const running = jobs.filter((j) => j.state === 'running' && (j.act === 'run' || j.act === 'result'))
  const nameOf = (address: string): string => contracts.list.find((c) => c.address === address)?.facts.name ?? address.slice(0, 12)
  return (
    <section>
      <header class="page-head">
        <h1>Results</h1>
        <p class="dim">Answers that were opened with your key, each with its receipt, on this machine.</p>
      </header>
      {error && <TroubleBox trouble={error} />}
      {running.map((j) => (
        <a key={j.id} class="card" href={link(place, 'run', String(j.request.address), String(j.id))}>
          <span class="row between">
            <strong>{title(String(j.request.function))}</strong>
            <span>{j.stage}</span>
          </span>
          <Progress done={j.done} total={j.total} label={j.stage} />
        </a>
      ))}
      {!kept && !error && <Loading what="Looking for results" />}
      {kept?.length === 0 && running.length === 0 && (
        <Empty icon="results" title="No answer yet">
          <p>Ask a contract under Analyse.</p>
        </Empty>
      )}
      <ul class="cards">
        {kept?.map((k) => (
          <AnswerCard key={k.name} place={place} kept={k} heading="h2" of={nameOf(k.address)} />
        ))}
      </ul>
      {contracts.list.map((c) => (
        <OfContract
          key={c.address}
          place={place}
          address={c.address}
          name={c.facts.name}
          kept={kept ?? []}
          onDone={() => setTurn((n) => n + 1)}
        />
      ))}
    </section>
  )
}
