import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import * as api from '../api'
import { link, type Route } from '../router'
import { count, percent, when } from '../format'
import { Chip, Command, Copy, Fact, Hash, Icon, Loading, Progress, TroubleBox } from '../parts'
import { complain, say, trust, useContract, useJob } from '../store'
import type { Contract, Facts } from '../types'
import { useMe } from './contracts'
import { Verdict } from './verdict'

function Accept({ place, contract, me }: { place: string; contract: Contract; me: string }): JSX.Element | null {
  const [job, setJob] = useState<number | null>(null)
  const followed = useJob(job)
  const mine = contract.manifest.parties.find((p) => p.sign === me)
  const open = contract.facts.parties.find((p) => p.name === mine?.name && p.approves && !p.accepted)
  if (!open) return null
  const accept = async (): Promise<void> => {
    try {
      const { job: j } = await api.run(place, { act: 'contract accept', address: contract.address })
      setJob(j.id)
      say('done', `You accepted ${contract.facts.name}. It is in the log.`, { line: j.line })
    } catch (e) {
      complain(e)
    }
  }
  return (
    <div class="card needs-card">
      <h2>
        <Icon name="bell" /> Your acceptance is asked for
      </h2>
      <p>
        Read the rules below. Nothing can be contributed or asked before every approver has accepted; your acceptance is signed and stays in
        the log.
      </p>
      <button type="button" class="primary" onClick={() => void accept()} disabled={followed.job?.state === 'running'}>
        Accept this contract
      </button>
      <Command line={`apex contract accept ${contract.address}`} />
    </div>
  )
}

// What private answers may still cost, over the contract's life.
export function BudgetBar({ facts }: { facts: Facts }): JSX.Element {
  const b = facts.privacy ?? { epsilon: 0, spent: 0, delta: 0 }
  const left = Math.max(0, b.epsilon - b.spent)
  return (
    <>
      <span data-testid="budget">
        ε {left.toPrecision(4)} of {b.epsilon} left, δ {b.delta}
      </span>
      <Progress done={left} total={b.epsilon} label="Privacy budget left" />
    </>
  )
}

const Rules = ({ contract: { manifest: m, facts } }: { contract: Contract }): JSX.Element => (
  <section class="card">
    <h2>What was agreed</h2>
    <dl class="facts">
      <Fact name="Each told number rests on">
        at least {count(m.release.minimum_rows)} rows of {m.release.minimum_contributors} parties, none with more than{' '}
        {percent(m.release.maximum_share, 0)}
      </Fact>
      <Fact name="Quotas">
        {count(m.quotas.runs_per_party)} runs and {count(m.quotas.rows_per_party)} rows a party, {m.quotas.cpu_seconds} s of computing a run
      </Fact>
      <Fact name="Privacy budget">{m.privacy ? <BudgetBar facts={facts} /> : 'none: answers are exact, as the rules above allow'}</Fact>
      <Fact name="Ends">{when(Date.parse(m.expires))}</Fact>
    </dl>
    <div class="table-box">
      <table>
        <caption>Computations</caption>
        <thead>
          <tr>
            <th scope="col">function</th>
            <th scope="col">on</th>
            <th scope="col">parameters</th>
            <th scope="col">told to</th>
          </tr>
        </thead>
        <tbody>
          {m.functions.map((f) => (
            <tr key={f.name}>
              <th scope="row">{f.name}</th>
              <td>{[...f.datasets, ...(f.rows ? [`${f.rows} (own)`] : [])].join(', ') || 'a kept model'}</td>
              <td>
                {f.params
                  .map(
                    (p) =>
                      `${p.name}${p.type === 'choice' ? `: ${p.choices!.join(' | ')}` : p.min !== undefined ? ` ${p.min}–${p.max}` : ''}`,
                  )
                  .join(', ')}
              </td>
              <td>{f.release === 'requester' ? 'who asks' : 'receivers'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    <div class="table-box">
      <table>
        <caption>Data</caption>
        <thead>
          <tr>
            <th scope="col">dataset</th>
            <th scope="col">columns</th>
          </tr>
        </thead>
        <tbody>
          {m.datasets.map((d) => (
            <tr key={d.name}>
              <th scope="row">{d.name}</th>
              <td>{d.columns.map((c) => `${c.name} (${c.type}${c.unit ? `, ${c.unit}` : ''})`).join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </section>
)

export function ContractScreen({ route }: { route: Route }): JSX.Element {
  const { place, id } = route
  const t = trust.use()
  const asked = useContract(place, id)
  const me = useMe(place)
  const c = asked.contract
  const running = t?.place === place ? t.trust : { word: 'checking' as const }
  return (
    <section>
      <header class="page-head">
        <div class="row wrap">
          <h1>{c?.facts.name ?? 'Contract'}</h1>
          {c && (
            <Chip tone={c.facts.state === 'active' ? 'good' : 'amber'} icon={c.facts.state === 'active' ? 'pass' : 'wait'}>
              {c.facts.state}
            </Chip>
          )}
        </div>
        {c && <p class="dim">{c.manifest.purpose}</p>}
      </header>
      <Verdict t={running} contract={c} place={place} />
      {asked.error && <TroubleBox trouble={asked.error} onRetry={asked.reload} />}
      {asked.loading && !c && (
        <>
          <Loading what="Reading the contract" />
          <Progress done={0} total={0} label="Reading the contract" />
        </>
      )}
      {c && (
        <>
          <Accept place={place} contract={c} me={me.value?.sign ?? ''} />
          <section class="card">
            <h2>Identity</h2>
            <dl class="facts">
              <Fact name="Address">
                <Hash text={c.address} what="address" />
              </Fact>
              <Fact name="Code hash">
                <Hash text={c.facts.program} what="code hash" />
              </Fact>
              <Fact name="Rows are sealed to">
                <Hash text={c.facts.key} what="recipient key" />
              </Fact>
              <Fact name="Source">
                {c.manifest.source.at}{' '}
                <span class="dim">
                  (rebuild: <code>{c.manifest.source.build}</code>)
                </span>
              </Fact>
              <Fact name="Enclaves named">
                {c.manifest.enclaves.map((e) => (
                  <Hash key={e.measurement} text={`${e.tee} ${e.measurement}`} what="measurement" />
                ))}
              </Fact>
            </dl>
            <div class="row wrap">
              <a class="button" href={link(place, 'participants', id)}>
                Participants
              </a>
              <a class="button" href={link(place, 'contribute', id)}>
                Contribute
              </a>
              <a class="button" href={link(place, 'analyse', id)}>
                Analyse
              </a>
              <a class="button" href={link(place, 'audit', id)}>
                Audit
              </a>
            </div>
          </section>
          <Rules contract={c} />
          <details class="card">
            <summary>The manifest, to the byte</summary>
            <pre>{c.facts.manifest}</pre>
            <Copy text={c.facts.manifest} what="manifest" />
          </details>
          <Command line={asked.line} />
        </>
      )}
    </section>
  )
}
