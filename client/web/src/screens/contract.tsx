import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import * as api from '../api'
import { link, type Route } from '../router'
import { clock, count, percent, when } from '../format'
import { Chip, Command, Copy, Fact, Hash, Icon, Loading, Progress, TroubleBox, TrustChip } from '../parts'
import { complain, say, trust, useContract, useJob } from '../store'
import type { Check, Contract, Facts, Trust } from '../types'
import { useMe } from './contracts'
import { download } from '../map/map'

const names: Record<string, string> = {
  'envelope-form': 'The evidence has the agreed form', 'tee-known': 'Its kind is known', 'no-supplements': 'Nothing is attached that should not be', 'evidence-form': 'The report has its form',
  'keys-bound': 'The key you seal to is bound into the evidence', hardware: 'Hardware vouches for it', 'not-distrusted': 'You do not distrust this family',
  contract: 'The contract names this enclave', 'tee-accepted': 'Your policy accepts this kind of enclave', measurement: 'The code it runs is the code you named', age: 'The evidence is fresh',
}
export const CheckList = ({ checks, at }: { checks: Check[]; at?: number }): JSX.Element => (
  <ol class="checks">
    {checks.map((c) => (
      <li key={c.name} class={c.result} data-check={c.name}>
        <Icon name={c.result === 'pass' ? 'pass' : c.result === 'fail' ? 'fail' : 'info'} />
        <div><strong>{names[c.name] ?? c.name}</strong><p class="dim">{c.detail}</p></div>
        <span class="dim small-text check-when">{c.result === 'not-asked' ? 'not asked' : c.result}{at ? <><br />{clock(at)}</> : null}</span>
      </li>
    ))}
  </ol>
)

const words: Record<string, [string, string]> = {
  verified: ['Verified: you can rely on this enclave', 'Hardware vouches that it runs the code you named, and the key you seal to was made inside it.'],
  simulated: ['Simulated: nothing but software vouches for this enclave', 'Protocol, log and receipts are the real ones, but whoever runs the machine could look inside. Use it to try things out, with data you could publish.'],
  stale: ['Stale: the evidence is older than your policy allows', 'Nothing is sealed and nothing runs until the node shows fresh evidence. It is asked again by itself.'],
  mismatch: ['Mismatch: this is not the enclave you agreed to', 'Nothing is sealed to it and nothing is asked of it. Show this page to an auditor before you go on.'],
  unreachable: ['Unreachable: the node does not answer', 'Nothing is lost. It is looked for again every two seconds.'],
  unpinned: ['You have not said yet which enclave you trust', 'Write a trust policy in Settings.'], unset: ['No node is named yet', 'Name one in Settings.'], checking: ['Checking the evidence', ''],
}

async function evidence(place: string): Promise<void> {
  try {
    const { job } = await api.run(place, { act: 'trust evidence' })
    download('node.evidence', await api.jobFile(job.id))
  } catch (e) {
    complain(e)
  }
}

export function Verdict({ t, contract, place }: { t: Trust; contract: Contract | null; place: string }): JSX.Element {
  const named = !contract || !t.verdict || contract.manifest.enclaves.some((e) => e.tee === t.verdict!.tee && e.measurement === t.verdict!.measurement)
  const word = named ? t.word : 'mismatch'
  const [title, text] = words[word]!
  const extra: Check[] = contract && t.verdict ? [{ name: 'contract', result: named ? 'pass' : 'fail', detail: named ? 'this measurement is one of those the manifest names' : 'the manifest names other measurements than this enclave has' }] : []
  return (
    <section class={`card verdict ${word}`} aria-labelledby="verdict">
      <div class="verdict-head"><TrustChip word={word} /><div><h2 id="verdict">{title}</h2><p>{text}</p></div></div>
      {t.error && <TroubleBox trouble={t.error} />}
      {t.verdict && (
        <>
          <p class="dim">{t.verdict.checks.filter((c) => c.result === 'pass').length + (named && contract ? 1 : 0)} of {t.verdict.checks.length + extra.length} checks passed, made by this machine in {t.took_ms} ms, again every few seconds.</p>
          <CheckList checks={[...t.verdict.checks, ...extra]} at={t.checked_ms} />
          <dl class="facts">
            <Fact name="Kind of enclave">{t.verdict.tee}{t.verdict.simulated ? ' (simulated)' : ''}</Fact>
            <Fact name="Measurement"><Hash text={t.verdict.measurement} what="measurement" /></Fact>
            <Fact name="Its log"><Hash text={t.verdict.origin} what="log name" /></Fact>
            <Fact name="Key of the log"><Hash text={t.verdict.log_key} what="log key" /></Fact>
          </dl>
        </>
      )}
      {t.line && (
        <details>
          <summary>How to check this yourself</summary>
          <Command line={t.line} label="Judge the evidence again" />
          {contract && <Command line={`apex contract verify ${contract.address} --source ${contract.manifest.source.at}`} label="Rebuild the code and compare" />}
          {t.verdict && <span class="group"><button type="button" class="small" onClick={() => void evidence(place)}>Download the raw evidence</button><button type="button" class="small" onClick={() => download('verdict.json', JSON.stringify(t.verdict, null, 1), 'application/json')}>Download this verdict</button></span>}
          <Command line="apex trust check --evidence node.evidence" label="Judge the raw evidence, offline" />
        </details>
      )}
    </section>
  )
}

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
      <h2><Icon name="bell" /> Your acceptance is asked for</h2>
      <p>Read the rules below. Nothing can be contributed or asked before every approver has accepted; your acceptance is signed and stays in the log.</p>
      <button type="button" class="primary" onClick={() => void accept()} disabled={followed.job?.state === 'running'}>Accept this contract</button>
      <Command line={`apex contract accept ${contract.address}`} />
    </div>
  )
}

