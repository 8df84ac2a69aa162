// examples/web, as a user has it: sliders, keys, an error, a hidden tab, a reload.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const numberIn = async (page, id) =>
  Number((await page.locator(`#count-${id}`).textContent()).replace(/[^0-9.]/g, ''));

/** Waits until a counter fits. */
async function until(page, id, fits, about) {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (fits(await numberIn(page, id))) return;
    await page.waitForTimeout(100);
  }
  assert.fail(`${about}: ${id} is ${await numberIn(page, id)}`);
}

const counts = async (page, about) => {
  const before = await numberIn(page, 'executed');
  await until(page, 'executed', (now) => now > before, about);
};

async function slide(page, id, value) {
  await page.locator(`#${id}`).fill(String(value));
}

export const pageTests = [
  ['sliders, drivers and counters', async ({ page, isolated, output }) => {
    await counts(page, 'after loading');
    assert.match(await page.locator('#clock').textContent(), isolated ? /5 µs/ : /100 µs/);
    assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
    await slide(page, 'timers', 3000);
    await until(page, 'pending', (now) => now === 3000, 'after more timers');
    await slide(page, 'timers', 200);
    await until(page, 'pending', (now) => now === 200, 'after fewer timers');
    await slide(page, 'period', 40);
    await slide(page, 'work', 5);
    await counts(page, 'after a shorter period');
    for (const driver of ['interval', 'message-channel', 'worker', 'animation-frame']) {
      await page.locator('#driver').selectOption(driver);
      await counts(page, driver);
    }
    await until(page, 'overlap', (percent) => percent === 75, 'windows');
    await until(page, 'load', (percent) => percent > 0, 'strange loop');
    await page.screenshot({ path: `${output}/page${isolated ? '-isolated' : ''}.png`, fullPage: true });
  }],

  ['an error in a callback is told, and the others run', async ({ page }) => {
    await page.getByRole('button', { name: 'Throw in a callback' }).click();
    await until(page, 'errors', (errors) => errors === 1, 'after the error');
    assert.match(await page.locator('#status').textContent(), /thrower failed: thrown by a callback/);
    await counts(page, 'after the error');
  }],

  ['pause, steps and resumption, by keyboard', async ({ page }) => {
    await counts(page, 'before');
    await page.locator('#timers').focus();
    await page.keyboard.press('End');
    await until(page, 'pending', (now) => now === 10_000, 'after the key End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await until(page, 'pending', (now) => now === 100, 'after Home and ArrowRight');
    const reach = async (id) => {
      for (let presses = 0; presses < 12; presses++) {
        if (await page.locator(`#${id}`).evaluate((it) => it === document.activeElement)) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`${id} is not reached by the key Tab`);
    };
    await reach('pause');
    await page.keyboard.press('Space');
    assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
    await page.waitForTimeout(300);
    const before = await numberIn(page, 'executed');
    await page.waitForTimeout(300);
    assert.equal(await numberIn(page, 'executed'), before, 'time stands still');
    await reach('step');
    for (let step = 1; step <= 3; step++) {
      await page.keyboard.press('Enter');
      assert.match(await page.locator('#status').textContent(), /µs later: jobs run: [1-9]/);
    }
    await until(page, 'executed', (now) => now > before, 'steps run jobs');
    await page.locator('#pause').click();
    await counts(page, 'after resumption');
  }],

  ['everything has a name for a screen reader', async ({ page }) => {
    await counts(page, 'before');
    await page.waitForTimeout(1100);
    const nameless = await page.evaluate(() => {
      const labelled = (it) => it.labels?.length || it.ariaLabel || it.textContent.trim();
      return [...document.querySelectorAll('input, select, button, canvas, form, dl, [role=group]')]
        .filter((it) => !labelled(it))
        .map((it) => it.id || it.outerHTML);
    });
    assert.deepEqual(nameless, []);
    for (const name of ['Timers', 'Mean period', 'Work of each']) {
      assert.equal(await page.getByRole('slider', { name }).count(), 1, name);
    }
    assert.match(await page.locator('#timeline').getAttribute('aria-label'), /[0-9,]+ jobs run so far/);
    assert.match(await page.locator('#loop').getAttribute('aria-label'), /load .*converged/);
  }],

  ['the trace opens in Perfetto: events with lanes, times and durations', async ({ page }) => {
    await counts(page, 'before');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export trace' }).click(),
    ]);
    const { traceEvents } = JSON.parse(await readFile(await download.path(), 'utf8'));
    const names = traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => args.name);
    assert.deepEqual(names, ['critical', 'high', 'normal', 'low', 'tick']);
    const jobs = traceEvents.filter(({ ph, name }) => ph === 'X' && name !== 'tick');
    assert.ok(jobs.length > 0);
    for (const { tid, ts, dur, args } of jobs) {
      assert.ok(tid < 4 && ts > 0 && dur >= 0 && args.latency_ms >= 0);
    }
  }],

  ['a reload starts anew', async ({ page }) => {
    await slide(page, 'timers', 500);
    await until(page, 'pending', (now) => now === 500, 'before');
    await page.reload();
    await counts(page, 'after the reload');
    await until(page, 'errors', (errors) => errors === 0, 'after the reload');
  }],

  ['it is smooth with 10,000 live timers', async ({ page, output, isolated }) => {
    await slide(page, 'timers', 10_000);
    await until(page, 'pending', (now) => now === 10_000, 'before');
    const rates = [];
    for (let second = 0; second < 8; second++) {
      await page.waitForTimeout(1000);
      rates.push(await numberIn(page, 'fps'));
    }
    await page.screenshot({ path: `${output}/10000${isolated ? '-isolated' : ''}.png` });
    // A rate, not a duration; what else the machine does is in it, so that the figure is printed, and
    // the bound is one that only a page which stutters by itself falls short of.
    const best = Math.max(...rates);
    console.log(`     frames per second: ${rates}`);
    assert.ok(best >= 30, `${rates}`);
  }],
];
