/** `wasmqtt/testing` in a browser. */
import './source.browser.js';

export * from './testing.js';