// What private answers may still cost, over the contract's life.
export function BudgetBar({ facts }: { facts: Facts }): JSX.Element {
  const b = facts.privacy ?? { epsilon: 0, spent: 0, delta: 0 }
  const left = Math.max(0, b.epsilon - b.spent)
  return <><span data-testid="budget">ε {left.toPrecision(4)} of {b.epsilon} left, δ {b.delta}</span><Progress done={left} total={b.epsilon} label="Privacy budget left" /></>
}

const Rules = ({ contract: { manifest: m, facts } }: { contract: Contract }): JSX.Element => (
  <section class="card">
    <h2>What was agreed</h2>
    <dl class="facts">
      <Fact name="Each told number rests on">at least {count(m.release.minimum_rows)} rows of {m.release.minimum_contributors} parties, none with more than {percent(m.release.maximum_share, 0)}</Fact>
      <Fact name="Quotas">{count(m.quotas.runs_per_party)} runs and {count(m.quotas.rows_per_party)} rows a party, {m.quotas.cpu_seconds} s of computing a run</Fact>
      <Fact name="Privacy budget">{m.privacy ? <BudgetBar facts={facts} /> : 'none: answers are exact, as the rules above allow'}</Fact>
      <Fact name="Ends">{when(Date.parse(m.expires))}</Fact>
    </dl>
    <div class="table-box"><table>
      <caption>Computations</caption>
      <thead><tr><th scope="col">function</th><th scope="col">on</th><th scope="col">parameters</th><th scope="col">told to</th></tr></thead>
      <tbody>{m.functions.map((f) => (
        <tr key={f.name}><th scope="row">{f.name}</th><td>{[...f.datasets, ...(f.rows ? [`${f.rows} (own)`] : [])].join(', ') || 'a kept model'}</td>
          <td>{f.params.map((p) => `${p.name}${p.type === 'choice' ? `: ${p.choices!.join(' | ')}` : p.min !== undefined ? ` ${p.min}–${p.max}` : ''}`).join(', ')}</td><td>{f.release === 'requester' ? 'who asks' : 'receivers'}</td></tr>
      ))}</tbody>
    </table></div>
    <div class="table-box"><table>
      <caption>Data</caption>
      <thead><tr><th scope="col">dataset</th><th scope="col">columns</th></tr></thead>
      <tbody>{m.datasets.map((d) => <tr key={d.name}><th scope="row">{d.name}</th><td>{d.columns.map((c) => `${c.name} (${c.type}${c.unit ? `, ${c.unit}` : ''})`).join(', ')}</td></tr>)}</tbody>
    </table></div>
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
      <header class="page-head"><div class="row wrap"><h1>{c?.facts.name ?? 'Contract'}</h1>{c && <Chip tone={c.facts.state === 'active' ? 'good' : 'amber'} icon={c.facts.state === 'active' ? 'pass' : 'wait'}>{c.facts.state}</Chip>}</div>{c && <p class="dim">{c.manifest.purpose}</p>}</header>
      <Verdict t={running} contract={c} place={place} />
      {asked.error && <TroubleBox trouble={asked.error} onRetry={asked.reload} />}
      {asked.loading && !c && <><Loading what="Reading the contract" /><Progress done={0} total={0} label="Reading the contract" /></>}
      {c && (
        <>
          <Accept place={place} contract={c} me={me.value?.sign ?? ''} />
          <section class="card">
            <h2>Identity</h2>
            <dl class="facts">
              <Fact name="Address"><Hash text={c.address} what="address" /></Fact>
              <Fact name="Code hash"><Hash text={c.facts.program} what="code hash" /></Fact>
              <Fact name="Rows are sealed to"><Hash text={c.facts.key} what="recipient key" /></Fact>
              <Fact name="Source">{c.manifest.source.at} <span class="dim">(rebuild: <code>{c.manifest.source.build}</code>)</span></Fact>
              <Fact name="Enclaves named">{c.manifest.enclaves.map((e) => <Hash key={e.measurement} text={`${e.tee} ${e.measurement}`} what="measurement" />)}</Fact>
            </dl>
            <div class="row wrap"><a class="button" href={link(place, 'participants', id)}>Participants</a><a class="button" href={link(place, 'contribute', id)}>Contribute</a><a class="button" href={link(place, 'analyse', id)}>Analyse</a><a class="button" href={link(place, 'audit', id)}>Audit</a></div>
          </section>
          <Rules contract={c} />
          <details class="card"><summary>The manifest, to the byte</summary><pre>{c.facts.manifest}</pre><Copy text={c.facts.manifest} what="manifest" /></details>
          <Command line={asked.line} />
        </>
      )}
    </section>
  )
}
