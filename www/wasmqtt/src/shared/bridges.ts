/**
 * Bridges of a shared broker. The host dials; every member knows them all, so that whoever is host next is told of them
 * by any member that is left.
 */
import type { BridgeOptions } from '../bridge.js';
import type { Broker } from '../broker.js';

/** The event that tells members of the bridges: the first time what there is, then whenever that changes. */
export const BRIDGES = 'bridges';

/** At the host: the bridges that members asked for. */
export class HostedBridges {
  #broker: Broker;
  #added = new Map<string, BridgeOptions>();
  #watching = new Set<(bridges: BridgeOptions[]) => void>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Adds one; gives its name. @throws what `Broker.bridge` throws. */
  async add(options: BridgeOptions): Promise<string> {
    const { name, options: whole } = await this.#broker.bridge(options);
    this.#added.set(name, whole);
    this.#tell();
    return name;
  }

  /** Ends one; gives whether it was there. */
  remove(name: string): boolean {
    const was = this.#broker.removeBridge(name);
    if (this.#added.delete(name)) this.#tell();
    return was;
  }

  /** Tells of them from now on; the function that comes back ends it. */
  watch(tell: (bridges: BridgeOptions[]) => void): () => void {
    // A member may watch twice with the same function.
    const own = (bridges: BridgeOptions[]) => tell(bridges);
    this.#watching.add(own);
    own([...this.#added.values()]);
    return () => this.#watching.delete(own);
  }

  #tell(): void {
    for (const tell of this.#watching) tell([...this.#added.values()]);
  }
}

/** At a member: what it knows of the bridges. */
export class KnownBridges {
  #known = new Map<string, BridgeOptions>();
  /** How many bridges a new host is being told of. */
  #telling = 0;

  /** The host says what there is. */
  heard(bridges: BridgeOptions[]): void {
    // A new host does not know yet what it is being told.
    if (this.#telling === 0) this.#known.clear();
    for (const bridge of bridges) this.#known.set(bridge.name as string, bridge);
  }

  /** There is another host: tells it of all by `add`. One that fails is known no more. */
  moved(add: (options: BridgeOptions) => Promise<unknown>, failed: (error: unknown) => void): void {
    for (const [name, options] of [...this.#known]) {
      this.#telling += 1;
      add(options)
        .catch((error: unknown) => {
          // Whoever comes after this host is told again.
          if ((error as { code?: unknown }).code === 'moved') return;
          this.#known.delete(name);
          failed(error);
        })
        .finally(() => {
          this.#telling -= 1;
        });
    }
  }

  /** One is removed. */
  forget(name: string): void {
    this.#known.delete(name);
  }
}
