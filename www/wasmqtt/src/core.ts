/**
 * The core with values instead of bytes: what a user gives is checked and written as postcard, what the core says is
 * read. What comes often (bytes of connections) has functions of its own in the core and never passes here.
 */
import type { Config, Input, Output } from '../generated/door.js';
import * as door from '../generated/door.js';
import { Core } from '../generated/wasmqtt.js';
import { decode, encode } from './postcard.js';

/** What may be left out of a `Config`: everything. */
export type ConfigOptions = Partial<Omit<Config, 'limits'>> & { limits?: Partial<Config['limits']> };

/** A core that knows nothing yet. What `config` leaves out has its default; all luck comes from 16 bytes. */
export const create = (config: ConfigOptions, seed: Uint8Array): Core => new Core(encodeConfig(config), seed);

/** A core as its log left it: records with their places, in order. */
export const restore = (config: ConfigOptions, seed: Uint8Array, lsns: Float64Array, records: Uint8Array[]): Core =>
  Core.restore(encodeConfig(config), seed, lsns, records);

/** Any input. A TypeError names what is wrong with it. */
export const handle = (core: Core, input: Input): void => core.handle(encode(door.Input, input, 'input'));

/** The next thing that the core wants done. */
export const poll = (core: Core): Output | undefined => {
  const output = core.poll();
  return output && decode(door.Output, output);
};

const encodeConfig = (config: ConfigOptions): Uint8Array => {
  const defaults = decode(door.Config, Core.defaultConfig());
  const whole = { ...defaults, ...config, limits: { ...defaults.limits, ...config.limits } };
  return encode(door.Config, whole, 'config');
};
