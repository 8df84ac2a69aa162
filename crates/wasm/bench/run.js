// Prints the figures in Node and in Chromium, and what the package weighs: run.js ROOT [--quick], from
// a project with playwright-core; see .ci/npm.sh. ROOT is the repository.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

import init, { WasmScheduler } from 'nanosecond-scheduler';
import { chromium } from 'playwright-core';

import { measure } from './figures.js';

const [root, quick] = process.argv.slice(2);
const sizes = quick === '--quick' ? { rounds: 3, calls: 100_000, timers: 20_000 } : {};

function print(where, { ns, ratios }) {
  console.log(`\n${where}, ns each, means`);
  for (const [name, value] of Object.entries(ns)) console.log(`  ${name.padEnd(36)} ${value.toFixed(1).padStart(8)}`);
  for (const { ours, theirs, ratio, bound } of ratios) {
    console.log(`  ${ours} is ${ratio.toFixed(2)} × ${theirs}; to be at most ${bound}`);
  }
}

async function inChromium(isolated) {
  const options = ['--port', '0', ...(isolated ? ['--isolated'] : [])];
  const server = spawn('python3', [`${root}/examples/web/serve.py`, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { 'goog:chromeOptions': chrome } = JSON.parse(await readFile(`${root}/crates/wasm/webdriver.json`));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: chrome.args });
  try {
    const url = String((await once(server.stdout, 'data'))[0]).trim();
    const page = await browser.newPage();
    await page.goto(new URL('style.css', url).href); // Of the same origin, and at rest.
    const figures = await page.evaluate(async (sizes) => {
      const { default: init, WasmScheduler } = await import('/pkg/index.js');
      const { measure } = await import('/crates/wasm/bench/figures.js');
      await init();
      return measure(WasmScheduler, sizes);
    }, sizes);
    print(`Chromium ${browser.version()}${isolated ? ', isolated' : ''}`, figures);
  } finally {
    await browser.close();
    server.kill();
  }
}

/** Bytes of files of the package, gzipped one by one, as a server sends them. */
async function weight(...names) {
  const files = await Promise.all(names.map((name) => readFile(`${root}/pkg/${name}`)));
  return files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
}

await init();
print(`Node ${process.version}`, await measure(WasmScheduler, sizes));
await inChromium(false);
await inChromium(true);
const [module, glue] = [await weight('nanosecond_scheduler_bg.wasm'), await weight('nanosecond_scheduler.js')];
const scripts = (await readdir(`${root}/pkg`)).filter((name) => name.endsWith('.js') && name !== 'node.js');
console.log(`\nGzipped: module ${module} bytes, its glue ${glue}, with the package's own scripts ${module + (await weight(...scripts))}`);
