// The cases in Node, on the installed package.

import test from 'node:test';

import init, { WasmScheduler } from 'nanosecond-scheduler';

import { cases } from './conformance/index.js';

await init();
for (const [name, run] of cases) test(name, () => run(WasmScheduler));
