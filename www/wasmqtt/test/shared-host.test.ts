/** Hosts and members in one process: who is host, who is gone, what is kept apart. The broker is an echo. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { campaign, type Host, type Hosted } from '../src/shared/host.js';
import { Member, type Near } from '../src/shared/member.js';
import { Origin } from './fakes/origin.js';

/** A broker that sends back what it gets, and writes down who comes and goes. */
class Echo implements Hosted {
  storage = 'memory:';
  log: string[] = [];
  /** What the broker has not taken yet, of each connection. */
  unread = 0;
  resume: (() => void)[] = [];
  watched: Map<string, (value: unknown) => void> = new Map();
  cut: (() => void)[] = [];
  /** Its store is taken away. */
  lose: () => void = () => {};
  lost = new Promise<void>((resolve) => {
    this.lose = resolve;
  });
  #count = 0;

  connect(link: Parameters<Hosted['connect']>[0]) {
    const number = ++this.#count;
    this.log.push(`open ${number}`);
    this.cut.push(() => link.close(true));
    this.resume.push(() => link.resumed());
    return {
      received: (bytes: Uint8Array) => link.deliver(bytes.slice()),
      unread: () => this.unread,
      taken: (bytes: number) => void this.log.push(`taken ${number} ${bytes}`),
      gone: () => void this.log.push(`gone ${number}`),
    };
  }
  async call(name: string, args: unknown[]) {
    if (name === 'fail') throw new TypeError('no');
    return [name, ...args];
  }
  watch(event: string, tell: (value: unknown) => void) {
    if (event === 'none') throw new TypeError('there is no such event');
    this.watched.set(event, tell);
    return () => this.watched.delete(event);
  }
  async close() {
    this.log.push('close');
  }
}

/** A page's connection, and what it heard. */
class Socket {
  heard: string[] = [];
  near: Near;
  constructor(member: Member) {
    this.near = member.open({
      opened: () => this.heard.push('open'),
      deliver: (bytes) => this.heard.push(`data ${[...bytes]}`),
      taken: (bytes) => this.heard.push(`taken ${bytes}`),
      closed: (clean) => this.heard.push(clean ? 'closed' : 'cut'),
    });
  }
}

