// Drawings. Each takes a canvas and what to show, and nothing else.

import { Density, Histogram, LANES } from './record.js';

let colours;

/** The page's colours, which change with the user's scheme. */
export function readColours() {
  const probe = document.createElement('span');
  document.body.append(probe);
  const resolved = (name) => ((probe.style.color = `var(--${name})`), getComputedStyle(probe).color);
  colours = Object.fromEntries(['ink', 'faint', ...LANES].map((name) => [name, resolved(name)]));
  probe.remove();
}

/** An empty drawing of the canvas's size on the page, as sharp as the screen. */
function begin(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const dots = { width: Math.round(width * devicePixelRatio), height: Math.round(height * devicePixelRatio) };
  if (canvas.width !== dots.width || canvas.height !== dots.height) Object.assign(canvas, dots);
  const pen = canvas.getContext('2d');
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = '12px system-ui, sans-serif';
  pen.fillStyle = colours.faint;
  return { pen, width, height };
}

/** What a text takes of a chart's top. */
const TEXT = 16;

export function drawTimeline(canvas, density) {
  const { pen, width, height } = begin(canvas);
  const lane = height / LANES.length;
  const column = width / Density.COLUMNS;
  LANES.forEach((name, at) => {
    pen.fillStyle = colours[name];
    pen.beginPath();
    for (let n = 0; n < Density.COLUMNS; n++) {
      const jobs = density.at(at, n);
      if (jobs === 0) continue;
      const bar = Math.min(1, (Math.log2(jobs) + 1) / 9) * (lane - TEXT);
      pen.rect(n * column, (at + 1) * lane - bar, Math.max(1, column), bar);
    }
    pen.fill();
    pen.fillStyle = colours.ink;
    pen.fillText(name, 6, at * lane + 12);
  });
}

export function drawHistogram(canvas, histogram) {
  const { pen, width, height } = begin(canvas);
  const bar = width / histogram.bins.length;
  const most = Math.max(1, ...histogram.bins);
  pen.fillStyle = colours.normal;
  histogram.bins.forEach((count, bin) => {
    const size = (count / most) * (height - TEXT - 4);
    pen.fillRect(bin * bar, height - TEXT - size, bar - 1, size);
  });
  pen.fillStyle = colours.faint;
  pen.textAlign = 'center';
  for (const [ms, label] of [[0.01, '10 µs'], [0.1, '100 µs'], [1, '1 ms'], [10, '10 ms'], [100, '100 ms'], [1000, '1 s']]) {
    const at = Histogram.placeOf(ms) * bar;
    pen.fillRect(at, height - TEXT, 1, 3);
    pen.fillText(label, at, height - 3);
  }
  pen.textAlign = 'start';
}

/** Values from left to right, on a scale from 0 to `most`. */
function line(pen, width, height, values, most, colour) {
  pen.strokeStyle = colour;
  pen.beginPath();
  const step = width / Math.max(1, values.length - 1);
  values.forEach((value, n) => pen.lineTo(n * step, height - 2 - Math.min(1, value / most) * (height - 20)));
  pen.stroke();
}

export function drawTicks(canvas, series) {
  const { pen, width, height } = begin(canvas);
  const values = [...series];
  const most = Math.max(0.1, ...values);
  line(pen, width, height, values, most, colours.high);
  pen.fillText(`${most.toFixed(2)} ms`, 6, 14);
}

export function drawWindows(canvas, windows) {
  const { pen, width, height } = begin(canvas);
  if (windows.length === 0) return;
  const from = windows[0].startNs;
  const scale = width / (windows.at(-1).endNs - from);
  const row = Math.max(4, height / windows.length);
  const most = Math.max(...windows.map(({ jobs }) => jobs));
  windows.forEach(({ startNs, endNs, jobs }, n) => {
    pen.fillStyle = colours.low;
    pen.globalAlpha = 0.1 + (0.4 * jobs) / most; // The number on it stays legible.
    pen.fillRect((startNs - from) * scale, n * row + 1, (endNs - startNs) * scale, row - 2);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.ink;
    if (row > 8) pen.fillText(jobs, (startNs - from) * scale + 4, n * row + row - 2);
  });
}

export function drawLoop(canvas, loads, errors) {
  const { pen, width, height } = begin(canvas);
  const values = [...loads];
  const most = Math.max(0.01, ...values);
  line(pen, width, height, values, most, colours.normal);
  line(pen, width, height, [...errors], 1, colours.critical);
  pen.fillText(`${(most * 100).toFixed(1)} %`, 6, 14);
}
