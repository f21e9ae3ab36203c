/**
 * The entry `wasmqtt/shared-worker`: a SharedWorker that hosts the broker of `SharedBroker`. To import it is enough; a
 * worker that wants to make the broker itself also calls `serveShared` before its first `await`.
 *
 * It must not import `shared.ts`, in which bundlers find the address of this very worker.
 */
import { type ServeOptions, serveShared as serve } from './shared/worker.js';
import { setDefaultSource } from './wasm.js';

export type { ServeOptions } from './shared/worker.js';

setDefaultSource(() => new URL('./wasmqtt.wasm', import.meta.url));

let served = false;

/**
 * Serves brokers to the pages that connect to this SharedWorker, with one of your own making: for what can't be sent
 * from a page, such as `auth` or a bridge.
 * @throws TypeError outside a SharedWorker.
 * @example
 * import { Broker } from 'wasmqtt';
 * import { serveShared } from 'wasmqtt/shared-worker';
 * serveShared({ create: (options) => Broker.create({ ...options, auth: ({ userName }) => userName === 'me' }) });
 */
export function serveShared(options: ServeOptions = {}): void {
  served = true;
  serve(options);
}

// After the module that imports this one was run, and before anybody can connect.
queueMicrotask(() => {
  if (!served) serve();
});
