// The shell: rail, top bar, palette, messages, and which screen is shown.
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { short } from './format'
import { Dialog, Empty, Icon, TroubleBox, TrustChip, trustText } from './parts'
import { go, link, useRoute, type Route } from './router'
import { Analyse } from './screens/analyse'
import { Audit } from './screens/audit'
import { ContractScreen } from './screens/contract'
import { Contracts, trusted, useContracts } from './screens/contracts'
import { Contribute } from './screens/contribute'
import { Models } from './screens/models'
import { Participants } from './screens/participants'
import { Result } from './screens/result'
import { Results } from './screens/results'
import { Run } from './screens/run'
import { setTheme, Settings } from './screens/settings'
import { TryIt } from './screens/tryit'
import { closed, refreshSession, session, spoken, trust, watchTrust } from './store'
import type { Contract } from './types'
import { Messages } from './messages'
import { Palette, type Choice } from './palette'

const rail: [string, string, string][] = [
  ['contracts', 'Contracts', 'contracts'],
  ['participants', 'Participants', 'participants'],
  ['contribute', 'Contribute', 'contribute'],
  ['analyse', 'Analyse', 'analyse'],
  ['results', 'Results', 'results'],
  ['models', 'Models', 'models'],
  ['audit', 'Audit', 'audit'],
  ['settings', 'Settings', 'settings'],
]
const perContract = ['participants', 'contribute', 'analyse', 'models', 'audit', 'contract']
const screenOf = (screen: string): string => ({ contract: 'contracts', run: 'analyse', result: 'results' })[screen] ?? screen

function Screen({ route }: { route: Route }): JSX.Element {
  const key = `${route.place}/${route.screen}/${route.id}/${route.more}`
  switch (route.screen) {
    case 'contracts':
      return <Contracts key={key} route={route} />
    case 'contract':
      return <ContractScreen key={key} route={route} />
    case 'participants':
      return <Participants key={key} route={route} />
    case 'contribute':
      return <Contribute key={key} route={route} />
    case 'analyse':
      return <Analyse key={key} route={route} />
    case 'run':
      return <Run key={key} route={route} />
    case 'results':
      return <Results key={key} route={route} />
    case 'result':
      return <Result key={key} route={route} />
    case 'models':
      return <Models key={key} route={route} />
    case 'audit':
      return <Audit key={key} route={route} />
    case 'settings':
      return <Settings key={key} route={route} />
    default:
      return (
        <Empty icon="info" title="There is nothing at this address">
          <a href="#/">Contracts</a>
        </Empty>
      )
  }
}

const Pick = ({ route, list, loading }: { route: Route; list: Contract[]; loading: boolean }): JSX.Element => (
  <section>
    <header class="page-head">
      <h1>{rail.find(([s]) => s === route.screen)?.[1]}</h1>
      <p class="dim">Which contract?</p>
    </header>
    {list.length === 0 && (
      <Empty icon="contracts" title={loading ? 'Looking for contracts…' : 'There is no contract yet'}>
        <a href={link(route.place, 'contracts')}>Contracts</a>
      </Empty>
    )}
    <ul class="cards">
      {list.map((c) => (
        <li key={c.address} class="card">
          <h2>
            <a href={link(route.place, route.screen, c.address)}>{c.facts.name}</a>
          </h2>
          <p class="dim">{c.manifest.purpose}</p>
        </li>
      ))}
    </ul>
  </section>
)

const keys: [string, string][] = [
  ['Ctrl K', 'go anywhere'],
  ['?', 'these keys'],
  ['g then c, u, a, r, l, s', 'contracts, contribute, analyse, results, audit log, settings'],
  ['Ctrl Enter', 'run, in a form'],
  ['Esc', 'close'],
]

