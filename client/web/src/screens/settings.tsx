import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import * as api from '../api'
import { units } from '../format'
import { Command, Copy, Dialog, Empty, Fact, Hash, Icon, TroubleBox } from '../parts'
import type { Route } from '../router'
import { complain, refreshSession, say, session, trust, useAct } from '../store'
import { useMe } from './contracts'
import { Verdict } from './verdict'

export async function setTheme(theme: string): Promise<void> {
  document.documentElement.dataset.theme = theme
  await api.preferences({ theme }).catch(() => undefined)
}

function Identity({ place }: { place: string }): JSX.Element {
  const me = useMe(place)
  const [name, setName] = useState('')
  const make = async (): Promise<void> => {
    try {
      const { job } = await api.run(place, { act: 'id new', name })
      say('done', `The identity ${name} was made. Back up its file.`, { line: job.line })
      me.reload()
    } catch (e) {
      complain(e)
    }
  }
  return (
    <section class="card">
      <h2>Identity</h2>
      {me.value ? (
        <>
          <dl class="facts">
            <Fact name="Name">{me.value.name}</Fact>
            <Fact name="Signing key (public)">
              <Hash text={me.value.sign} what="signing key" />
            </Fact>
            <Fact name="Sealing key (public)">
              <Hash text={me.value.seal} what="sealing key" />
            </Fact>
          </dl>
          <p class="row wrap">
            For a manifest: <Copy text={JSON.stringify(me.value)} what="public half" />{' '}
            <span class="dim">
              The secret half stays in the home folder (identities/{me.value.name}, mode 0600); this page never reads it. Back that file up;
              a new identity is a new party.
            </span>
          </p>
        </>
      ) : (
        <>
          <p>You have no identity here yet, or several and none is chosen.</p>
          <div class="row wrap">
            <div class="field inline">
              <label for="id-name">Name</label>
              <input
                id="id-name"
                value={name}
                onInput={(e) => setName(e.currentTarget.value.toLowerCase())}
                pattern="[a-z0-9][a-z0-9_-]*"
              />
            </div>
            <button type="button" class="primary" disabled={!/^[a-z0-9][a-z0-9_-]*$/.test(name)} onClick={() => void make()}>
              Make an identity
            </button>
          </div>
        </>
      )}
      <Command line={me.value ? me.line : `apex id new ${name || 'NAME'}`} />
    </section>
  )
}

function Trusting({ place }: { place: string }): JSX.Element {
  const t = trust.use()
  const policy = useAct<Record<string, unknown>>(place, { act: 'trust show' })
  const [asking, ask] = useState(false)
  const write = async (act: string): Promise<void> => {
    ask(false)
    try {
      const { job } = await api.run(place, { act })
      say('done', 'The trust policy was written from the node’s evidence. Compare the measurement with the published one.', {
        line: job.line,
      })
      policy.reload()
    } catch (e) {
      complain(e)
    }
  }
  return (
    <section class="card">
      <h2>Trust policy</h2>
      {policy.value ? (
        <pre tabIndex={0}>{JSON.stringify(policy.value, null, 1)}</pre>
      ) : (
        <Empty icon="shield" title="No policy yet">
          <p>
            It names the enclaves you accept. It is written from the node’s own evidence: look at the measurement, and compare it with the
            one its author published or the one you built.
          </p>
          <button type="button" class="primary" onClick={() => void write('trust init')}>
            Write it from the node’s evidence
          </button>
        </Empty>
      )}
      {policy.value && (
        <button type="button" onClick={() => ask(true)}>
          Write it anew
        </button>
      )}
      <Dialog open={asking} title="Replace the trust policy?" onClose={() => ask(false)}>
        <p>From then on this machine accepts the enclave that the node shows now. Do it only if you know why the measurement changed.</p>
        <div class="row">
          <button type="button" class="danger" onClick={() => void write('trust replace')}>
            Replace
          </button>
        </div>
      </Dialog>
      <Command line="apex trust init" />
      {t && t.place === place && <Verdict t={t.trust} contract={null} place={place} />}
    </section>
  )
}

