// The package from a bundler that knows `new URL(…, import.meta.url)`.

import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const project = fileURLToPath(new URL('bundle/', import.meta.url));

export const bundledTests = [
  ['Vite finds module and worker, and every driver ticks in a page and in a worker', async ({ page, url, root }) => {
    await build({ root: project, base: './', logLevel: 'error', configFile: false });
    await page.goto(new URL(`/${relative(root, project)}/dist/index.html`, url).href);
    const all = ['interval', 'animation-frame', 'message-channel', 'worker'];
    assert.deepEqual(await page.evaluate('ticked'), [all, all]);
  }],
];
