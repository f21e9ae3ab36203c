/**
 * The SharedWorker that hosts a broker for all tabs. It is a candidate like any tab: it waits until nobody else is host
 * under its name, which matters when a page of another build, and so with another worker file, is still open.
 */
import { Broker } from '../broker.js';
import { campaign, type Host } from './host.js';
import { type CreateBroker, type HostedOptions, hosted } from './hosted.js';
import { type Channel, controlOf, type Place, thisPlace } from './place.js';
import { type Control, controlName, failureOf, PROTOCOL } from './protocol.js';

/** What a page tells its worker before anything else. */
export interface Configure {
  configure: { name: string; protocol: number; options: HostedOptions };
}

/** What the worker tells a page before anything else. */
export interface Here {
  worker: string;
  protocol: number;
}

/** The part of a SharedWorker's global scope that is used here. */
interface Scope {
  onconnect: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** What only code in the worker itself can decide, since it can't be sent from a page. */
export interface ServeOptions {
  /** Makes the broker from what the first page asked for. Default: `Broker.create(options)`. */
  create?: CreateBroker;
}

/** Serves brokers to the pages that connect to this SharedWorker. @throws TypeError outside a SharedWorker. */
export function serveShared({ create = Broker.create }: ServeOptions = {}): void {
  const scope = globalThis as unknown as Scope;
  if (!('onconnect' in scope)) throw new TypeError('serveShared: this is no SharedWorker');
  const place = thisPlace();
  const id = place.id();
  const served = new Map<string, Served>();

  scope.onconnect = ({ ports }) => {
    const port = ports[0] as MessagePort;
    let mine: Served | undefined;
    port.onmessage = ({ data }) => {
      const { configure } = data as Partial<Configure>;
      if (configure === undefined) {
        mine?.host?.hear(data, port as Channel);
        return;
      }
      // A page of a newer build: the next worker has its code.
      if (configure.protocol > PROTOCOL) scope.close();
      mine = served.get(configure.name) ?? new Served(place, id, configure.name, create, () => scope.close());
      served.set(configure.name, mine);
      mine.begin(configure);
    };
    const here: Here = { worker: id, protocol: PROTOCOL };
    port.postMessage(here);
  };
}

/** One name that this worker serves. */
class Served {
  host: Host | undefined;
  #place: Place;
  #id: string;
  #name: string;
  #create: CreateBroker;
  #outdated: () => void;
  #running = false;

  constructor(place: Place, id: string, name: string, create: CreateBroker, outdated: () => void) {
    this.#create = create;
    this.#place = place;
    this.#id = id;
    this.#name = name;
    this.#outdated = outdated;
  }

  /** Becomes a candidate unless it is one, or host. */
  begin({ options }: Configure['configure']): void {
    if (this.#running) return;
    this.#running = true;
    void this.#campaign(options).finally(() => {
      this.#running = this.host !== undefined;
    });
  }

  async #campaign(options: HostedOptions): Promise<void> {
    const withdraw = new AbortController();
    const control = this.#place.channel(controlName(this.#name));
    // It hears of a newer build while it waits, too.
    control.onmessage = ({ data }) => {
      if ((controlOf(data)?.protocol ?? 0) > PROTOCOL) withdraw.abort();
    };
    const { signal } = withdraw;
    try {
      const { storage = 'memory:' } = options;
      const make = async () => hosted(await this.#create({ ...options, wait: true, signal }), storage);
      const who = { name: this.#name, mode: 'shared-worker' as const, id: this.#id, protocol: PROTOCOL };
      const host = await campaign(this.#place, { ...who, make, signal });
      this.host = host;
      host.onover = (why) => {
        this.host = undefined;
        this.#running = false;
        if (why === 'outdated') this.#outdated();
      };
    } catch (error) {
      if (signal.aborted) this.#outdated();
      const failed: Control = { say: 'failed', protocol: PROTOCOL, from: this.#id, error: failureOf(error) };
      control.postMessage(failed);
    }
    control.close();
  }
}
