// Random sequences of calls against a model of the rules: what the registry takes, what it refuses and by which name, and what it then holds.
//     node tests/chain/invariants.mjs [STEPS, 150] [SEED, 1]
import { encodeAbiParameters, keccak256 } from 'viem';
import { leaf, proofHex, rootHex } from './tree.mjs';
import { b32, digest, finish, key, makeWorld, say } from './world.mjs';

const STEPS = Number(process.argv[2] ?? 150), SEED = Number(process.argv[3] ?? 1);
const w = await makeWorld();

let state = SEED >>> 0; // mulberry32
function random(n) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[random(list.length)];

const ZERO = b32(0), keys = [1, 2, 3, 4].map(key), payees = [5, 6].map((i) => w.account(i).address);
const main = Array.from({ length: 70 }, (_, i) => leaf(i)), fork = [...main.slice(0, 20), ...Array.from({ length: 50 }, (_, i) => leaf('x' + i))];
const names = ['red', 'blue'], manifests = ['m1', 'm2'].map(digest), programs = ['p1', 'p2'].map(digest), evidences = Array.from({ length: 6 }, (_, i) => digest('e' + i));
const runType = w.abi.find((f) => f.name === 'commit').inputs[1];
const logs = [];
for (const origin of names) for (const k of keys.slice(0, 2)) logs.push({ origin, first: k, id: await w.read('idOf', [origin, digest(origin), k.address]) });

// What the registry should hold.
const model = new Map(logs.map((l) => [l.id, { open: false, admitted: new Set(), evidence: new Map(), size: 0, root: ZERO, programs: new Map(), runs: new Map() }]));
const deposits = [];
let held = 0n;
const speaker = (m, by) => (!m.open ? 'UnknownLog' : !m.admitted.has(by.address) ? 'NotAdmitted' : null);
const noted = (m, who, e) => (m.evidence.get(e) === who ? 'AlreadyAdmitted' : m.evidence.has(e) ? 'EvidenceOfAnotherKey' : null);
const note = (m, who, e) => (m.evidence.set(e, who), m.admitted.add(who));

const voice = (l) => (random(5) ? l.first : pick(keys));

const acts = {
  async open() {
    const l = pick(logs), by = random(4) ? l.first : pick(keys), e = pick(evidences), m = model.get(l.id);
    const message = { origin: l.origin, logKey: digest(l.origin), key: l.first.address, evidence: e };
    return {
      call: ['open', [l.origin, digest(l.origin), l.first.address, e, await w.sign(by, 'Open', message)]],
      refused: m.open ? 'AlreadyOpen' : by !== l.first ? 'NotSignedByKey' : null,
      after: () => ((m.open = true), note(m, l.first.address, e)),
    };
  },
  async admit() {
    const l = pick(logs), by = voice(l), who = pick(keys).address, e = pick(evidences), m = model.get(l.id);
    return {
      call: ['admit', [l.id, who, e, await w.sign(by, 'Admit', { log: l.id, key: who, evidence: e })]],
      refused: speaker(m, by) ?? noted(m, who, e),
      after: () => note(m, who, e),
    };
  },
  async record() {
    const l = pick(logs), by = voice(l), mf = pick(manifests), p = pick(programs), m = model.get(l.id), had = m.programs.get(mf);
    return {
      call: ['record', [l.id, mf, p, await w.sign(by, 'Contract', { log: l.id, manifest: mf, program: p })]],
      refused: speaker(m, by) ?? (had === p ? 'AlreadyDeployed' : had ? 'OtherProgram' : null),
      after: () => m.programs.set(mf, p),
    };
  },
  async anchor() {
    const l = pick(logs), by = voice(l), m = model.get(l.id), leaves = random(4) ? main : fork;
    const size = random(3) ? Math.min(m.size + 1 + random(6), 70) : random(70), root = size ? rootHex(leaves.slice(0, size)) : ZERO;
    let proof = m.size && size > m.size ? proofHex(m.size, leaves.slice(0, size)) : [];
    const good = random(6) > 0;
    if (!good) proof = random(2) ? [...proof, digest('more')] : proof.slice(1);
    const continues = m.size === 0 ? proof.length === 0 : rootHex(leaves.slice(0, m.size)) === m.root && JSON.stringify(proof) === JSON.stringify(proofHex(m.size, leaves.slice(0, Math.max(size, m.size))));
    const order = size === m.size && size ? (root === m.root ? 'AnchorRepeats' : 'AnchorContradicts') : size <= m.size ? 'AnchorShrinks' : continues ? null : 'NotConsistent';
    return {
      call: ['anchor', [l.id, BigInt(size), root, proof, await w.sign(by, 'Anchor', { log: l.id, size: BigInt(size), root })]],
      refused: speaker(m, by) ?? order,
      after: () => ((m.size = size), (m.root = root)),
    };
  },
  async commit() {
    const l = pick(logs), by = voice(l), m = model.get(l.id);
    const what = { run: BigInt(random(4)), manifest: pick(manifests), program: pick(programs), request: pick(['r1', 'r2'].map(digest)), inputs: digest('i'), output: digest('o' + random(2)), payee: pick(payees) };
    const d = keccak256(encodeAbiParameters([runType], [what])), had = m.runs.get(what.run), p = m.programs.get(what.manifest);
    return {
      call: ['commit', [l.id, what, await w.sign(by, 'Run', { log: l.id, ...what })]],
      refused: speaker(m, by) ?? (!p ? 'UnknownContract' : p !== what.program ? 'OtherProgram' : had?.d === d ? 'AlreadyCommitted' : had ? 'RunContradicts' : null),
      after: () => m.runs.set(what.run, { d, what }),
    };
  },
  async deposit() {
    const l = pick(logs), mf = pick(manifests), request = pick(['r1', 'r2'].map(digest)), value = BigInt(random(3)) * 1000n, now = (await w.reader.getBlock()).timestamp;
    const deadline = now + BigInt(1000 + random(5000)), d = { id: BigInt(deposits.length), l, mf, request, value, deadline, gone: false };
    return {
      call: ['deposit', [l.id, mf, request, deadline]],
      more: { value },
      refused: value === 0n ? 'NothingDeposited' : model.get(l.id).programs.has(mf) ? null : 'UnknownContract',
      after: () => (deposits.push(d), (held += value)),
    };
  },
  async withdraw() {
    const d = deposits.length && random(5) ? pick(deposits) : { id: 999n, gone: true, value: 0n };
    const runs = [...model.values()].flatMap((m) => [...m.runs.values()]);
    if (!runs.length) return null;
    const own = d.gone ? [] : [...model.get(d.l.id).runs.values()], what = (own.length && random(3) ? pick(own) : pick(runs)).what;
    const kept = d.gone ? null : model.get(d.l.id).runs.get(what.run);
    const fits = kept && kept.d === keccak256(encodeAbiParameters([runType], [what])) && what.manifest === d.mf && what.request === d.request;
    return { call: ['withdraw', [d.id, what]], refused: d.gone ? 'UnknownDeposit' : fits ? null : 'OtherRun', after: () => ((d.gone = true), (held -= d.value)), paid: [what.payee, d.value] };
  },
  async refund() {
    const d = deposits.length && random(5) ? pick(deposits) : { id: 999n, gone: true };
    if (!random(3)) await w.later(1 + random(4000));
    const now = (await w.reader.getBlock()).timestamp;
    if (!d.gone && now < d.deadline && now + 5n >= d.deadline) return null; // too near to foretell
    return { call: ['refund', [d.id]], refused: d.gone ? 'UnknownDeposit' : now < d.deadline ? 'TooEarly' : null, after: () => ((d.gone = true), (held -= d.value)) };
  },
};