describe('hosts and members', () => {
  let origin: Origin;
  beforeEach(() => {
    origin = new Origin();
  });

  interface Tab {
    member: Member;
    echo: Echo;
    host: Host | undefined;
    heard: string[];
    withdraw: AbortController;
  }

  function tab(owner: string, { candidate = true, protocol = 1, locks = true } = {}): Tab {
    const place = origin.place(owner, locks);
    const withdraw = new AbortController();
    const tab: Tab = { echo: new Echo(), host: undefined, heard: [], withdraw, member: undefined as unknown as Member };
    const options = { name: 'home', id: owner, protocol };
    tab.member = new Member(
      place,
      { ...options, heartbeatMs: 5000, direct: async () => undefined },
      {
        joined: (epoch, mode, host) => tab.heard.push(`joined ${epoch} ${mode} ${host}`),
        left: (host) => tab.heard.push(`left ${host}`),
        failed: (error) => tab.heard.push(`failed ${error.message}`),
        outdated: () => {
          tab.heard.push('outdated');
          withdraw.abort();
        },
        event: (name, value) => tab.heard.push(`event ${name} ${value}`),
      },
    );
    if (candidate) {
      const make = async () => tab.echo;
      campaign(place, { ...options, mode: 'tab', make, signal: withdraw.signal }).then(
        (host) => {
          tab.host = host;
        },
        () => {},
      );
    }
    return tab;
  }

  test('the first candidate is host; all others use it', async () => {
    const [a, b, c] = [tab('a'), tab('b'), tab('c', { candidate: false })];
    await origin.settle();
    expect([a, b, c].map(({ host }) => host?.epoch)).toEqual([1, undefined, undefined]);
    for (const { heard } of [a, b, c]) expect(heard).toEqual(['joined 1 tab a']);
  });

  test('bytes go both ways and are counted', async () => {
    const [a, b] = [tab('a'), tab('b')];
    const early = new Socket(b.member);
    early.near.send(Uint8Array.of(1, 2));
    await origin.settle();
    early.near.send(Uint8Array.of(3));
    early.near.took(2);
    await origin.settle();
    expect(early.heard).toEqual(['open', 'data 1,2', 'taken 2', 'data 3', 'taken 1']);
    expect(a.echo.log).toEqual(['open 1', 'taken 1 2']);
    a.echo.cut[0]?.();
    await origin.settle();
    expect(early.heard.at(-1)).toBe('closed');
    new Socket(b.member).near.close();
    await origin.settle();
    expect(a.echo.log.slice(2)).toEqual(['open 2', 'gone 2']);
  });

  test('a sender never has more than its credit under way', async () => {
    const [a, b] = [tab('a'), tab('b')];
    await origin.settle();
    const socket = new Socket(b.member);
    await origin.settle();
    origin.freeze('a');
    const before = origin.dataBytes;
    for (let n = 0; n < 40; n += 1) socket.near.send(new Uint8Array(64 << 10));
    await origin.settle();
    expect(origin.dataBytes - before).toBe(1 << 20);
    expect(socket.heard).toEqual(['open']);
    expect(a.echo.log).toEqual(['open 1']);
  });

  test('what the broker does not want yet counts against the sender', async () => {
    const [a, b] = [tab('a'), tab('b')];
    await origin.settle();
    const socket = new Socket(b.member);
    await origin.settle();
    a.echo.unread = 3;
    socket.near.send(Uint8Array.of(1));
    socket.near.send(Uint8Array.of(2, 3));
    await origin.settle();
    expect(socket.heard.filter((line) => line.startsWith('taken'))).toEqual([]);
    a.echo.resume[0]?.();
    await origin.settle();
    expect(socket.heard.filter((line) => line.startsWith('taken'))).toEqual(['taken 3']);
  });

  test('when a tab dies its connections are gone', async () => {
    const [a, b, c] = [tab('a'), tab('b'), tab('c')];
    await origin.settle();
    new Socket(b.member);
    new Socket(b.member);
    const other = new Socket(c.member);
    await origin.settle();
    origin.kill('b');
    await origin.settle();
    expect(a.echo.log.filter((line) => line.startsWith('gone'))).toEqual(['gone 1', 'gone 2']);
    expect(other.heard).toEqual(['open']);
  });

  test('when the host dies every connection is cut, and the next candidate is host in the next epoch', async () => {
    const tabs = [tab('a'), tab('b'), tab('c')];
    const [a, b, c] = tabs as [Tab, Tab, Tab];
    await origin.settle();
    const socket = new Socket(c.member);
    await origin.settle();
    origin.kill('a');
    await origin.settle();
    expect(socket.heard).toEqual(['open', 'cut']);
    expect(b.host?.epoch).toBe(2);
    expect(c.heard).toEqual(['joined 1 tab a', 'left a', 'joined 2 tab b']);
    const again = new Socket(c.member);
    again.near.send(Uint8Array.of(9));
    await origin.settle();
    expect(again.heard).toEqual(['open', 'data 9', 'taken 1']);
    origin.kill('b');
    await origin.settle();
    expect(c.host?.epoch).toBe(3);
    expect(a.heard).toEqual(['joined 1 tab a']);
  });

  test('a connection that is opened while nobody is host waits for the next one', async () => {
    const [, b] = [tab('a'), tab('b', { candidate: false })];
    await origin.settle();
    origin.kill('a');
    await origin.settle();
    const socket = new Socket(b.member);
    socket.near.send(Uint8Array.of(7));
    await origin.settle();
    expect(socket.heard).toEqual([]);
    tab('c');
    await origin.settle();
    expect(socket.heard).toEqual(['open', 'data 7', 'taken 1']);
  });

  test('a host that ends says so, and its broker is closed before the next begins', async () => {
    const [a, b] = [tab('a'), tab('b')];
    await origin.settle();
    const socket = new Socket(b.member);
    await origin.settle();
    await a.host?.close();
    expect(a.echo.log.at(-1)).toBe('close');
    await origin.settle();
    expect(socket.heard).toEqual(['open', 'cut']);
    expect(b.host?.epoch).toBe(2);
  });

  test('a host whose broker lost its store makes room for the next', async () => {
    const [a, b] = [tab('a'), tab('b')];
    await origin.settle();
    const socket = new Socket(b.member);
    await origin.settle();
    a.echo.lose();
    await origin.settle();
    expect(a.echo.log.at(-1)).toBe('close');
    expect(socket.heard).toEqual(['open', 'cut']);
    expect(b.host?.epoch).toBe(2);
  });

  test('a member that leaves cuts its connections at once', async () => {
    const [a, b] = [tab('a'), tab('b')];
    await origin.settle();
    const socket = new Socket(b.member);
    await origin.settle();
    b.member.close();
    await origin.settle();
    expect(socket.heard).toEqual(['open', 'cut']);
    expect(a.echo.log).toEqual(['open 1', 'gone 1']);
    // A client that tries again after that is cut, and waits for nobody.
    const late = new Socket(b.member);
    late.near.send(Uint8Array.of(1));
    await origin.settle();
    expect(late.heard).toEqual(['cut']);
  });

  test('calls and events', async () => {
    const [a, b] = [tab('a'), tab('b')];
    await expect(b.member.call('inspect', [])).rejects.toMatchObject({ code: 'moved' });
    b.member.watch('storage');
    await origin.settle();
    const called = b.member.call('inspect', [1, 'two']);
    const failed = b.member.call('fail', []);
    failed.catch(() => {});
    await origin.settle();
    expect(await called).toEqual(['inspect', 1, 'two']);
    await expect(failed).rejects.toBeInstanceOf(TypeError);
    await expect(failed).rejects.toThrow(/^no$/);
    a.echo.watched.get('storage')?.('full');
    await origin.settle();
    expect(b.heard).toContain('event storage full');
    const late = b.member.call('inspect', []);
    late.catch(() => {});
    origin.kill('a');
    await origin.settle();
    await expect(late).rejects.toMatchObject({ code: 'moved' });
    b.echo.watched.get('storage')?.('again');
    await origin.settle();
    expect(b.heard).toContain('event storage again');
  });

  test('what a host can not do loses nothing that comes behind it', async () => {
    const report = vi.fn();
    vi.stubGlobal('reportError', report);
    const [, b] = [tab('a'), tab('b')];
    await origin.settle();
    // In one batch.
    b.member.watch('none');
    const socket = new Socket(b.member);
    socket.near.send(Uint8Array.of(1));
    await origin.settle();
    expect(socket.heard).toEqual(['open', 'data 1', 'taken 1']);
    expect(report).toHaveBeenCalledWith(new TypeError('there is no such event'));
    vi.unstubAllGlobals();
  });

  test('a newer build takes over from an older one, which never mixes with it', async () => {
    const [old, other] = [tab('old'), tab('other')];
    await origin.settle();
    const socket = new Socket(other.member);
    await origin.settle();
    const newer = tab('newer', { protocol: 2 });
    await origin.settle();
    // Nobody is left who knows an epoch of the older build, so they begin again.
    expect(newer.heard).toEqual(['joined 1 tab newer']);
    expect(newer.host).toBeDefined();
    expect(old.echo.log.at(-1)).toBe('close');
    expect(old.heard.at(-1)).toBe('outdated');
    expect(other.heard.at(-1)).toBe('outdated');
    expect(socket.heard).toEqual(['open', 'cut']);
    const late = tab('late', { candidate: false });
    await origin.settle();
    expect(late.heard).toEqual(['outdated']);
    expect(other.host).toBeUndefined();
  });

  describe('without locks', () => {
    test('a silent member is gone after the heartbeat, one that answers is not', async () => {
      const a = tab('a', { locks: false });
      const [b, c] = [tab('b', { candidate: false, locks: false }), tab('c', { candidate: false, locks: false })];
      await origin.settle();
      new Socket(b.member);
      const other = new Socket(c.member);
      await origin.pass(60_000);
      expect(a.echo.log).toEqual(['open 1', 'open 2']);
      origin.freeze('b');
      await origin.pass(10_000);
      expect(a.echo.log).toEqual(['open 1', 'open 2', 'gone 1']);
      expect(other.heard).toEqual(['open']);
    });

    test('a member that was taken for dead is cut when it wakes, and comes back', async () => {
      const a = tab('a', { locks: false });
      const b = tab('b', { candidate: false, locks: false });
      await origin.settle();
      const socket = new Socket(b.member);
      await origin.settle();
      origin.freeze('b');
      await origin.pass(2_000);
      origin.thaw('b');
      await origin.pass(10_000);
      expect(socket.heard).toEqual(['open']);
      origin.freeze('b');
      await origin.pass(8_000);
      expect(a.echo.log).toEqual(['open 1', 'gone 1']);
      origin.thaw('b');
      await origin.pass(20_000);
      expect(socket.heard).toEqual(['open', 'cut']);
      const again = new Socket(b.member);
      again.near.send(Uint8Array.of(1));
      await origin.settle();
      expect(again.heard).toEqual(['open', 'data 1', 'taken 1']);
    });

    test('a silent host is gone', async () => {
      tab('a', { locks: false });
      const b = tab('b', { candidate: false, locks: false });
      await origin.settle();
      const socket = new Socket(b.member);
      await origin.settle();
      origin.kill('a');
      await origin.pass(10_000);
      expect(socket.heard).toEqual(['open', 'cut']);
      expect(b.heard.at(-1)).toBe('left a');
    });
  });
});