export function Settings({ route }: { route: Route }): JSX.Element {
  const { place } = route
  const s = session.use()
  const here = place === 'own'
  const [node, setNode] = useState(s?.own.node ?? '')
  const [theme, setThemeShown] = useState(document.documentElement.dataset.theme ?? 'system')
  const [unit, setUnit] = useState<string>(units())
  const doctor = useAct<{ name: string; state: string; advice: string }[]>(place, { act: 'doctor' })
  const keep = async (): Promise<void> => {
    try {
      await api.settings(place, { node })
      await refreshSession()
      say('done', 'The node is kept.')
    } catch (e) {
      complain(e)
    }
  }
  const party = s?.room.parties?.find((p) => p.name === place)
  return (
    <section>
      <header class="page-head">
        <h1>Settings</h1>
      </header>
      <section class="card">
        <h2>Node</h2>
        {here ? (
          <div class="row wrap">
            <div class="field inline grow">
              <label for="node">Address</label>
              <input
                id="node"
                type="url"
                value={node}
                placeholder="http://127.0.0.1:8080"
                onInput={(e) => setNode(e.currentTarget.value)}
              />
            </div>
            <button type="button" class="primary" onClick={() => void keep()}>
              Keep
            </button>
          </div>
        ) : (
          <p>
            {place} is a party of the Try it room; its node is <code>{s?.room.node}</code>.
          </p>
        )}
      </section>
      <Identity place={place} />
      <Trusting key={s?.own.node} place={place} />
      <section class="card">
        <h2>Look</h2>
        <div class="row wrap">
          <div class="field inline">
            <label for="theme">Theme</label>
            <select
              id="theme"
              value={theme}
              onChange={(e) => {
                setThemeShown(e.currentTarget.value)
                void setTheme(e.currentTarget.value)
              }}
            >
              <option value="system">as the system</option>
              <option value="dark">dark</option>
              <option value="light">light</option>
            </select>
          </div>
          <div class="field inline">
            <label for="units">Distances</label>
            <select
              id="units"
              value={unit}
              onChange={(e) => {
                const u = e.currentTarget.value
                setUnit(u)
                document.documentElement.dataset.units = u
                void api.preferences({ units: u })
              }}
            >
              <option value="km">kilometres</option>
              <option value="miles">miles</option>
            </select>
          </div>
        </div>
      </section>
      <section class="card">
        <h2>Data on this machine</h2>
        <p>
          Folder <code>{here ? s?.own.home : party?.home}</code>: identities, trust policy, checkpoints, results, and the files you chose
          here. Nothing of it leaves but what you seal.
        </p>
        <button
          type="button"
          onClick={() =>
            void api
              .forgetFiles(place)
              .then(() => say('done', 'The files you chose here were forgotten. Your originals are where they were.'), complain)
          }
        >
          Forget the files I chose
        </button>
      </section>
      <section class="card">
        <h2>This machine</h2>
        {doctor.error && <TroubleBox trouble={doctor.error} />}
        <dl class="facts">
          {doctor.value?.map((d) => (
            <Fact key={d.name} name={d.name}>
              {d.state} <span class="dim">{d.advice}</span>
            </Fact>
          ))}
        </dl>
        <Command line={doctor.line} />
      </section>
      <section class="card">
        <h2>About</h2>
        <p>
          APEX {s?.version}, Apache-2.0. Drawn with Preact (MIT). Base map: Natural Earth, public domain, as packed by world-atlas (ISC).
          Sample data: LINZ Data Service and GeoNames, CC BY 4.0.
        </p>
        <p>
          <Icon name="shield" /> This page is served by your own machine, asks no other host for anything, and holds no key.
        </p>
        <button type="button" onClick={() => void api.quit().then(() => say('info', '`apex ui` was ended.'), complain)}>
          End apex ui
        </button>
      </section>
    </section>
  )
}
