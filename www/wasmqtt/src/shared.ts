/**
 * The entry `wasmqtt/shared`: one broker for all tabs of an origin. `wasmqtt/shared-worker` is the worker that it runs
 * in where there are SharedWorkers.
 */
import { setDefaultSource } from './wasm.js';

setDefaultSource(() => new URL('./wasmqtt.wasm', import.meta.url));

export type { CreateBroker, HostedOptions } from './shared/hosted.js';
export { SharedBrokerError } from './shared/member.js';
export type { SharedBrokerOptions } from './shared/options.js';
export type { Mode } from './shared/protocol.js';
export { SharedBroker, type SharedBrokerEvents } from './shared/shared.js';
