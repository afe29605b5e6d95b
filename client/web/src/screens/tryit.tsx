// Three parties, one operator and the public, side by side: who can see what. All of it is real but the hardware.
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import * as api from '../api'
import { bytes, count, percent } from '../format'
import { Map, siteTitle } from '../map/map'
import { project } from '../map/points'
import { boxOf } from '../map/projection'
import { Command, Empty, Icon, Loading, Progress, TroubleBox } from '../parts'
import { link } from '../router'
import { readRows, type Rows } from '../rows'
import { announce, complain, session, troubleOf, useAct } from '../store'
import type { Report, ResultFile, Room, RoomFile, Sent, SitesAnswer, Trouble } from '../types'
import { told } from './clusters'
import type { History } from './participants'

interface Seen {
  rows: Rows | null
  given: Sent | null
  answer: SitesAnswer | null
  result: string
}
const nothing: Seen = { rows: null, given: null, answer: null, result: '' }
type All = Record<string, Seen>

async function look(party: NonNullable<Room['parties']>[number], room: Room): Promise<Seen> {
  const file = party.files.find((f) => f.dataset === 'customers')!
  const [{ job }, sent, kept] = await Promise.all([
    api.run<Report>(party.name, { act: 'check', address: room.cluster, dataset: file.dataset, file: file.id }),
    api.sent(party.name),
    api.results(party.name),
  ])
  const rows = await readRows(await api.jobOutput(job.id))
  const last = kept.filter((k) => k.address === room.cluster && k.function === 'sites').sort((a, b) => b.run - a.run)[0]
  const answer = last ? (await api.result<ResultFile<SitesAnswer>>(party.name, last.name)).result : null
  return { rows, given: sent.find((s) => s.address === room.cluster) ?? null, answer, result: last?.name ?? '' }
}

async function give(place: string, files: RoomFile[], already: Sent[]): Promise<void> {
  for (const f of files)
    if (!already.some((s) => s.file === f.id))
      await api.run(place, { act: 'contribute', address: f.address, dataset: f.dataset, file: f.id, ...(f.map ? { map: f.map } : {}) })
}

function PartyView({ name, seen, box, asks }: { name: string; seen: Seen; box: ReturnType<typeof boxOf>; asks: boolean }): JSX.Element {
  const points = useMemo(() => (seen.rows?.latitude ? project(seen.rows.latitude, seen.rows.longitude!) : null), [seen.rows])
  const markers = useMemo(
    () =>
      (seen.answer?.sites ?? []).filter(told).map((s) => ({
        id: s.site,
        latitude: s.latitude,
        longitude: s.longitude,
        title: siteTitle(s.site, s.rows, s.p95_km),
        km: s.p95_km ?? 0,
      })),
    [seen.answer],
  )
  return (
    <section class="card party" aria-labelledby={`p-${name}`} data-party={name}>
      <h2 id={`p-${name}`}>
        {name}
        {asks && (
          <>
            {' '}
            <span class="tag">asks</span>
          </>
        )}
      </h2>
      <Map
        label={`What ${name} sees: ${points ? count(points.n) : 0} points of its own${markers.length ? `, ${markers.length} sites` : ''}`}
        points={points}
        markers={markers}
        box={box}
      />
      <ul class="plain sees">
        <li class="can">
          <Icon name="pass" /> its own {points ? count(points.n) : '…'} customers
        </li>
        <li class={seen.given ? 'can' : 'dim'}>
          <Icon name={seen.given ? 'pass' : 'wait'} />{' '}
          {seen.given ? `gave them, sealed: ${bytes(seen.given.receipt.sealed_bytes)}` : 'has given nothing yet'}
        </li>
        <li class={seen.answer ? 'can' : 'dim'}>
          <Icon name={seen.answer ? 'pass' : 'wait'} />{' '}
          {seen.answer
            ? `the joint answer: ${seen.answer.k} sites for ${seen.answer.rows === null ? 'all' : count(seen.answer.rows)} customers`
            : 'no answer yet'}
        </li>
        <li class="cannot">
          <Icon name="fail" /> a customer of another telco
        </li>
      </ul>
      <a href={seen.result ? link(name, 'result', seen.result) : link(name, 'contracts')}>Look with {name}’s eyes</a>
    </section>
  )
}

