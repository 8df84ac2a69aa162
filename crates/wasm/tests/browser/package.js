// The package itself in a page and in a worker: the conformance cases, and the drivers.

import assert from 'node:assert/strict';

const CASES = '/crates/wasm/tests/js/conformance/index.js';

/** Runs in the page, or in a worker: names of the cases that failed, with their errors. */
const runCases = `async (cases) => {
  const { default: init, WasmScheduler } = await import('/pkg/index.js');
  await init();
  const failed = [];
  const { cases: all } = await import(cases);
  for (const [name, run] of all) {
    try { run(WasmScheduler); } catch (error) { failed.push(name + ': ' + error.message); }
  }
  return { count: all.length, failed };
}`;

/** Instead of the live page, one with nothing in it. */
async function goBlank(page, url, headers = {}) {
  const body = '<!doctype html><title>blank</title><link rel="icon" href="data:," />';
  await page.route(url, (route) => route.fulfill({ headers: { 'content-type': 'text/html', ...headers }, body }));
  await page.goto(url);
}

const ran = ({ count, failed }) => {
  assert.deepEqual(failed, []);
  assert.ok(count > 40, `${count} cases`);
};

export const packageTests = [
  ['the conformance cases in a page', async ({ page }) => {
    ran(await page.evaluate(`(${runCases})('${CASES}')`));
  }],

  ['the conformance cases in a worker', async ({ page, url }) => {
    const cases = new URL(CASES, url).href;
    const source = `import('data:text/javascript,').then(() => (${runCases})('${cases}')).then(postMessage)`
      .replaceAll("'/pkg/index.js'", `'${new URL('/pkg/index.js', url).href}'`);
    ran(await page.evaluate((source) => new Promise((done, fail) => {
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      worker.onmessage = ({ data }) => done(data);
      worker.onerror = ({ message }) => fail(new Error(message));
    }), source));
  }],

  ['every driver ticks, survives an error, stops and starts again', async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { default: init, WasmScheduler } = await import('/pkg/index.js');
      await init();
      const seen = {};
      for (const driver of ['interval', 'animation-frame', 'message-channel', 'worker']) {
        const scheduler = new WasmScheduler();
        const errors = [];
        const caught = (event) => (errors.push(event.error.message), event.preventDefault());
        addEventListener('error', caught);
        scheduler.start({ driver });
        scheduler.schedule(() => { throw new Error('mine'); }, 1e6);
        await new Promise((done) => scheduler.schedule(done, 30e6));
        await new Promise((done) => scheduler.schedule(() => (scheduler.stop(), done()), 1e6));
        scheduler.schedule(() => errors.push('stopped, but ticked'), 0);
        await new Promise((done) => setTimeout(done, 60));
        scheduler.clear();
        scheduler.start({ driver });
        await new Promise((done) => scheduler.schedule(done, 0));
        scheduler.free();
        removeEventListener('error', caught);
        seen[driver] = errors;
      }
      return seen;
    });
    for (const [driver, errors] of Object.entries(seen)) assert.deepEqual(errors, ['mine'], driver);
  }],

  ['the worker asks for no second tick before the first is done', async ({ page }) => {
    const counts = await page.evaluate(async () => {
      const { default: init, WasmScheduler } = await import('/pkg/index.js');
      await init();
      const scheduler = new WasmScheduler();
      scheduler.start({ driver: 'worker', periodMs: 1 });
      await new Promise((done) => scheduler.schedule(done, 0));
      const { idle_ticks: before } = scheduler.get_metrics();
      const end = performance.now() + 300;
      while (performance.now() < end);
      await new Promise((done) => setTimeout(done, 0));
      const { idle_ticks: after } = scheduler.get_metrics();
      scheduler.free();
      return after - before;
    });
    // A tick for each ms that the page was busy would be 300.
    assert.ok(counts < 100, `${counts} ticks after 300 ms`);
  }],

  ['a strict content security policy leaves every driver, or tells what it forbids', async ({ page, url, complaints }) => {
    const run = async (workerSource) => {
      const policy = `default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src ${workerSource}`;
      await goBlank(page, url, { 'content-security-policy': policy });
      return page.evaluate(async () => {
        const { default: init, WasmScheduler } = await import('/pkg/index.js');
        await init();
        const scheduler = new WasmScheduler();
        const seen = [];
        const failed = new Promise((done) => {
          setTimeout(done, 10_000, 'nothing is told');
          addEventListener('error', (event) => (event.preventDefault(), done(event.error.message)), { once: true });
        });
        for (const driver of ['interval', 'animation-frame', 'message-channel', 'worker']) {
          scheduler.start({ driver });
          seen.push(await Promise.race([new Promise((done) => scheduler.schedule(() => done(driver), 1e6)), failed]));
          scheduler.stop();
        }
        // It has stopped by itself, so that another driver may take over.
        scheduler.start({ driver: 'interval' });
        if (scheduler.pending > 0) await new Promise((done) => scheduler.schedule(done, 0));
        scheduler.free();
        return seen;
      });
    };
    const all = ['interval', 'animation-frame', 'message-channel', 'worker'];
    assert.deepEqual(await run("'self'"), all);
    const forbidden = await run("'none'");
    assert.deepEqual(forbidden.slice(0, 3), all.slice(0, 3));
    assert.match(forbidden[3], /'worker' cannot load its script, ticker\.js/);
    assert.match(complaints.splice(0).join(), /violates .*worker-src 'none'/i);
  }],

  ['init takes an address, a Response, a promise of one, bytes and a module', async ({ page, url }) => {
    const sources = {
      text: "'/pkg/nanosecond_scheduler_bg.wasm'",
      address: "new URL('/pkg/nanosecond_scheduler_bg.wasm', location)",
      request: "new Request('/pkg/nanosecond_scheduler_bg.wasm')",
      response: "await fetch('/pkg/nanosecond_scheduler_bg.wasm')",
      promise: "fetch('/pkg/nanosecond_scheduler_bg.wasm')",
      bytes: "await (await fetch('/pkg/nanosecond_scheduler_bg.wasm')).arrayBuffer()",
      module: "await WebAssembly.compileStreaming(fetch('/pkg/nanosecond_scheduler_bg.wasm'))",
    };
    for (const [name, source] of Object.entries(sources)) {
      await goBlank(page, url); // Each time anew: the module is loaded once.
      const executed = await page.evaluate(`(async () => {
        const { default: init, WasmScheduler } = await import('/pkg/index.js');
        await init(${source});
        const scheduler = new WasmScheduler();
        scheduler.schedule(() => {}, 0);
        return scheduler.tick();
      })()`);
      assert.equal(executed, 1, name);
    }
  }],
];
