// The package and examples/web in headless Chromium. Run by .ci/npm.sh from a project with
// playwright-core: run.js ROOT OUTPUT [--quick]. ROOT is the repository; screenshots go to OUTPUT.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { once } from 'node:events';

import { chromium } from 'playwright-core';

import { pageTests } from './page.js';
import { packageTests } from './package.js';

const [root, output] = process.argv.slice(2);

/** Serves the repository; resolves to the page's address. */
async function serve(...options) {
  const server = spawn('python3', [`${root}/examples/web/serve.py`, '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(server.stdout, 'data');
  return { server, url: String(line).trim() };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
await mkdir(output, { recursive: true });
const failed = [];
const servers = await Promise.all([serve(), serve('--isolated')]);
try {
  for (const [name, test] of [...packageTests, ...pageTests]) {
    for (const { url } of servers) {
      const about = `${name} (${url === servers[1].url ? 'isolated' : 'not isolated'})`;
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      try {
        await page.goto(url);
        await test({ page, context, browser, url, root, output, isolated: url === servers[1].url });
        assert.deepEqual(complaints, []);
        console.log(`ok   ${about}`);
      } catch (error) {
        failed.push(about);
        console.log(`FAIL ${about}\n${error.stack}\n${complaints.join('\n')}`);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  servers.forEach(({ server }) => server.kill());
}
console.log(`${failed.length} failed`);
process.exitCode = Math.min(1, failed.length);
