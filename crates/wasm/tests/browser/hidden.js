// A tab that is hidden, for real: browsers stop its frames and slow its timers down.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const counter = (driver, id) =>
  driver.run(`Number(document.getElementById('count-${id}').textContent.replace(/[^0-9.]/g, ''))`);

/** Waits until a value fits. */
async function until(read, fits, about) {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (fits(await read())) return;
    await sleep(100);
  }
  assert.fail(`${about}: ${await read()}`);
}

async function hide(driver) {
  await driver.hide();
  assert.equal(await driver.run('document.visibilityState'), 'hidden');
}

export const hiddenTests = [
  ['a hidden tab gets no frames, and skips the periods it slept through', async (driver, url) => {
    await driver.open(url);
    const executed = () => counter(driver, 'executed');
    const missed = () => counter(driver, 'missed');
    await until(executed, (jobs) => jobs > 1000, 'before');
    await hide(driver);
    await sleep(200);
    const [asleep, missedBefore] = [await executed(), await missed()];
    await sleep(3000);
    assert.equal(await executed(), asleep, 'no frames while hidden');
    await driver.show();
    await until(executed, (jobs) => jobs > asleep, 'in front again');
    // 1,000 timers of 500 ms in the mean, three seconds: each runs once for all that it has missed.
    await until(missed, (periods) => periods > missedBefore + 3000, 'skipped periods');
  }],

  ['a worker drives a hidden tab, where an interval is slowed down', async (driver, url) => {
    await driver.open(url);
    await driver.run(`(async () => {
      const { default: init, WasmScheduler } = await import('/pkg/index.js');
      await init();
      window.ticks = {};
      for (const driver of ['interval', 'worker']) {
        const scheduler = new WasmScheduler();
        scheduler.schedulePeriodic(() => { ticks[driver] = (ticks[driver] ?? 0) + 1; }, 10e6);
        scheduler.start({ driver });
      }
    })()`);
    await hide(driver);
    await sleep(2000);
    const before = await driver.run('ticks');
    await sleep(4000);
    const after = await driver.run('ticks');
    const [slow, fast] = ['interval', 'worker'].map((name) => after[name] - before[name]);
    // Nominally 4 and 400.
    assert.ok(slow <= 10 && fast >= 100, `interval ${slow}, worker ${fast}`);
  }],
];
