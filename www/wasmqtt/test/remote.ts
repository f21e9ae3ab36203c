/** What tests of bridges share: real remotes that can be ended and begun again, and what a broker tells of its bridges. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { BridgeEvent, BridgeOptions, Broker } from '../src/exports.js';
import { listen } from '../src/node.js';

/** A broker elsewhere: its WebSocket address, the same in every life. */
export interface Remote {
  readonly url: string;
  /** Ends it at once, as a crash does; what it does not store is gone. */
  kill(): Promise<void>;
  /** Begins it again. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A bridge's options in a test: Node 20 has no WebSocket. */
export const over = (url: string, options: Partial<BridgeOptions> = {}): BridgeOptions => ({
  url,
  topics: [{ filter: '#', direction: 'both' }],
  name: 'remote',
  clientIdentifier: 'page',
  redialMinMs: 50,
  redialMaxMs: 200,
  webSocket: WebSocket,
  ...options,
});

/** Every event of bridges, and a wait for one that has come or comes. */
export function bridgeEvents(broker: Broker) {
  const told: BridgeEvent[] = [];
  const looks = new Set<() => void>();
  broker.on('bridge', (event) => {
    told.push(event);
    for (const look of looks) look();
  });
  /** The next event of this type that nobody waited for yet. */
  let seen = 0;
  const next = (type: BridgeEvent['type']): Promise<BridgeEvent> =>
    new Promise((resolve) => {
      const look = () => {
        const at = told.findIndex((event, index) => index >= seen && event.type === type);
        if (at < 0) return;
        seen = at + 1;
        looks.delete(look);
        resolve(told[at] as BridgeEvent);
      };
      looks.add(look);
      look();
    });
  return { told, next };
}

/** A broker of this package behind a listener; `kill` cuts the listener, and the broker lives on. */
export async function pageRemote(broker: Broker): Promise<Remote> {
  let listening = await listen(broker, { wsPort: 0 });
  const port = listening.wsPort as number;
  return {
    url: `ws://127.0.0.1:${port}/mqtt`,
    kill: () => listening.close(),
    start: async () => {
      listening = await listen(broker, { wsPort: port });
    },
    close: () => listening.close(),
  };
}

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** How to run a program that is a broker; `ready` resolves to its address once clients can connect. */
interface Run {
  command: string;
  args: string[];
  ready(child: ChildProcess): Promise<string>;
}

/** A program that is a broker, with a folder of its own; `run` gets the address of its life before. */
async function program(run: (folder: string, before: string | undefined) => Promise<Run>): Promise<Remote> {
  const folder = await mkdtemp(join(tmpdir(), 'wasmqtt-remote-'));
  let child: ChildProcess | undefined;
  let url: string | undefined;
  const kill = async () => {
    const dying = child;
    child = undefined;
    if (dying === undefined || dying.exitCode !== null) return;
    const gone = once(dying, 'exit');
    dying.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    const { command, args, ready } = await run(folder, url);
    const begun = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child = begun;
    let said = '';
    begun.stderr.on('data', (text) => {
      said += text;
    });
    const failed = new Promise<never>((_, reject) => {
      begun.once('error', reject);
      begun.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${said}`)));
    });
    failed.catch(() => {});
    url = await Promise.race([ready(begun), failed]);
  };
  const close = async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return { url: url as unknown as string, kill, start, close };
}

/** Debian's mosquitto. */
export const mosquitto = (): Promise<Remote> =>
  program(async (folder, before) => {
    const port = before === undefined ? await freePort() : Number(new URL(before).port);
    const config = join(folder, 'mosquitto.conf');
    const lines = [`listener ${port} 127.0.0.1`, 'protocol websockets', 'allow_anonymous true', 'user root'];
    // Without a listener of another kind Debian 12's does not start.
    lines.push(`listener 0 ${join(folder, 'socket')}`);
    await writeFile(config, `${lines.join('\n')}\n`);
    return {
      // Debian has it in /usr/sbin, which is not in everybody's path.
      command: 'sh',
      args: ['-c', 'PATH=$PATH:/usr/sbin exec mosquitto -v -c "$0"', config],
      ready: ({ stderr }) =>
        new Promise((resolve) => {
          let said = '';
          stderr?.on('data', (text) => {
            said += text;
            if (/mosquitto version .* running/.test(said)) resolve(`ws://127.0.0.1:${port}/mqtt`);
          });
        }),
    };
  });

/** The server of this project: the same core under wasmtime. */
export const server = (): Promise<Remote> =>
  program(async (folder, before) => {
    const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../target', import.meta.url));
    const ready = join(folder, 'ready');
    await rm(ready, { force: true });
    return {
      command: process.env.WASMQTT_SERVER ?? join(target, 'debug/wasmqtt'),
      args: [
        ...['serve', '--allow-anonymous', '--listen', before ?? 'ws://127.0.0.1:0/mqtt'],
        ...['--ready-file', ready, '--log-level', 'error'],
      ],
      ready: async () => {
        const watcher = watch(folder);
        try {
          for (;;) {
            const changed = once(watcher, 'change');
            const [url] = (await readFile(ready, 'utf8').catch(() => '')).split('\n');
            if (url?.endsWith('/mqtt')) return url;
            await changed;
          }
        } finally {
          watcher.close();
        }
      },
    };
  });
