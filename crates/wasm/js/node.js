// The package in Node: the module is read from disk on import.

import { readFileSync } from 'node:fs';

import { initSync } from './nanosecond_scheduler.js';

export { WasmScheduler } from './scheduler.js';

initSync({ module: readFileSync(new URL('./nanosecond_scheduler_bg.wasm', import.meta.url)) });

export default async function init() {}
