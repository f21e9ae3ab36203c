/**
 * What people ask of a broker in their own words, as commands of the core. Every mistake is a TypeError that names the
 * argument or option.
 */
import { reasonOf } from './auth.js';
import type { Qos } from './events.js';
import { flag, only, QOS, text, whole, wrong } from './options.js';
import { bytesOf, isBytes } from './socket.js';

/** How to publish. */
export interface PublishOptions {
  /** 0 (the default), 1 or 2. */
  qos?: Qos;
  /** Whether the message is kept for those who subscribe later. Default false. */
  retain?: boolean;
}

/** What may be a payload. */
export type Payload = string | Uint8Array | ArrayBuffer;

/** Publishing a message. @throws TypeError. */
export function publishing(topic: string, payload: Payload, options: PublishOptions): { Publish: object } {
  only('options', options, ['qos', 'retain']);
  text('topic', topic, 'a Topic Name');
  const isText = typeof payload === 'string';
  if (!isText && !isBytes(payload)) throw wrong('payload', payload, 'a text, an ArrayBuffer or a view of one');
  const bytes = isText ? new TextEncoder().encode(payload) : bytesOf(payload);
  const qos = QOS[whole('qos', options.qos ?? 0, 0, 2)];
  return { Publish: { topic, payload: bytes, qos, retain: flag('retain', options.retain) ?? false } };
}

/** How to end a client's connection. */
export interface KickOptions {
  /** The Reason Code that a 5.0 client is told. Default 0x98, Administrative action. */
  code?: number;
  /** Whether its Session ends, too. Default false. */
  endSession?: boolean;
}

/** Ending a client's connection. @throws TypeError. */
export function kicking(clientIdentifier: string, options: KickOptions): { Kick: object } {
  only('options', options, ['code', 'endSession']);
  const client_identifier = text('clientIdentifier', clientIdentifier, 'a Client Identifier');
  const reason = reasonOf('code', options.code ?? 0x98);
  return { Kick: { client_identifier, reason, end_session: flag('endSession', options.endSession) ?? false } };
}
