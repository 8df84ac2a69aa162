// The package and examples/web in headless Chromium. Run by .ci/npm.sh from a project with
// playwright-core: run.js ROOT OUTPUT [PART-OF-NAME]. ROOT is the repository; screenshots go to OUTPUT.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { once } from 'node:events';

import { chromium } from 'playwright-core';

import { bundledTests } from './bundled.js';
import { hiddenTests } from './hidden.js';
import { packageTests } from './package.js';
import { pageTests } from './page.js';
import { withWebDriver } from './webdriver.js';

const [root, output, only] = process.argv.slice(2);

/** Serves the repository; resolves to the page's address. */
async function serve(...options) {
  const server = spawn('python3', [`${root}/examples/web/serve.py`, '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(server.stdout, 'data');
  return { server, url: String(line).trim() };
}

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const { 'goog:chromeOptions': options } = JSON.parse(await readFile(`${root}/crates/wasm/webdriver.json`));
const browser = await chromium.launch({ executablePath, args: options.args });
await mkdir(output, { recursive: true });
const failed = [];
const servers = await Promise.all([serve(), serve('--isolated')]);
try {
  for (const [name, test] of [...packageTests, ...bundledTests, ...pageTests]) {
    for (const { url } of servers) {
      const about = `${name} (${url === servers[1].url ? 'isolated' : 'not isolated'})`;
      if (only !== undefined && !name.includes(only)) continue;
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      try {
        await page.goto(url);
        await test({ page, complaints, url, root, output, isolated: url === servers[1].url });
        assert.deepEqual(complaints, []);
        console.log(`ok   ${about}`);
      } catch (error) {
        failed.push(about);
        console.log(`FAIL ${about}\n${error.stack}\n${complaints.join('\n')}`);
      }
      await context.close();
    }
  }
  for (const [name, test] of hiddenTests) {
    if (only !== undefined && !name.includes(only)) continue;
    try {
      await withWebDriver({ ...options, binary: executablePath }, (driver) => test(driver, servers[0].url));
      console.log(`ok   ${name}`);
    } catch (error) {
      failed.push(name);
      console.log(`FAIL ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser.close();
  servers.forEach(({ server }) => server.kill());
}
console.log(`${failed.length} failed`);
process.exitCode = Math.min(1, failed.length);
