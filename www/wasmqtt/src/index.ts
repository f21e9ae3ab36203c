/** `wasmqtt` in a browser. */
import './source.browser.js';

export * from './exports.js';