export function App(): JSX.Element {
  const route = useRoute()
  const s = session.use()
  const t = trust.use()
  const away = closed.use()
  const word = t?.place === route.place ? t.trust.word : 'checking'
  const live = spoken.use()
  const place = route.place === 'try' ? 'own' : route.place
  const inRoom = route.place === 'try' || place !== 'own'
  const contracts = useContracts(place, route.place !== 'try' && trusted(word))
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  const lastG = useRef(0)
  const lastContract = useRef('')
  const main = useRef<HTMLElement>(null)
  if (route.id.startsWith('apex1')) lastContract.current = route.id.slice(0, 57)
  const address = contracts.list.some((c) => c.address === lastContract.current)
    ? lastContract.current
    : contracts.list.length === 1
      ? contracts.list[0]!.address
      : ''

  useEffect(() => void refreshSession().catch(() => undefined), [])
  useEffect(() => (route.place === 'try' ? undefined : watchTrust(route.place)), [route.place])
  useEffect(() => {
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
    const h = rail.find(([k]) => k === screenOf(route.screen))?.[1] ?? 'Try it'
    document.title = `${h} · APEX`
  }, [route.place, route.screen, route.id, route.more])

  const to = (screen: string): string => link(place, screen, perContract.includes(screen) ? address : '')
  const choices: Choice[] = useMemo(
    () => [
      ...rail.map(([screen, text]) => ({ text, to: () => go(to(screen)) })),
      ...contracts.list.flatMap((c) => [
        { text: `Contract ${c.facts.name}`, to: () => go(link(place, 'contract', c.address)) },
        { text: `Contribute to ${c.facts.name}`, to: () => go(link(place, 'contribute', c.address)) },
        { text: `Ask ${c.facts.name}`, to: () => go(link(place, 'analyse', c.address)) },
        { text: `Audit ${c.facts.name}`, to: () => go(link(place, 'audit', c.address)) },
      ]),
      { text: 'Try it: the room with three parties', to: () => go('#/try') },
      ...['dark', 'light', 'system'].map((th) => ({ text: `Theme: ${th}`, to: () => void setTheme(th) })),
      ...(s?.room.parties ?? []).map((p) => ({ text: `Look with ${p.name}’s eyes`, to: () => go(link(p.name, 'contracts')) })),
    ],
    [contracts.list.length, place, address, s],
  )

  useEffect(() => {
    const on = (e: KeyboardEvent): void => {
      const typing = (e.target as Element).matches?.('input, textarea, select')
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
        e.preventDefault()
        setPalette(true)
      } else if (!typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
        if (e.key === '?') setHelp(true)
        else if (e.key === 'g') lastG.current = Date.now()
        else if (Date.now() - lastG.current < 1500) {
          const screen = {
            c: 'contracts',
            u: 'contribute',
            a: 'analyse',
            r: 'results',
            l: 'audit',
            s: 'settings',
            m: 'models',
            p: 'participants',
          }[e.key]
          if (screen) go(to(screen))
          lastG.current = 0
        }
      }
    }
    addEventListener('keydown', on)
    return () => removeEventListener('keydown', on)
  })

  const eyes = [{ id: 'own', text: s?.own.as || 'me' }, ...(s?.room.parties ?? []).map((p) => ({ id: p.name, text: `${p.name} (room)` }))]
  const unknownPlace = route.place !== 'try' && route.place !== 'own' && s !== null && !s.room.parties?.some((p) => p.name === route.place)
  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(e) => {
          e.preventDefault()
          main.current?.focus()
        }}
      >
        Skip to the content
      </a>
      <nav class="rail" aria-label="Main">
        <a class="brand" href={link('own', 'contracts')} aria-label="APEX, contracts">
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M12 2 22 20H2z" />
            <path d="M12 9l5 9H7z" class="inner" />
          </svg>
          <span>APEX</span>
        </a>
        {rail.map(([screen, text, icon]) => (
          <a
            key={screen}
            class="nav"
            href={to(screen)}
            aria-current={route.place !== 'try' && screenOf(route.screen) === screen ? 'page' : undefined}
          >
            <Icon name={icon} />
            <span>{text}</span>
          </a>
        ))}
        <a class="nav try" href="#/try" aria-current={route.place === 'try' ? 'page' : undefined}>
          <Icon name="tryit" />
          <span>Try it</span>
        </a>
      </nav>
      <header class="top">
        {route.place !== 'try' && contracts.list.length > 0 ? (
          <select
            aria-label="Contract"
            value={address}
            onChange={(e) =>
              e.currentTarget.value &&
              go(link(place, perContract.includes(route.screen) ? route.screen : 'contract', e.currentTarget.value))
            }
          >
            <option value="">All contracts</option>
            {contracts.list.map((c) => (
              <option key={c.address} value={c.address}>
                {c.facts.name} · {short(c.address)}
              </option>
            ))}
          </select>
        ) : (
          <span class="dim top-title">{route.place === 'try' ? 'The Try it room' : 'No contract'}</span>
        )}
        <span class="grow" />
        {route.place === 'try' ? (
          <TrustChip word="simulated" />
        ) : (
          <TrustChip word={word} href={address ? link(place, 'contract', address) : link(place, 'settings')} />
        )}
        <button type="button" class="small palette-button" onClick={() => setPalette(true)}>
          Go to <kbd>Ctrl K</kbd>
        </button>
        {eyes.length > 1 && (
          <select
            aria-label="Whose eyes"
            value={route.place === 'try' ? 'own' : route.place}
            onChange={(e) => go(link(e.currentTarget.value, 'contracts'))}
          >
            {eyes.map((e) => (
              <option key={e.id} value={e.id}>
                {e.text}
              </option>
            ))}
          </select>
        )}
        <Messages />
      </header>
      {inRoom || word === 'simulated' || (t?.place === route.place && t.trust.verdict?.simulated) ? (
        <p class="banner">
          <Icon name="warn" /> Simulated enclave: whoever runs the node could look inside.{' '}
          {inRoom ? 'This is the Try it room.' : 'Use it with data you could publish.'}
        </p>
      ) : null}
      <main id="main" ref={main} tabIndex={-1}>
        {away && <TroubleBox trouble={away} />}
        {route.place === 'try' ? (
          <TryIt />
        ) : unknownPlace ? (
          <Empty icon="tryit" title="That party’s room is closed">
            <p>It was made for the Try it room, and went with it.</p>
            <a class="button" href="#/try">
              Open the room again
            </a>
          </Empty>
        ) : perContract.includes(route.screen) && !route.id ? (
          <Pick route={route} list={contracts.list} loading={contracts.loading} />
        ) : (
          <Screen route={route} />
        )}
      </main>
      <div class="hidden" role="status" aria-live="polite" data-testid="live">
        {live}
        {live ? '' : `Trust: ${trustText(word)}`}
      </div>
      <Palette open={palette} onClose={() => setPalette(false)} choices={choices} />
      <Dialog open={help} title="Keys" onClose={() => setHelp(false)}>
        <dl class="facts">
          {keys.map(([k, text]) => (
            <div key={k} class="fact">
              <dt>
                <kbd>{k}</kbd>
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </div>
  )
}
