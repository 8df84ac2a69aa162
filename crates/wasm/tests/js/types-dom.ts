// Compiled by `tsc` with a browser's types: what init takes.

import init, { WasmScheduler, type ModuleSource } from 'nanosecond-scheduler';

const sources: (ModuleSource | Promise<ModuleSource>)[] = [
  'module.wasm',
  new URL('module.wasm', location.href),
  new Request('module.wasm'),
  fetch('module.wasm'),
  await fetch('module.wasm'),
  new Uint8Array(8),
  await WebAssembly.compileStreaming(fetch('module.wasm')),
];
await init(sources[0]);
// @ts-expect-error: a number is no module
await init(7);

using scheduler = new WasmScheduler();
scheduler.start({ driver: 'animation-frame' });
