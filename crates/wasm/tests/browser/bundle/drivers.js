import init, { WasmScheduler } from 'nanosecond-scheduler';

export async function driversThatTick() {
  await init();
  const ticked = [];
  for (const driver of ['interval', 'animation-frame', 'message-channel', 'worker']) {
    const scheduler = new WasmScheduler();
    scheduler.start({ driver });
    await new Promise((done) => scheduler.schedule(done, 1e6));
    scheduler.free();
    ticked.push(driver);
  }
  return ticked;
}
