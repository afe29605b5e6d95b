// A fresh chain for one test: anvil on a free port of loopback, and what the tests say to it. Its clock is its own: it begins at BEGIN, a block
// takes a second, and `later` lets time pass. So no deadline and no gas (a byte that is nought costs less) hangs on when or how fast a test runs.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createPublicClient, createTestClient, createWalletClient, http } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';

const BINARY = fileURLToPath(new URL('./node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url));
const BEGIN = 1_800_000_000, PATIENCE_MS = 120_000;

// Anvil takes a port that is free and says which.
const listening = (child) =>
  new Promise((resolve, reject) => {
    let port, said = ''; // and all that it says later is read and let go
    child.stdout.on('data', (d) => {
      if (port) return;
      said += d;
      port = /Listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port) resolve(port);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('anvil does not start: ' + said)));
  });

export async function startAnvil() {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(1));
  const child = spawn(BINARY, ['--host', '127.0.0.1', '--port', '0', '--timestamp', String(BEGIN)], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  const transport = http(`http://127.0.0.1:${await listening(child)}`, { retryCount: 0, timeout: PATIENCE_MS });
  const base = { chain: foundry, transport, pollingInterval: 5, cacheTime: 0 };
  const reader = createPublicClient(base), test = createTestClient({ ...base, mode: 'anvil' });
  await test.setBlockTimestampInterval({ interval: 1 });
  const account = (i) => mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: i });
  const wallet = (i) => createWalletClient({ ...base, account: account(i) });
  const later = async (seconds) => {
    await test.setNextBlockTimestamp({ timestamp: (await reader.getBlock()).timestamp + BigInt(seconds) });
    await test.mine({ blocks: 1 });
  };
  return { reader, test, later, wallet, account, stop: () => child.kill('SIGTERM') };
}
