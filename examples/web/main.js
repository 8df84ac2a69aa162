// The page: controls, counters, and a picture each frame.

import init from '../../pkg/index.js';

import { drawHistogram, drawLoop, drawTicks, drawTimeline, drawWindows, readColours } from './charts.js';
import { Load } from './load.js';
import { Series } from './record.js';

const byId = (id) => document.getElementById(id);

await init();
const load = new Load();
const { scheduler } = load;
const loads = new Series(300);
const loopErrors = new Series(300);
const isCalm = matchMedia('(prefers-reduced-motion: reduce)');
let observed = 0;
let frames = 0;
let framesPerSecond = 0;

byId('clock').textContent = crossOriginIsolated
  ? 'Cross-origin isolated: performance.now() has steps of 5 µs in Chromium.'
  : 'Not cross-origin isolated: performance.now() has steps of 100 µs in Chromium.';

const say = (text) => (byId('status').textContent = text);

scheduler.onError((error, { name }) => {
  load.errors++;
  say(`${name ?? 'A task'} failed: ${error.message}. The others ran.`);
});

function applyLoad() {
  const [timers, period, work] = ['timers', 'period', 'work'].map((id) => byId(id).valueAsNumber);
  byId('timers-value').value = timers.toLocaleString('en');
  byId('period-value').value = `${period} ms`;
  byId('work-value').value = `${work} µs`;
  load.workUs = work;
  load.resize(timers, period);
}

function applyPause(isPaused) {
  byId('pause').textContent = isPaused ? 'Resume' : 'Pause';
  byId('step').disabled = !isPaused;
}

byId('controls').addEventListener('input', ({ target }) => {
  if (target.id !== 'driver') return applyLoad();
  if (load.manualMs !== undefined) return;
  scheduler.stop();
  load.latency.clear();
  scheduler.start({ driver: target.value });
  say(`Driven by ${target.value}.`);
});

byId('pause').addEventListener('click', () => {
  const isPaused = load.manualMs === undefined;
  if (isPaused) load.pause();
  else load.resume(byId('driver').value);
  applyPause(isPaused);
  say(isPaused ? 'Paused: time is yours now.' : 'Time goes on; steps that were ahead of it are waited for.');
});

byId('step').addEventListener('click', () => {
  const before = load.manualMs;
  const jobs = load.step();
  say(`${((load.manualMs - before) * 1000).toFixed(3)} µs later: jobs run: ${jobs}.`);
});

byId('throw').addEventListener('click', () => load.throwOnce());

byId('export').addEventListener('click', () => {
  const url = URL.createObjectURL(new Blob([load.trace.toJson()], { type: 'application/json' }));
  Object.assign(document.createElement('a'), { href: url, download: 'trace.json' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  say('trace.json opens in ui.perfetto.dev and chrome://tracing.');
});

const counters = new Map(
  [
    ['executed', 'Jobs run', (m) => m.executed.toLocaleString('en')],
    ['pending', 'Timers live', (m) => m.pending.toLocaleString('en')],
    ['missed', 'Periods skipped', (m) => m.missed_ticks.toLocaleString('en')],
    ['tick', 'Mean tick', (m) => `${(m.avg_tick_time_ns / 1000).toFixed(0)} µs`],
    ['latency50', 'Latency, median', () => `≤ ${Number(load.latency.quantileMs(0.5).toPrecision(2))} ms`],
    ['latency99', 'Latency, 99 %', () => `≤ ${Number(load.latency.quantileMs(0.99).toPrecision(2))} ms`],
    ['overlap', 'Overlap of windows', () => `${(scheduler.temporalOverlap() * 100).toFixed(0)} %`],
    ['load', 'Load', () => `${(scheduler.strangeLoopState() * 100).toFixed(1)} %`],
    ['errors', 'Errors', () => load.errors],
    ['fps', 'Frames per second', () => framesPerSecond],
  ].map(([id, label, value]) => {
    const shown = Object.assign(document.createElement('dd'), { id: `count-${id}` });
    const group = document.createElement('div');
    group.append(Object.assign(document.createElement('dt'), { textContent: label }), shown);
    byId('counters').append(group);
    return [shown, value];
  }),
);

function showCounters() {
  const metrics = scheduler.get_metrics();
  for (const [shown, value] of counters) shown.textContent = value(metrics);
}

/** For those who do not see the pictures. */
function describe() {
  const text = (id) => byId(`count-${id}`).textContent;
  const names = {
    timeline: `${text('executed')} jobs run so far, ${text('pending')} timers live`,
    latency: `median ${text('latency50')}, 99th percentile ${text('latency99')}`,
    ticks: `mean ${text('tick')}`,
    windows: `${scheduler.windows().length} windows, overlap ${text('overlap')}`,
    loop: `load ${text('load')}, ${scheduler.strangeLoop().is_converged ? 'converged' : 'not converged'}`,
  };
  for (const [id, name] of Object.entries(names)) byId(id).setAttribute('aria-label', name);
}

/** The loop's estimates since the last time, if a tick has moved them. */
function followLoop() {
  const { observations, load: share, error_bound_ns, interval_ns, tick_time_ns, dispatch_latency_ns } = scheduler.strangeLoop();
  if (observations === observed) return;
  observed = observations;
  loads.push(share);
  loopErrors.push(error_bound_ns / (Math.hypot(interval_ns, tick_time_ns, dispatch_latency_ns) || 1));
}

const slowDrawings = [
  () => drawHistogram(byId('latency'), load.latency),
  () => drawTicks(byId('ticks'), load.tickMs),
  () => drawWindows(byId('windows'), scheduler.windows()),
  () => drawLoop(byId('loop'), loads, loopErrors),
  showCounters,
];

function drawMoving() {
  load.density.moveTo(load.nowMs());
  drawTimeline(byId('timeline'), load.density);
}

function frame() {
  requestAnimationFrame(frame);
  frames++;
  followLoop();
  if (isCalm.matches) return; // Then a picture each second has to do.
  drawMoving();
  slowDrawings[frames % slowDrawings.length](); // One per frame is often enough for these.
}

let countedAt = performance.now();
let counted = 0;
setInterval(() => {
  const now = performance.now();
  framesPerSecond = Math.round(((frames - counted) * 1000) / (now - countedAt));
  [countedAt, counted] = [now, frames];
  if (isCalm.matches) [drawMoving, ...slowDrawings].forEach((draw) => draw());
  describe();
}, 1000);

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readColours);
readColours();
applyLoad();
applyPause(false);
scheduler.start({ driver: byId('driver').value });
say('');
showCounters();
describe();
frame();
