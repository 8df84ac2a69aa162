// Hazard: drivers that do not tick, do not end, or stop at the first error. Node has two of them; the
// others are tested in Chromium.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { WasmScheduler } from 'nanosecond-scheduler';

/** Resolves when a task that is scheduled now has run. */
const ran = (scheduler, delayNs) => new Promise((done) => scheduler.schedule(done, delayNs));

for (const driver of ['interval', 'message-channel']) {
  test(`${driver} ticks from start to stop`, async () => {
    await withScheduler(new WasmScheduler(), async (scheduler) => {
      scheduler.start({ driver, periodMs: 1 });
      await ran(scheduler, 3e6);
      await sleep(15); // The message channel has nothing to do, and is woken by the next task.
      await ran(scheduler, 0);
      await ran(scheduler, 30e6);
      scheduler.stop();
      scheduler.schedule(() => assert.fail('it was stopped'), 0);
      await sleep(20);
      assert.equal(scheduler.pending, 1);
    });
  });

  test(`${driver} is stopped by a callback, and started again`, async () => {
    await withScheduler(new WasmScheduler(), async (scheduler) => {
      scheduler.start({ driver });
      assert.throws(() => scheduler.start({ driver }), /stop\(\) it first/);
      await new Promise((done) => scheduler.schedule(() => (scheduler.stop(), done()), 1e6));
      scheduler.start({ driver });
      await ran(scheduler, 1e6);
      scheduler.stop();
    });
  });

  test(`${driver} goes on after an error, which is nobody's`, () => {
    const program = `
      import { WasmScheduler } from 'nanosecond-scheduler';
      const scheduler = new WasmScheduler();
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      scheduler.schedule(() => { throw new Error('first') }, 0);
      scheduler.schedule(() => { console.log('second'); scheduler.stop(); }, 20e6);
      scheduler.start({ driver: '${driver}' });
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(stdout, 'uncaught first\nsecond\n', stderr);
  });
}

test('what the environment lacks is named', () => {
  const scheduler = new WasmScheduler();
  for (const [driver, needed] of [['animation-frame', 'requestAnimationFrame'], ['worker', 'Worker']]) {
    assert.throws(() => scheduler.start({ driver }), new RegExp(`'${driver}' needs ${needed}`));
  }
  scheduler.free();
  assert.throws(() => scheduler.start(), /freed/);
});

test('free ends the driver, and lets the process end', () => {
  const program = `
    import { WasmScheduler } from 'nanosecond-scheduler';
    const scheduler = new WasmScheduler();
    scheduler.schedulePeriodic(() => {}, 1e6);
    scheduler.start({ driver: 'message-channel' });
    setTimeout(() => scheduler.free(), 10);
  `;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    timeout: 60_000,
  });
  assert.equal(status, 0);
});

async function withScheduler(scheduler, body) {
  try {
    await body(scheduler);
  } finally {
    scheduler.free();
  }
}
