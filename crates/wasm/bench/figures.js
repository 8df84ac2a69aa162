// What the package costs beside the timers of the platform; it runs in Node and in browsers.

/** (module (func (export "empty") (param f64) (result i32) i32.const 0)) */
const EMPTY = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 124, 1, 127, 3, 2, 1, 0, 7, 9, 1, 5, 101, 109, 112, 116, 121, 0, 0,
  10, 6, 1, 4, 0, 65, 0, 11,
);

const nothing = () => {};

/** The mean: what the garbage collector takes belongs to those who leave garbage. */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** ns per call of `body` that does `count` things. */
function timed(count, body) {
  const start = performance.now();
  body();
  return ((performance.now() - start) / count) * 1e6;
}

/** An empty exported function, and a tick with nothing to do. */
async function boundary(WasmScheduler, rounds, count) {
  const { instance } = await WebAssembly.instantiate(EMPTY);
  const { empty } = instance.exports;
  const scheduler = new WasmScheduler();
  scheduler.tickAt(1);
  scheduler.schedule(nothing, 3_600_000_000_000);
  let sum = 0;
  const figures = { 'an empty exported function': [], 'an empty tickAt': [], 'an empty tick': [] };
  const [calls, ticksAt, ticks] = Object.values(figures);
  for (let round = 0; round < rounds; round++) {
    calls.push(timed(count, () => { for (let n = 0; n < count; n++) sum += empty(n); }));
    ticksAt.push(timed(count, () => { for (let n = 0; n < count; n++) sum += scheduler.tickAt(n); }));
    ticks.push(timed(count, () => { for (let n = 0; n < count; n++) sum += scheduler.tick(); }));
  }
  if (sum !== 0) throw new Error(`${sum} jobs ran in empty ticks`);
  scheduler.free();
  return figures;
}

/**
 * `count` timers set and run by the platform. What passes between the last one set and the first one
 * run is waiting, and is left out.
 */
async function platformTimers(count) {
  let ran = 0;
  let first;
  const start = performance.now();
  let set;
  const last = await new Promise((done) => {
    const callback = () => {
      if (ran === 0) first = performance.now();
      if (++ran === count) done(performance.now());
    };
    for (let n = 0; n < count; n++) setTimeout(callback, 0);
    set = performance.now();
  });
  return ((set - start + (last - first)) / count) * 1e6;
}

/** One callback scheduled and run. */
async function oneCallback(WasmScheduler, rounds, count) {
  const scheduler = new WasmScheduler({ maxTasksPerTick: count });
  const figures = {
    'setTimeout, and its callback run': [],
    'schedule, and its callback run by tick': [],
    'schedule, and its callback run by tickAt': [],
  };
  const [platform, byTick, byTickAt] = Object.values(figures);
  // Not in turns: the collector would charge us for the platform's timers.
  for (let round = 0; round < rounds; round++) platform.push(await platformTimers(count));
  for (let round = 0; round < rounds; round++) {
    for (const [ours, run] of [
      [byTick, () => scheduler.tick()],
      [byTickAt, () => scheduler.tickAt(performance.now())],
    ]) {
      let ran = 0;
      const callback = () => ran++;
      run(); // From now on time is read, or told.
      ours.push(
        timed(count, () => {
          for (let n = 0; n < count; n++) scheduler.schedule(callback, 0);
          run();
        }),
      );
      if (ran !== count) throw new Error(`${ran} of ${count} callbacks ran`);
    }
  }
  scheduler.free();
  return figures;
}

/** Timers of distinct delays, set and cancelled. */
function cancelled(WasmScheduler, rounds, count) {
  const scheduler = new WasmScheduler();
  const ids = new Array(count);
  const figures = { 'setTimeout and clearTimeout': [], 'schedule and cancel': [] };
  const [platform, ours] = Object.values(figures);
  for (let round = 0; round < rounds; round++) {
    platform.push(
      timed(count, () => {
        for (let n = 0; n < count; n++) ids[n] = setTimeout(nothing, 1_000_000 + n);
        for (let n = 0; n < count; n++) clearTimeout(ids[n]);
      }),
    );
    ours.push(
      timed(count, () => {
        for (let n = 0; n < count; n++) ids[n] = scheduler.schedule(nothing, 1e12 + n * 1e6);
        for (let n = 0; n < count; n++) scheduler.cancel(ids[n]);
      }),
    );
    if (scheduler.pending !== 0) throw new Error(`${scheduler.pending} tasks are left`);
  }
  scheduler.free();
  return figures;
}

/** ns per operation, means of all rounds but the first; and the ratios that we promise, with their bounds. */
export async function measure(WasmScheduler, { rounds = 15, calls = 1_000_000, timers = 100_000 } = {}) {
  const figures = {
    ...(await boundary(WasmScheduler, rounds, calls)),
    ...(await oneCallback(WasmScheduler, rounds, timers)),
    ...cancelled(WasmScheduler, rounds, timers),
  };
  const ns = Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, mean(all.slice(1))]));
  const ratio = (ours, theirs, bound) => ({ ours, theirs, ratio: ns[ours] / ns[theirs], bound });
  return {
    ns,
    ratios: [
      ratio('an empty tickAt', 'an empty exported function', 2),
      ratio('schedule, and its callback run by tick', 'setTimeout, and its callback run', 0.3),
      ratio('schedule, and its callback run by tickAt', 'setTimeout, and its callback run', 0.3),
      ratio('schedule and cancel', 'setTimeout and clearTimeout', 0.2),
    ],
  };
}