function Others({ place, address }: { place: string; address: string }): JSX.Element {
  const history = useAct<History>(place, { act: 'audit', address })
  useEffect(() => {
    const timer = setInterval(history.reload, 2000)
    return () => clearInterval(timer)
  }, [])
  const events = history.value?.events ?? []
  return (
    <div class="row wrap top stretch">
      <section class="card grow" aria-labelledby="operator">
        <h2 id="operator">the operator of the node</h2>
        <ul class="plain sees">
          {events
            .filter((e) => e.kind === 'contribute')
            .map((e) => (
              <li key={e.index} class="can">
                <Icon name="pass" /> <code>{/ciphertext (\S+)/.exec(e.what)?.[1]}</code> from {e.who}: random-looking bytes
              </li>
            ))}
          <li class="can">
            <Icon name="pass" /> lengths and times
          </li>
          <li class="cannot">
            <Icon name="fail" /> a row, a parameter, an answer{' '}
            <span class="dim">(on hardware; here the enclave is simulated, and whoever runs this machine could look)</span>
          </li>
        </ul>
      </section>
      <section class="card grow" aria-labelledby="public">
        <h2 id="public">anybody</h2>
        <ul class="plain sees log-lines">
          {events.map((e) => (
            <li key={e.index} class="can">
              <Icon name="pass" /> {e.index}: {e.who} {e.kind} {e.what.replace(/, ciphertext.*/, '')}
            </li>
          ))}
          <li class="cannot">
            <Icon name="fail" /> anything else
          </li>
        </ul>
      </section>
    </div>
  )
}

function Open({ room }: { room: Room }): JSX.Element {
  const [all, setAll] = useState<All>({})
  const [busy, setBusy] = useState('')
  const [trouble, setTrouble] = useState<Trouble | null>(null)
  const [line, setLine] = useState('')
  const parties = room.parties!
  const names = parties.map((p) => p.name)
  const refresh = async (): Promise<All> => {
    const next = Object.fromEntries(await Promise.all(parties.map(async (p) => [p.name, await look(p, room)] as const)))
    setAll(next)
    return next
  }
  useEffect(() => void refresh().catch((e) => setTrouble(troubleOf(e))), [])
  const box = useMemo(() => {
    const rows = Object.values(all)
      .map((s) => s.rows)
      .filter((r): r is Rows => !!r?.latitude)
    return rows.length
      ? boxOf(Float64Array.from(rows.flatMap((r) => [...r.latitude!])), Float64Array.from(rows.flatMap((r) => [...r.longitude!])))
      : null
  }, [all])
  const seen = (n: string): Seen => all[n] ?? nothing
  const gave = names.filter((n) => seen(n).given).length
  const answered = names.filter((n) => seen(n).answer).length
  const step = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    setBusy(what)
    setTrouble(null)
    try {
      await act()
      await refresh()
      announce(`${what}: done`)
    } catch (e) {
      setTrouble(troubleOf(e))
      complain(e)
    }
    setBusy('')
  }
  const contribute = () =>
    step('Sealing and sending', async () => {
      for (const p of parties) {
        await give(p.name, p.files, await api.sent(p.name))
        await refresh()
      }
    })
  const asker = names[1]!
  const ask = () =>
    step('Computing inside the enclave', async () => {
      const { job } = await api.run(asker, {
        act: 'run',
        address: room.cluster,
        function: 'sites',
        params: ['k=40', 'radius_km=3'],
        seed: '6170657864656d6f0000000000000000000000000000000000000000000000aa',
      })
      setLine(job.line)
    })
  const open = () =>
    step('Opening', async () => {
      const history = await api.run<History>(asker, { act: 'audit', address: room.cluster })
      const run = Number(/run (\d+)/.exec([...history.output.events].reverse().find((e) => e.kind === 'result')?.what ?? '')?.[1])
      for (const n of names) if (!seen(n).answer) await api.run(n, { act: 'result', address: room.cluster, run })
    })
  const share = Object.values(all).find((s) => s.answer)?.answer?.within_radius
  const next = gave < names.length ? 0 : answered === 0 ? 1 : answered < names.length ? 2 : 3
  return (
    <div data-testid="room" data-next={next}>
      <ol class="stepper">
        <li class={next > 0 ? 'past' : 'now'}>
          <span>1</span>each gives its customers, sealed
        </li>
        <li class={next > 1 ? 'past' : next === 1 ? 'now' : ''}>
          <span>2</span>
          {asker} asks for 40 sites
        </li>
        <li class={next > 2 ? 'past' : next === 2 ? 'now' : ''}>
          <span>3</span>the others open the same answer
        </li>
      </ol>
      <div class="row wrap">
        {next === 0 && (
          <button type="button" class="primary" disabled={busy !== ''} onClick={() => void contribute()}>
            All three contribute
          </button>
        )}
        {next === 1 && (
          <button type="button" class="primary" disabled={busy !== ''} onClick={() => void ask()}>
            {asker} asks
          </button>
        )}
        {next === 2 && (
          <button type="button" class="primary" disabled={busy !== ''} onClick={() => void open()}>
            The others open it
          </button>
        )}
        {next === 3 && (
          <p>
            <Icon name="pass" /> One answer, opened with three keys
            {share ? `: ${percent(share)} of all customers live within 3 km of a site` : ''}.{' '}
            <a href={link(asker, 'result', seen(asker).result)}>Look at it closely</a> or{' '}
            <a href={link(names[0]!, 'contribute', room.classify!)}>go on with the second contract</a>.
          </p>
        )}
        {busy && (
          <span role="status" class="dim">
            {busy}…
          </span>
        )}
      </div>
      {trouble && <TroubleBox trouble={trouble} onDismiss={() => setTrouble(null)} />}
      <div class="parties">
        {names.map((n) => (
          <PartyView key={n} name={n} seen={seen(n)} box={box} asks={n === asker} />
        ))}
      </div>
      <Others place={names[0]!} address={room.cluster!} />
      <Command line={line} />
    </div>
  )
}

