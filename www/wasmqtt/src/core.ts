/**
 * The core with values instead of bytes: what goes in is checked and written as postcard, what the core says is read.
 * What comes often (bytes of connections) has functions of its own in the core and never passes here.
 */
import * as door from '../generated/door.js';
import { Core, explain, reason as reasonBytes } from '../generated/wasmqtt.js';
import { decode, encode } from './postcard.js';

/** An enum's variant as `{ Name: fields }`. */
export type Variant = { [name: string]: unknown };

/** A core that knows nothing yet. What `config` leaves out has its default; all luck comes from 16 bytes. */
export const create = (config: Variant, seed: Uint8Array): Core => new Core(encodeConfig(config), seed);

/** A core as its log left it: records with their places, in order. */
export const restore = (config: Variant, seed: Uint8Array, lsns: Float64Array, records: Uint8Array[]): Core =>
  Core.restore(encodeConfig(config), seed, lsns, records);

/** Any input. @throws TypeError that names what is wrong with it. */
export const handle = (core: Core, input: unknown): void =>
  core.handle(encode(door.Input, input as door.Input, 'input'));

/**
 * What the core wants done next. An event that is the end of something has `code`, `statement` and `text` beside it, the
 * refusal of a bridge `text`.
 */
export const poll = (core: Core): Variant | undefined => {
  const bytes = core.poll();
  if (bytes === undefined) return undefined;
  const output = decode(door.Output, bytes);
  const ends = 'Event' in output ? !('Connected' in output.Event) : 'Reply' in output && isRefusal(output.Reply.reply);
  return ends ? { ...output, ...explain(bytes) } : output;
};

const isRefusal = (reply: door.Reply): boolean => typeof reply === 'object' && 'NoBridge' in reply;

/** The Reason Code of a number, as inputs have it; `undefined` if there is none. */
export const reason = (code: number): door.ReasonCode | undefined => {
  const bytes = reasonBytes(code);
  return bytes && decode(door.ReasonCode, bytes);
};

/** A configuration with the defaults of all that it leaves out. */
export const wholeConfig = (config: Variant): door.Config => {
  const defaults = decode(door.Config, Core.defaultConfig());
  return { ...defaults, ...config, limits: { ...defaults.limits, ...(config.limits as object) } };
};

const encodeConfig = (config: Variant): Uint8Array => encode(door.Config, wholeConfig(config), 'config');
