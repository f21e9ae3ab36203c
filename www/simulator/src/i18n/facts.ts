// The values that messages are made with. Both catalogues get the same facts and put them into their own order.

import type { Command, CommandName, PacketName, Qos, WhyNot } from '../lessons/stage';

/** A packet as a sentence names it. Names are the clients' own, as people read them; "broker" is the catalogue's word. */
export interface PacketFacts {
  /** `null` is the broker. */
  readonly from: string | null;
  /** `null` is the broker. */
  readonly to: string | null;
  readonly packet: PacketName;
  readonly topic?: string;
  readonly payload?: string;
  readonly qos?: Qos;
  readonly id?: number;
  readonly dup?: boolean;
  readonly retain?: boolean;
  readonly sessionPresent?: boolean;
  /** The number; the name is looked up. */
  readonly reason?: number;
}

/** A message and somebody who didn't get it. `level` counts from 1. */
export interface WhyNotFacts {
  readonly client: string;
  readonly topic: string;
  readonly filter: string;
  readonly level: number;
}

export interface DeliveryFacts {
  readonly client: string;
  readonly topic: string;
  readonly filter: string;
  readonly qos: Qos;
  readonly retained: boolean;
}

/** Something wrong in a link or a scenario: where, what stands there, what may stand there. */
export interface Mistake {
  /** Such as `clients[1].will.qos`; empty: the whole. */
  readonly where: string;
  readonly found?: string;
  readonly allowed?: string;
}

/** A field of a form: its name and, where the name doesn't say enough, a sentence. */
export interface Field {
  readonly label: string;
  readonly hint: string;
}

export type WhyNotMessages = { readonly [why in WhyNot]: (facts: WhyNotFacts) => string };

/** What stands at a level of a topic or filter; `undefined` behind its end. */
export function levelAt(path: string, level: number): string | undefined {
  return path.split('/')[level - 1];
}

/** A sentence for every command; `who` is the client's name as people read it, empty where the command has no client. */
export type CommandMessages = {
  readonly [name in CommandName]: (who: string, command: Extract<Command, { readonly do: name }>) => string;
};
