/** `wasmqtt` in Node. */
import './source.node.js';

export * from './exports.js';
