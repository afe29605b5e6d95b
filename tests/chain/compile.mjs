// Compiles ApexRegistry.sol, always to the same bytes: compiler and settings are pinned here and in package.json.
//     node tests/chain/compile.mjs            is common/chain/registry_code.c what the source compiles to? (a line for tools/check)
//     node tests/chain/compile.mjs --write    renews it
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import solc from 'solc';
import { keccak256 } from 'viem';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const CODE = here('../../common/chain/registry_code.c');

export function compile() {
  const name = 'ApexRegistry.sol';
  const input = {
    language: 'Solidity',
    sources: { [name]: { content: readFileSync(here('../../chain/' + name), 'utf8') } },
    settings: {
      evmVersion: 'paris', // no PUSH0: chains that lag behind run it too
      optimizer: { enabled: true, runs: 10000 },
      metadata: { bytecodeHash: 'none', appendCBOR: false }, // the code and nothing beside it
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const words = (output.errors ?? []).map((e) => e.formattedMessage);
  if (words.length) throw new Error(words.join('\n')); // a warning is an error here too
  const contract = output.contracts[name].ApexRegistry;
  const runtime = '0x' + contract.evm.deployedBytecode.object;
  return { abi: contract.abi, creation: '0x' + contract.evm.bytecode.object, runtime, hash: keccak256(runtime) };
}

const bytes = (hex) =>
  hex.slice(2).match(/.{1,44}/g).map((line) => '    ' + line.match(/../g).map((b) => `0x${b},`).join(' ')).join('\n');

function source({ creation, hash }) {
  return `/* Made by tests/chain/compile.mjs from chain/ApexRegistry.sol, and compared in make check. */
#include "common/chain/registry_code.h"

/* clang-format off */
const uint8_t registry_code_hash[32] = {
${bytes(hash)}
};

const uint8_t registry_creation[] = {
${bytes(creation)}
};
/* clang-format on */
const size_t registry_creation_len = sizeof registry_creation;
`;
}

export function codeIsCurrent() {
  return readFileSync(CODE, 'utf8') === source(compile());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--write') writeFileSync(CODE, source(compile()));
  const { runtime, hash } = compile();
  console.log(`${(runtime.length - 2) / 2} bytes at run time, code hash ${hash}`);
  if (!codeIsCurrent()) {
    console.log('not ok - common/chain/registry_code.c is what the source compiles to');
    process.exit(1);
  }
}