// Three of the four logs are open and have a contract, so that there is something to break.
for (const [i, l] of logs.slice(0, 3).entries()) {
  const m = model.get(l.id), e = evidences[i], message = { origin: l.origin, logKey: digest(l.origin), key: l.first.address, evidence: e };
  await w.send('open', [l.origin, digest(l.origin), l.first.address, e, await w.sign(l.first, 'Open', message)]);
  await w.send('record', [l.id, manifests[0], programs[0], await w.sign(l.first, 'Contract', { log: l.id, manifest: manifests[0], program: programs[0] })]);
  ((m.open = true), note(m, l.first.address, e), m.programs.set(manifests[0], programs[0]));
}

const wrong = [], counts = {};
let taken = 0, refused = 0;
for (let step = 0; step < STEPS && wrong.length < 3; step++) {
  const name = pick(['open', 'admit', 'record', 'anchor', 'anchor', 'anchor', 'commit', 'commit', 'commit', 'deposit', 'withdraw', 'withdraw', 'refund']);
  const act = await acts[name]();
  if (!act) continue;
  const said = await w.refusal(...act.call, act.more ?? {});
  counts[said ?? name] = (counts[said ?? name] ?? 0) + 1;
  if (said !== act.refused) wrong.push({ step, name, said, expected: act.refused });
  if (said !== null) {
    refused++;
    continue;
  }
  const before = act.paid && (await w.reader.getBalance({ address: act.paid[0] }));
  await w.send(...act.call, act.more ?? {});
  taken++;
  act.after();
  if (act.paid && (await w.reader.getBalance({ address: act.paid[0] })) - before !== act.paid[1]) wrong.push({ step, name, said: 'another sum was paid' });
}
say(wrong.length === 0, `of ${taken + refused} random calls the registry took the ${taken} and refused the ${refused} that the rules say, each by its name (seed ${SEED})`, wrong);

const off = [];
for (const [id, m] of model) {
  const [size, , opened, root] = await w.read('heads', [id]);
  if (Number(size) !== m.size || root !== m.root || opened > 0n !== m.open) off.push([id, 'head']);
  for (const k of keys) if ((await w.read('admitted', [id, k.address])) > 0n !== m.admitted.has(k.address)) off.push([id, 'admitted']);
  for (const mf of manifests) if ((await w.read('programs', [id, mf])) !== (m.programs.get(mf) ?? ZERO)) off.push([id, 'program']);
  for (let run = 0n; run < 4n; run++) if ((await w.read('runs', [id, run]))[0] !== (m.runs.get(run)?.d ?? ZERO)) off.push([id, 'run']);
}
say(off.length === 0, 'and holds what the model holds, of every log', off);
say((await w.reader.getBalance({ address: w.registry })) === held, 'and of money exactly what is deposited and neither paid nor refunded', held);
if (process.env.APEX_VERBOSE) console.log(counts);
w.stop();
finish();
