// What this client has checked of the enclave, in words and check by check.
import type { JSX } from 'preact'
import * as api from '../api'
import { clock } from '../format'
import { Command, Fact, Hash, Icon, TroubleBox, TrustChip } from '../parts'
import { complain } from '../store'
import type { Check, Contract, Trust } from '../types'
import { download } from '../map/save'

const names: Record<string, string> = {
  'envelope-form': 'The evidence has the agreed form',
  'tee-known': 'Its kind is known',
  'no-supplements': 'Nothing is attached that should not be',
  'evidence-form': 'The report has its form',
  'keys-bound': 'The key you seal to is bound into the evidence',
  hardware: 'Hardware vouches for it',
  'not-distrusted': 'You do not distrust this family',
  contract: 'The contract names this enclave',
  'tee-accepted': 'Your policy accepts this kind of enclave',
  measurement: 'The code it runs is the code you named',
  age: 'The evidence is fresh',
  'log-pinned': 'It keeps the log you named',
}
export const CheckList = ({ checks, at }: { checks: Check[]; at?: number }): JSX.Element => (
  <ol class="checks">
    {checks.map((c) => (
      <li key={c.name} class={c.result} data-check={c.name}>
        <Icon name={c.result === 'pass' ? 'pass' : c.result === 'fail' ? 'fail' : 'info'} />
        <div>
          <strong>{names[c.name] ?? c.name}</strong>
          <p class="dim">{c.detail}</p>
        </div>
        <span class="dim small-text check-when">
          {c.result === 'not-asked' ? 'not asked' : c.result}
          {at ? (
            <>
              <br />
              {clock(at)}
            </>
          ) : null}
        </span>
      </li>
    ))}
  </ol>
)

const words: Record<string, [string, string]> = {
  verified: [
    'Verified: you can rely on this enclave',
    'Hardware vouches that it runs the code you named, and the key you seal to was made inside it.',
  ],
  simulated: [
    'Simulated: nothing but software vouches for this enclave',
    'Protocol, log and receipts are the real ones, but whoever runs the machine could look inside. Use it to try things out, with data you could publish.',
  ],
  stale: [
    'Stale: the evidence is older than your policy allows',
    'Nothing is sealed and nothing runs until the node shows fresh evidence. It is asked again by itself.',
  ],
  mismatch: [
    'Mismatch: this is not the enclave you agreed to',
    'Nothing is sealed to it and nothing is asked of it. Show this page to an auditor before you go on.',
  ],
  unreachable: ['Unreachable: the node does not answer', 'Nothing is lost. It is looked for again every two seconds.'],
  unpinned: ['You have not said yet which enclave you trust', 'Write a trust policy in Settings.'],
  unset: ['No node is named yet', 'Name one in Settings.'],
  checking: ['Checking the evidence', ''],
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
  const named =
    !contract || !t.verdict || contract.manifest.enclaves.some((e) => e.tee === t.verdict!.tee && e.measurement === t.verdict!.measurement)
  const word = named ? t.word : 'mismatch'
  const [title, text] = words[word]!
  const extra: Check[] =
    contract && t.verdict
      ? [
          {
            name: 'contract',
            result: named ? 'pass' : 'fail',
            detail: named
              ? 'this measurement is one of those the manifest names'
              : 'the manifest names other measurements than this enclave has',
          },
        ]
      : []
  return (
    <section class={`card verdict ${word}`} aria-labelledby="verdict">
      <div class="verdict-head">
        <TrustChip word={word} />
        <div>
          <h2 id="verdict">{title}</h2>
          <p>{text}</p>
        </div>
      </div>
      {t.error && <TroubleBox trouble={t.error} />}
      {t.verdict && (
        <>
          <p class="dim">
            {t.verdict.checks.filter((c) => c.result === 'pass').length + (named && contract ? 1 : 0)} of{' '}
            {t.verdict.checks.length + extra.length} checks passed, made by this machine in {t.took_ms} ms, again every few seconds.
          </p>
          <CheckList checks={[...t.verdict.checks, ...extra]} at={t.checked_ms} />
          <dl class="facts">
            <Fact name="Kind of enclave">
              {t.verdict.tee}
              {t.verdict.simulated ? ' (simulated)' : ''}
            </Fact>
            <Fact name="Measurement">
              <Hash text={t.verdict.measurement} what="measurement" />
            </Fact>
            <Fact name="Its log">
              <Hash text={t.verdict.origin} what="log name" />
            </Fact>
            <Fact name="Key of the log">
              <Hash text={t.verdict.log_key} what="log key" />
            </Fact>
          </dl>
        </>
      )}
      {t.line && (
        <details>
          <summary>How to check this yourself</summary>
          <Command line={t.line} label="Judge the evidence again" />
          {contract && (
            <Command
              line={`apex contract verify ${contract.address} --source ${contract.manifest.source.at}`}
              label="Rebuild the code and compare"
            />
          )}
          {t.verdict && (
            <span class="group">
              <button type="button" class="small" onClick={() => void evidence(place)}>
                Download the raw evidence
              </button>
              <button
                type="button"
                class="small"
                onClick={() => download('verdict.json', JSON.stringify(t.verdict, null, 1), 'application/json')}
              >
                Download this verdict
              </button>
            </span>
          )}
          <Command line="apex trust check --evidence node.evidence" label="Judge the raw evidence, offline" />
        </details>
      )}
    </section>
  )
}
