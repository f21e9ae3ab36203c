/** `wasmqtt/testing` in Node. */
import './source.node.js';

export * from './testing.js';