export function TryIt(): JSX.Element {
  const s = session.use()
  const [room, setRoom] = useState<Room | null>(s?.room ?? null)
  const [trouble, setTrouble] = useState<Trouble | null>(null)
  const opening = room?.state === 'opening'
  useEffect(() => {
    if (!opening) return
    const timer = setInterval(() => {
      api.roomShow().then(
        (r) => {
          setRoom(r)
          if (r.state === 'open' && session.value) session.set({ ...session.value, room: r })
        },
        (e) => setTrouble(troubleOf(e)),
      )
    }, 400)
    return () => clearInterval(timer)
  }, [opening])
  useEffect(() => setRoom(s?.room ?? null), [s])
  const start = async (): Promise<void> => {
    try {
      setRoom(await api.roomOpen())
    } catch (e) {
      setTrouble(troubleOf(e))
    }
  }
  const stop = async (): Promise<void> => {
    const r = await api.roomClose()
    setRoom(r)
    if (session.value) session.set({ ...session.value, room: r })
  }
  return (
    <section>
      <header class="page-head">
        <div class="row wrap between">
          <h1>Try it</h1>
          {room?.state === 'open' && (
            <button type="button" class="small" onClick={() => void stop()}>
              Close the room
            </button>
          )}
        </div>
        <p class="dim">
          Three telcos that do not trust one another look for the best places for shared towers. The node, the log, the keys and the
          mathematics are real; the enclave is simulated.
        </p>
      </header>
      {trouble && <TroubleBox trouble={trouble} onDismiss={() => setTrouble(null)} />}
      {!room || room.state === 'closed' ? (
        <Empty icon="tryit" title="A room with three parties, on this machine alone">
          <p>
            It starts a node in a scratch folder, makes kauri, rimu and totara, gives each a third of 59,999 street addresses of Waikato,
            New Zealand, and has them agree on two contracts. Everything goes when the room is closed.
          </p>
          <button type="button" class="primary" onClick={() => void start()}>
            Open the room
          </button>
        </Empty>
      ) : room.state === 'opening' ? (
        <div class="card">
          <Loading what={room.stage || 'Starting'} />
          <Progress done={0} total={0} label="Opening the room" />
        </div>
      ) : room.state === 'failed' ? (
        <TroubleBox
          trouble={{
            status: 'E_IO',
            what: 'the room did not open',
            not_done: room.why ?? '',
            next: 'run `apex demo` in a terminal from the source tree; it says what is missing',
            who: 'you',
          }}
          onRetry={() => void start()}
        />
      ) : (
        <Open room={room} />
      )}
    </section>
  )
}
