/**
 * Packets for people who look on: the bytes of each direction of each link, cut into packets. It costs nothing until
 * somebody listens. A link that was in the midst of a packet then is cut wrongly, or not told of any more, until it is
 * opened anew: who must see all listens before clients connect.
 */
import { Packets, packetName } from '../generated/wasmqtt.js';
import type { LinkId, Tap } from './engine.js';
import type { PacketEvent } from './events.js';

interface Tapped {
  connection: number;
  client: Packets;
  broker: Packets;
}

/** Cuts what passes into packets and tells them. */
export class PacketTap implements Tap {
  #tell: (event: PacketEvent) => void;
  #clientOf: (link: LinkId) => string | undefined;
  #tapped = new Map<number, Tapped>();
  #connections = 0;

  constructor(tell: (event: PacketEvent) => void, clientOf: (link: LinkId) => string | undefined) {
    this.#tell = tell;
    this.#clientOf = clientOf;
  }

  bytes(link: LinkId, fromClient: boolean, bytes: Uint8Array): void {
    let tapped = this.#tapped.get(link.slot);
    if (tapped === undefined) {
      this.#connections += 1;
      tapped = { connection: this.#connections, client: new Packets(), broker: new Packets() };
      this.#tapped.set(link.slot, tapped);
    }
    const packets = (fromClient ? tapped.client : tapped.broker).push(bytes) as Uint8Array[];
    for (const packet of packets) {
      const clientIdentifier = this.#clientOf(link);
      this.#tell({
        type: 'packet',
        connection: tapped.connection,
        ...(clientIdentifier !== undefined && { clientIdentifier }),
        from: !fromClient ? 'broker' : clientIdentifier?.startsWith('$bridge/') ? 'remote' : 'client',
        name: packetName(packet),
        bytes: packet,
      });
    }
  }

  gone(link: LinkId): void {
    const tapped = this.#tapped.get(link.slot);
    tapped?.client.free();
    tapped?.broker.free();
    this.#tapped.delete(link.slot);
  }

  /** Lets go of all. */
  close(): void {
    for (const slot of this.#tapped.keys()) this.gone({ slot, generation: 0 });
  }
}
