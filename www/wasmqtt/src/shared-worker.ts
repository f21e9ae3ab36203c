/**
 * The entry `wasmqtt/shared-worker`: a SharedWorker that hosts the broker of `SharedBroker`. It is a whole program and
 * exports nothing; `SharedBroker.connect` starts it, or your own worker file imports it.
 */
import { serveShared } from './shared/worker.js';

serveShared();
