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
  configure: { name: string; page: string; protocol: number; options: HostedOptions };
}

/** What a page tells its worker at the end, if it can. */
export interface Leave {
  leave: { name: string; page: string };
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
      const { configure, leave } = data as Partial<Configure & Leave>;
      if (leave !== undefined) served.get(leave.name)?.leave(leave.page);
      else if (configure === undefined) mine?.host?.hear(data, port as Channel);
      else {
        // A page of a newer build: the next worker has its code.
        if (configure.protocol > PROTOCOL) scope.close();
        mine = served.get(configure.name) ?? new Served(place, id, configure.name, create, () => scope.close());
        served.set(configure.name, mine);
        mine.begin(configure);
      }
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
  #options: HostedOptions = {};
  #running = false;
  #withdraw = new AbortController();
  /** Pages that want it and did not say that they leave. */
  #pages = new Set<string>();

  constructor(place: Place, id: string, name: string, create: CreateBroker, outdated: () => void) {
    this.#create = create;
    this.#place = place;
    this.#id = id;
    this.#name = name;
    this.#outdated = outdated;
  }

  /** A page wants it: becomes a candidate unless it is one, or host. */
  begin({ page, options }: Configure['configure']): void {
    this.#pages.add(page);
    this.#options = options;
    if (!this.#running) this.#run();
  }

  #run(): void {
    this.#running = true;
    this.#withdraw = new AbortController();
    void this.#campaign(this.#withdraw).finally(() => {
      if (this.host === undefined) this.#rest(this.#withdraw.signal.aborted);
    });
  }

  /** It is neither candidate nor host any more; `again`: if somebody came meanwhile, it goes on for them. */
  #rest(again: boolean): void {
    this.#running = false;
    if (again && this.#pages.size > 0) this.#run();
  }

  /** A page wants it no more. Without pages there is no broker, so that others can have its storage. */
  leave(page: string): void {
    this.#pages.delete(page);
    if (this.#pages.size > 0) return;
    this.#withdraw.abort();
    void this.host?.close();
  }

  async #campaign(withdraw: AbortController): Promise<void> {
    const control = this.#place.channel(controlName(this.#name));
    let outdated = false;
    // It hears of a newer build while it waits, too.
    control.onmessage = ({ data }) => {
      outdated ||= (controlOf(data)?.protocol ?? 0) > PROTOCOL;
      if (outdated) withdraw.abort();
    };
    const { signal } = withdraw;
    try {
      const options = this.#options;
      const { storage = 'memory:' } = options;
      const make = async () => hosted(await this.#create({ ...options, wait: true, signal }), storage);
      const who = { name: this.#name, mode: 'shared-worker' as const, id: this.#id, protocol: PROTOCOL };
      this.#serve(await campaign(this.#place, { ...who, make, signal }));
    } catch (error) {
      if (outdated) this.#outdated();
      const failed: Control = { say: 'failed', protocol: PROTOCOL, from: this.#id, error: failureOf(error) };
      if (!signal.aborted) control.postMessage(failed);
    }
    control.close();
  }

  #serve(host: Host): void {
    this.host = host;
    host.onover = (why) => {
      this.host = undefined;
      if (why === 'outdated') this.#outdated();
      else this.#rest(true);
    };
    // Pages that died can't say that they leave; one that is just coming finds no host and asks again.
    const end = () => {
      if (host.members > 0 || this.host !== host) return;
      this.#pages.clear();
      void host.close();
    };
    host.onempty = end;
    this.#place.after(EMPTY_MS, end);
  }
}

/** How long a new host waits for its first member, in milliseconds. */
const EMPTY_MS = 15_000;
