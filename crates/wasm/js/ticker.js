// The worker of the driver 'worker': asks for ticks, but for no second one before the first is done.

let isAnswered = true;

function ask() {
  if (!isAnswered) return;
  isAnswered = false;
  postMessage(0);
}

onmessage = ({ data: { periodMs } }) => {
  isAnswered = true;
  if (periodMs !== undefined) setInterval(ask, periodMs);
};
