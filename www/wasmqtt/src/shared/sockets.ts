/**
 * The ways into a shared broker from a page: sockets that look like WebSockets, and ports. They are those of `Broker`;
 * only what carries their bytes is another.
 */
import type { Link, LinkId } from '../engine.js';
import type { PortEngine } from '../port.js';
import { agree, type Carried, type Carrier } from '../socket.js';
import type { Far, Near } from './member.js';

/** Opens connections; `Member` does. */
export interface Opener {
  open(far: Far): Near;
}

/** How to connect. */
export interface ConnectOptions {
  /** Whether sockets without a subprotocol are let in. */
  allowNone: boolean;
  /** Calls back after this many milliseconds; the function that comes back takes it back. */
  after(ms: number, call: () => void): () => void;
  /** How long a socket waits for a host, in milliseconds. */
  timeoutMs: number;
  /** Runs a task soon. */
  later(task: () => void): void;
}

/** Connects a socket. It is cut if no host comes in time. */
export function connectSocket(
  opener: Opener,
  socket: Carried,
  wanted: readonly string[],
  options: ConnectOptions,
): Carrier {
  const protocol = agree(wanted, options.allowNone);
  let near: Near | undefined;
  let buffered = 0;
  let over = false;
  const end = (code: number, clean: boolean) => {
    if (over) return;
    over = true;
    cancel();
    socket.closed(code, '', clean);
  };
  const cancel = options.after(options.timeoutMs, () => {
    near?.close();
    end(1006, false);
  });
  // In a later task: nobody has had time to attach a handler before.
  options.later(() => {
    if (over) return;
    if (protocol === undefined) return end(1006, false);
    near = opener.open({
      opened: () => {
        cancel();
        socket.open(protocol);
      },
      deliver: (bytes) => {
        const { length } = bytes;
        socket.message(bytes);
        near?.took(length);
      },
      taken: (bytes) => {
        buffered -= bytes;
      },
      closed: (clean) => end(clean ? 1000 : 1006, clean),
    });
  });
  return {
    send: (bytes) => {
      if (over) return;
      buffered += bytes.length;
      near?.send(bytes.slice());
    },
    buffered: () => buffered,
    end: () => {
      over = true;
      cancel();
      near?.close();
    },
  };
}

/** What serves a port, with the host's broker behind it. */
export function portEngine(opener: Opener): PortEngine {
  const open = new Map<number, { near: Near; counts: boolean; unread: number }>();
  let numbers = 0;
  return {
    open(link: Link, _local: boolean, _address: string, creditBytes: number): LinkId {
      const slot = ++numbers;
      const near = opener.open({
        opened() {},
        deliver: (bytes) => {
          const { length } = bytes;
          link.deliver(bytes);
          // Who does not say what it took is taken to have it.
          if (open.get(slot)?.counts !== true) near.took(length);
        },
        taken: (bytes) => {
          const state = open.get(slot);
          if (state === undefined) return;
          state.unread -= bytes;
          if (state.unread === 0) link.resumed?.();
        },
        closed: (clean) => {
          open.delete(slot);
          if (clean) link.close();
          else link.cut?.();
        },
      });
      open.set(slot, { near, counts: creditBytes !== Number.MAX_SAFE_INTEGER, unread: 0 });
      return { slot, generation: 0 };
    },
    received: ({ slot }, bytes) => {
      const state = open.get(slot);
      if (state === undefined) return;
      state.unread += bytes.length;
      state.near.send(bytes.slice() as Uint8Array<ArrayBuffer>);
    },
    unreadBytes: ({ slot }) => open.get(slot)?.unread ?? 0,
    taken: ({ slot }, bytes) => open.get(slot)?.near.took(bytes),
    limit: ({ slot }) => {
      const state = open.get(slot);
      if (state !== undefined) state.counts = true;
    },
    gone: ({ slot }) => {
      open.get(slot)?.near.close();
      open.delete(slot);
    },
  };
}
