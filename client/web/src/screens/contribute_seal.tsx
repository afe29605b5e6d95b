// The last two steps: what is sent to whom, said before it goes; and what there is to keep afterwards.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import * as api from '../api'
import { bytes, count, when } from '../format'
import { Command, Empty, Fact, Hash, Icon, Progress, TroubleBox, TrustChip } from '../parts'
import { link } from '../router'
import { complain, say, troubleOf, trust } from '../store'
import type { Contract, Dataset, Job, Report, Sent, Trouble } from '../types'
import { download } from '../map/save'
import { useMe, whyNot } from './contracts'
import type { Checked } from './contribute_check'
import type { Chosen } from './contribute_choose'

export function Seal({
  contract,
  dataset,
  chosen,
  checked,
  map,
  place,
  onSent,
}: {
  contract: Contract
  dataset: Dataset
  chosen: Chosen
  checked: Checked
  map: string
  place: string
  onSent: (job: number) => void
}): JSX.Element {
  const [consent, setConsent] = useState(false)
  const [before, setBefore] = useState<Sent[]>([])
  const [busy, setBusy] = useState(false)
  const t = trust.use()
  const me = useMe(place)
  const word = t?.trust.word ?? 'checking'
  useEffect(() => void api.sent(place).then(setBefore, () => undefined), [])
  const twin = before.find((s) => s.sha256 === chosen.sha256 && s.address === contract.address && s.dataset === dataset.name)
  const width: Record<string, number> = { latitude: 4, longitude: 4, date: 4, category: 4, bool: 1 }
  const size = checked.report.rows * dataset.columns.reduce((n, c) => n + (width[c.type] ?? 8), 0)
  const why = whyNot(t?.trust, contract, me.value?.sign, 'contribute')
  const seal = async (): Promise<void> => {
    setBusy(true)
    try {
      onSent(
        (
          await api.start(place, {
            act: 'contribute',
            address: contract.address,
            dataset: dataset.name,
            file: chosen.id,
            ...(map ? { map } : {}),
          })
        ).id,
      )
    } catch (e) {
      complain(e)
    }
    setBusy(false)
  }
  return (
    <div class="card" data-testid="seal">
      <h2>What is sent</h2>
      <dl class="facts">
        <Fact name="Rows">{count(checked.report.rows)}</Fact>
        <Fact name="Columns">{dataset.columns.map((c) => c.name).join(', ')}</Fact>
        <Fact name="Bytes">about {bytes(size)}, encrypted on this machine; no name of the file or of its columns goes along</Fact>
        <Fact name="Sealed to">
          {contract.facts.name} <Hash text={contract.address} what="address" />
        </Fact>
        <Fact name="Recipient key">
          <Hash text={contract.facts.key} what="recipient key" />
          <br />
          <span class="dim">
            the contract’s own, made inside the enclave whose measurement is{' '}
            <code>{(t?.trust.verdict?.measurement ?? 'unknown').slice(0, 16)}…</code>
          </span>
        </Fact>
        <Fact name="Trust">
          <TrustChip word={word} />
        </Fact>
        <Fact name="Who can read a row">
          the contract's program while it runs, nobody else
          {word === 'simulated' ? '; as this enclave is simulated, also whoever runs the node' : ''}
        </Fact>
      </dl>
      {twin && (
        <p class="warning" role="alert">
          <Icon name="warn" /> You sent this very file to this dataset already, as contribution {twin.receipt.contribution} on{' '}
          {when(twin.time_ms)}. Sent again, its rows count twice.
        </p>
      )}
      <label class="check">
        <input type="checkbox" checked={consent} onChange={(e) => setConsent(e.currentTarget.checked)} /> I may share these rows under the
        rules of this contract, and I want to contribute them.
      </label>
      <div class="row">
        <button type="button" class="primary" disabled={!consent || busy || why !== ''} onClick={() => void seal()}>
          Seal and send
        </button>
      </div>
      {why && (
        <p class="warning">
          <Icon name="warn" /> Sealing is off: {why}.
        </p>
      )}
      <Command line={`apex contribute ${contract.address} ${dataset.name} ${chosen.name}${map ? ` --map ${map}` : ''}`} />
    </div>
  )
}

export function Receipt({
  place,
  job,
  contract,
  onAgain,
}: {
  place: string
  job: Job
  contract: Contract
  onAgain: () => void
}): JSX.Element {
  const out = job.output as (Report & { contribution: number; sealed_bytes: number; ciphertext: string; error?: Trouble }) | undefined
  const told = useRef(false)
  useEffect(() => {
    if (job.state === 'running' || told.current) return
    told.current = true
    if (job.state === 'done') say('done', `Contribution ${out?.contribution} is recorded.`, { line: job.line })
  }, [job.state])
  if (job.state === 'running')
    return (
      <div class="card" data-testid="sealing">
        <h2>{job.stage || 'Starting'}…</h2>
        <Progress done={job.done} total={job.total} label={job.stage} />
        <p class="dim" role="status">
          {((job.now_ms - job.started_ms) / 1000).toFixed(1)} s
        </p>
        <button type="button" onClick={() => void api.cancel(job.id)}>
          Cancel
        </button>
      </div>
    )
  if (job.state === 'cancelled')
    return (
      <Empty icon="off" title="Cancelled">
        <p>The contribution was not recorded: its ciphertext belongs to no contract, and nobody can open it. See Audit to be sure.</p>
        <button type="button" onClick={onAgain}>
          Start again
        </button>
      </Empty>
    )
  if (job.state === 'failed' || !out)
    return <TroubleBox trouble={out?.error ?? troubleOf(new Error('the contribution did not finish'))} onRetry={onAgain} />
  const receipt = {
    contract: contract.address,
    name: contract.facts.name,
    dataset: job.request.dataset,
    contribution: out.contribution,
    rows: out.rows,
    sealed_bytes: out.sealed_bytes,
    ciphertext_sha256: out.ciphertext,
    time: when(job.ended_ms!),
    simulated: trust.value?.trust.word === 'simulated',
  }
  return (
    <div class="card" data-testid="receipt">
      <h2>
        <Icon name="pass" /> Contributed
      </h2>
      <dl class="facts">
        <Fact name="Contribution">entry {out.contribution} of the log</Fact>
        <Fact name="Rows">{count(out.rows)}</Fact>
        <Fact name="Ciphertext">
          {count(out.sealed_bytes)} bytes, SHA-256 <Hash text={out.ciphertext} what="ciphertext hash" />
        </Fact>
        <Fact name="Recorded">
          {when(job.ended_ms!)}, after {((job.ended_ms! - job.started_ms) / 1000).toFixed(1)} s
        </Fact>
        <Fact name="Contract">{contract.facts.entries} entries before, one more now</Fact>
      </dl>
      <div class="row wrap">
        <button
          type="button"
          class="primary"
          onClick={() => download(`contribution-${out.contribution}.json`, JSON.stringify(receipt, null, 1), 'application/json')}
        >
          Download this receipt
        </button>
        <a class="button" href={link(place, 'analyse', contract.address)}>
          Analyse
        </a>
        <button type="button" onClick={onAgain}>
          Contribute more
        </button>
      </div>
      <Command line={job.line} />
    </div>
  )
}
