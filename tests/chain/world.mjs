// A deployed registry with keys to speak for logs, and the statements they sign.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseError, ContractFunctionRevertedError, encodeFunctionData, keccak256, parseSignature, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { compile } from './compile.mjs';
import { startAnvil } from './anvil.mjs';

export const b32 = (n) => '0x' + BigInt(n).toString(16).padStart(64, '0');
export const digest = (text) => keccak256(stringToHex(text));
export const key = (n) => privateKeyToAccount(b32(n + 1000));

export const TYPES = {
  Open: [['string', 'origin'], ['bytes32', 'logKey'], ['address', 'key'], ['bytes32', 'evidence']],
  Admit: [['bytes32', 'log'], ['address', 'key'], ['bytes32', 'evidence']],
  Contract: [['bytes32', 'log'], ['bytes32', 'manifest'], ['bytes32', 'program']],
  Anchor: [['bytes32', 'log'], ['uint64', 'size'], ['bytes32', 'root']],
  Run: [['bytes32', 'log'], ['uint64', 'run'], ['bytes32', 'manifest'], ['bytes32', 'program'], ['bytes32', 'request'], ['bytes32', 'inputs'], ['bytes32', 'output'], ['address', 'payee']],
};

export async function makeWorld() {
  const chain = await startAnvil();
  const { abi, creation } = compile();
  const sender = chain.wallet(0);
  const deployed = await chain.reader.waitForTransactionReceipt({ hash: await sender.deployContract({ abi, bytecode: creation }) });
  const registry = deployed.contractAddress;
  const domain = { name: 'APEX', version: '1', chainId: 31337, verifyingContract: registry };

  async function sign(by, primaryType, message, changes = {}) {
    const types = { [primaryType]: TYPES[primaryType].map(([type, name]) => ({ type, name })) };
    const { r, s, yParity } = parseSignature(await by.signTypedData({ domain: { ...domain, ...changes }, types, primaryType, message }));
    return { r, s, v: 27 + yParity };
  }

  // The error's name a call would fail with, or null.
  async function refusal(functionName, args, more = {}) {
    try {
      await chain.reader.simulateContract({ address: registry, abi, functionName, args, account: chain.account(0), ...more });
      return null;
    } catch (e) {
      const reverted = e instanceof BaseError && e.walk((x) => x instanceof ContractFunctionRevertedError);
      if (!reverted) throw e;
      return reverted.data?.errorName ?? reverted.reason ?? 'revert';
    }
  }

  async function send(functionName, args, more = {}) {
    const hash = await (more.from ?? sender).writeContract({ address: registry, abi, functionName, args, ...more, from: undefined });
    const receipt = await chain.reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== 'success') throw new Error(`${functionName} reverted`);
    return receipt;
  }

  const read = (functionName, args = []) => chain.reader.readContract({ address: registry, abi, functionName, args });
  const encode = (functionName, args) => encodeFunctionData({ abi, functionName, args });
  return { ...chain, abi, registry, domain, deployed, sign, refusal, send, read, encode };
}

// One line a test proves; tools/check counts them.
let failures = 0;
export function say(good, sentence, why = '') {
  console.log((good ? 'ok - ' : 'not ok - ') + sentence);
  if (!good) {
    failures++;
    console.log('# ' + JSON.stringify(why, (_, v) => (typeof v === 'bigint' ? String(v) : v)));
  }
}
export const finish = () => process.exit(failures ? 1 : 0);

const CHAIN_DOC = fileURLToPath(new URL('../../docs/chain.md', import.meta.url));
const TABLE = /(<!-- gas: made by tests\/chain\/registry.mjs --write-gas -->\n)[^]*?(\n<!-- end -->)/;

// Is the gas in docs/chain.md what was measured now?
export function gasTable(rows, write) {
  const text = readFileSync(CHAIN_DOC, 'utf8');
  const table = ['| call | gas |', '| --- | ---: |', ...rows.map(([name, gas]) => `| ${name} | ${Number(gas).toLocaleString('en-US')} |`)].join('\n');
  const now = text.replace(TABLE, (_, a, b) => a + table + b);
  if (write) writeFileSync(CHAIN_DOC, now);
  say(write || (TABLE.test(text) && now === text), 'the gas of every call is what docs/chain.md says', table);
}
