// Hazard: memory that grows with time, and the night that a computer sleeps. HOURS of virtual time,
// 24 unless told.

import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { WasmScheduler } from 'nanosecond-scheduler';

import { numbers, scatter } from './conformance/check.js';
import { initSync } from './node_modules/nanosecond-scheduler/nanosecond_scheduler.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** What the module has taken from the system, for all schedulers. */
const moduleBytes = () => initSync().memory.buffer.byteLength;

/** Collects garbage, and has its end be told, until that is enough. */
async function collectUntil(isEnough) {
  for (let turn = 0; turn < 20 && !isEnough(); turn++) {
    collect();
    await sleep(5);
  }
}

const HOURS = Number(process.env.HOURS ?? 24);
const SECOND_NS = 1e9;
const TIMERS = 10_000;

test(`${HOURS} hours with ${TIMERS} live timers take no more memory than the first`, () => {
  const scheduler = new WasmScheduler({ maxTasksPerTick: 1_000_000 });
  scheduler.tickAt(0);
  let jobs = 0;
  // Nine of ten repeat, each with a period of its own; the others are replaced when they run, and a
  // timeout that is put off goes with each.
  const timeouts = numbers(TIMERS / 10).map(() => scheduler.schedule(() => {}, 3600 * SECOND_NS));
  const once = (n) => {
    jobs++;
    assert.ok(scheduler.cancel(timeouts[n]));
    timeouts[n] = scheduler.schedule(() => {}, 3600 * SECOND_NS);
    scheduler.schedule(() => once(n), (60 + scatter(jobs, 600)) * SECOND_NS);
  };
  timeouts.forEach((_, n) => once(n));
  numbers(TIMERS * 0.8).forEach((n) =>
    scheduler.schedulePeriodic(() => jobs++, (20 + scatter(n, 600)) * SECOND_NS),
  );
  const sizes = [];
  for (let second = 1; second <= HOURS * 3600; second++) {
    scheduler.tickAt(second * 1000);
    if (second % 3600 === 0) {
      assert.equal(scheduler.pending, TIMERS);
      collect();
      sizes.push([scheduler.get_metrics().memory_bytes, moduleBytes(), process.memoryUsage().heapUsed]);
    }
  }
  assert.ok(jobs > HOURS * TIMERS, `${jobs} jobs`);
  for (const [n, what] of ['scheduler', 'module', 'heap'].entries()) {
    const bytes = sizes.map((row) => row[n]);
    assert.ok(bytes.at(-1) <= bytes[0] * 1.25, `bytes of the ${what} by the hour: ${bytes}`);
  }
  scheduler.free();
});

test('what a job frees is reclaimed by the garbage collector, and so is what a cancel frees', async () => {
  const scheduler = new WasmScheduler();
  scheduler.tickAt(0);
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  const schedule = (delayNs) => {
    const ballast = {};
    registry.register(ballast, 0);
    return scheduler.schedule(() => ballast, delayNs);
  };
  for (let n = 0; n < 100; n++) schedule(1);
  numbers(100).map(() => schedule(1e9)).forEach((id) => scheduler.cancel(id));
  scheduler.tickAt(1);
  await collectUntil(() => collected === 200);
  assert.equal(collected, 200);
  scheduler.free();
});

test('a scheduler that is forgotten gives its memory back', async () => {
  let forgotten = 0;
  const registry = new FinalizationRegistry(() => forgotten++);
  const nothing = () => {};
  const forget = () => {
    const scheduler = new WasmScheduler();
    registry.register(scheduler, 0);
    scheduler.onError(nothing);
    scheduler.schedule(nothing, 1e9); // It is pending, and does not refer to the scheduler.
    for (let n = 0; n < 1_000; n++) scheduler.schedule(nothing, 0);
    scheduler.tick();
  };
  const grownTo = [];
  for (let round = 1; round <= 8; round++) {
    numbers(50).forEach(forget);
    await collectUntil(() => forgotten === round * 50);
    assert.equal(forgotten, round * 50);
    grownTo.push(moduleBytes());
  }
  // Those of one round may be freed in the next.
  assert.equal(grownTo.at(-1), grownTo[2], `${grownTo}`);
});

for (const sleepHours of [8, 24 * 365]) {
  test(`after ${sleepHours} hours of sleep each periodic task runs once, in phase`, () => {
    const scheduler = new WasmScheduler({ maxTasksPerTick: TIMERS });
    scheduler.tickAt(0);
    const runs = new Array(TIMERS).fill(0);
    const period = (n) => 16_000_003 + n * 1_000;
    runs.forEach((_, n) => scheduler.schedulePeriodic(() => runs[n]++, period(n)));
    const wake = sleepHours * 3600 * SECOND_NS;
    assert.equal(scheduler.tickAt(wake / 1e6), TIMERS);
    assert.deepEqual(new Set(runs), new Set([1]));
    const next = Math.min(...runs.map((_, n) => (Math.floor(wake / period(n)) + 1) * period(n)));
    assert.equal(Math.round(scheduler.nextReleaseMs() * 1e6), next);
    scheduler.free();
  });
}
