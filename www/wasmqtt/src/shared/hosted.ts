/** For now: a broker from the core's parts, until `Broker` is there. */
import init, { Core } from '../../generated/wasmqtt.js';
import { Engine } from '../engine.js';
import { Journal } from '../storage/journal.js';
import { openStorage, type StorageOptions } from '../storage/open.js';
import type { Hosted } from './host.js';

export interface HostedOptions extends Pick<StorageOptions, 'durability' | 'persist'> {
  storage?: string;
  wasm?: string;
}

export async function makeHosted(options: HostedOptions, signal?: AbortSignal): Promise<Hosted> {
  await init({ module_or_path: options.wasm ?? '/wasmqtt_bg.wasm' });
  const storage = options.storage ?? 'memory:';
  const opened = await openStorage(storage, { ...options, wait: true, ...(signal ? { signal } : {}) });
  const seed = crypto.getRandomValues(new Uint8Array(16));
  const core = opened
    ? Core.restore({ storage: 'Log' }, seed, Float64Array.from(opened.log.lsns), opened.log.records)
    : new Core({}, seed);
  let journal: Journal | undefined;
  const watchers = new Set<(value: unknown) => void>();
  let timeout: ReturnType<typeof setTimeout> | undefined;
  const clock = {
    now: () => Date.now() * 1000,
    wake: (at: number | undefined, call: () => void) => {
      clearTimeout(timeout);
      if (at !== undefined) timeout = setTimeout(call, Math.max(0, Math.min((at - Date.now() * 1000) / 1000, 2 ** 30)));
    },
  };
  const replies: ((reply: unknown) => void)[] = [];
  const listener = {
    output: (output: { [name: string]: unknown }) => {
      if (output.Reply) replies.shift()?.((output.Reply as { reply: unknown }).reply);
    },
    append: (lsns: number[], records: Uint8Array[]) => journal?.append(lsns, records),
  };
  const channel = new MessageChannel();
  const tasks: (() => void)[] = [];
  channel.port1.onmessage = () => tasks.shift()?.();
  const engine = new Engine(core, clock, listener, (task) => {
    tasks.push(task);
    channel.port2.postMessage(null);
  });
  if (opened) {
    const source = {
      settle: () => engine.run(),
      records: () => core.records() as Uint8Array[],
      stored: (upto: number) => engine.input({ Stored: { upto } }),
      failed: (from: number) => engine.input({ StoreFailed: { from } }),
    };
    journal = new Journal(opened.store, opened.log, source, (event) => {
      for (const tell of watchers) tell(event);
    });
  }
  engine.input('Tick');
  return {
    storage,
    connect(link, credit) {
      const id = engine.open({ deliver: (b) => link.deliver(b), close: () => link.close(true) }, true, 'tab', credit);
      return {
        received: (bytes) => engine.received(id, bytes),
        taken: (bytes) => engine.taken(id, bytes),
        gone: () => engine.gone(id),
      };
    },
    call: async (name) =>
      name === 'count'
        ? new Promise((resolve) => {
            replies.push(resolve);
            engine.input({ Command: { id: 1, command: 'Count' } });
          })
        : undefined,
    watch(_, tell) {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    async close() {
      await journal?.close();
      engine.close();
      await opened?.release();
    },
  };
}
