// A WebDriver client of a dozen lines: Playwright has every page believe that it is in front.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs `body` with a session of chromedriver, on a port that chromedriver chooses. */
export async function withWebDriver(chromeOptions, body) {
  const server = spawn('chromedriver', ['--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const started = /successfully on port (\d+)/;
    let log = '';
    while (!started.test(log)) log += (await once(server.stdout, 'data'))[0];
    const base = `http://127.0.0.1:${started.exec(log)[1]}`;
    const call = async (method, path, parameters) => {
      const response = await fetch(base + path, { method, body: JSON.stringify(parameters) });
      const { value } = await response.json();
      if (!response.ok) throw new Error(`${path}: ${value.message}`);
      return value;
    };
    // Switches by which chromedriver would have hidden tabs run like others.
    const excludeSwitches = [
      'disable-background-timer-throttling',
      'disable-backgrounding-occluded-windows',
      'disable-renderer-backgrounding',
    ];
    const capabilities = { alwaysMatch: { 'goog:chromeOptions': { ...chromeOptions, excludeSwitches } } };
    const { sessionId } = await call('POST', '/session', { capabilities });
    const post = (command, parameters = {}) => call('POST', `/session/${sessionId}/${command}`, parameters);
    try {
      await body({
        open: (url) => post('url', { url }),
        run: (script) => post('execute/sync', { script: `return ${script}`, args: [] }),
        hide: () => post('window/minimize'),
        show: () => post('window/rect', { width: 1100, height: 900 }),
      });
    } finally {
      await call('DELETE', `/session/${sessionId}`);
    }
  } finally {
    server.kill();
  }
}
