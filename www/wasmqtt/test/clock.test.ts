/** Time: the clock that a real machine has, which sleeps, and what clients are spared after that. */
import { afterEach, expect, test, vi } from 'vitest';
import { RealClock } from '../src/clock.js';
import { create, next, publish } from './core.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A machine whose clocks and timer move when the test says so. */
function machine() {
  const at = { wall: 1_000_000, steady: 0 };
  let timer: { call: () => void; ms: number } | undefined;
  const clock = new RealClock({
    wall: () => at.wall,
    steady: () => at.steady,
    setTimeout: (call, ms) => {
      timer = { call, ms };
      return timer;
    },
    clearTimeout: (given) => {
      if (timer === given) timer = undefined;
    },
  });
  const pass = (ms: number, steadyMs = ms) => {
    at.wall += ms;
    at.steady += steadyMs;
  };
  const ring = () => {
    const { call } = timer as { call: () => void };
    timer = undefined;
    call();
  };
  return { clock, at, pass, ring, waits: () => timer?.ms };
}

test('the clock counts microseconds and never goes back', () => {
  const { clock, at, pass } = machine();
  expect(clock.now()).toBe(1_000_000_000);
  pass(0.25);
  expect(clock.now()).toBe(1_000_000_250);
  at.wall -= 500_000;
  expect(clock.now()).toBe(1_000_000_250);
  pass(1);
  expect(clock.now()).toBe(1_000_001_250);
});

test('a sleep that the steady clock did not count is counted once', () => {
  const { clock, pass } = machine();
  pass(3_600_000, 0);
  expect(clock.now()).toBe(1_000_000_000 + 3_600_000_000);
  expect(clock.slept()).toBe(3_600_000_000);
  expect(clock.now()).toBe(1_000_000_000 + 3_600_000_000);
  expect(clock.slept()).toBe(0);
});

test('a sleep that it did count is known by a look that came too late', () => {
  const { clock, pass, ring, waits } = machine();
  const due = vi.fn();
  clock.wake(clock.now() + 2_000_000, due);
  expect(waits()).toBe(2_000);
  pass(3_602_000);
  ring();
  expect(due).toHaveBeenCalledOnce();
  expect(clock.slept()).toBe(3_600_000_000);
  expect(clock.now()).toBe(1_000_000_000 + 3_602_000_000);
});

test('a timer that is a little late is no sleep', () => {
  const { clock, pass, ring } = machine();
  clock.wake(clock.now() + 1_000_000, () => {});
  pass(5_900);
  ring();
  expect(clock.slept()).toBe(0);
});

test('one timer serves until something is due earlier; what is overdue is no sleep', () => {
  const { clock, waits, pass, ring } = machine();
  const calls: string[] = [];
  clock.wake(clock.now() + 60_000_000, () => calls.push('far'));
  expect(waits()).toBe(10_000);
  clock.wake(clock.now() + 3_000_000, () => calls.push('near'));
  expect(waits()).toBe(3_000);
  clock.wake(clock.now() + 60_000_000, () => calls.push('far again'));
  expect(waits()).toBe(3_000);
  pass(3_000);
  ring();
  expect(calls).toEqual(['far again']);
  clock.wake(clock.now() - 60_000_000, () => calls.push('overdue'));
  expect(waits()).toBe(0);
  clock.now();
  expect(clock.slept()).toBe(0);
  clock.wake(undefined, () => {});
  expect(waits()).toBeUndefined();
});

test.each([
  ['only the wall clock went on', 0],
  ['both clocks went on', 3_600_000],
])('after a sleep the first message finds no client late: %s', async (_, steadyMs) => {
  const broker = await create();
  const heard: string[] = [];
  await broker.subscribe('#', ({ topic }) => heard.push(topic));
  const sockets = [broker.websocket(), broker.websocket()] as const;
  for (const [at, letter] of [97, 98].entries()) {
    const socket = sockets[at] as (typeof sockets)[0];
    await next(socket, 'open');
    // MQTT 3.1.1, Will at QoS 0 to "w", Keep Alive 10 s.
    const will = [0, 1, 0x77, 0, 1, 0x21];
    socket.send(new Uint8Array([0x10, 19, 0, 4, 77, 81, 84, 84, 4, 0b110, 0, 10, 0, 1, letter, ...will]));
  }
  await broker.idle();
  const [wall, steady] = [Date.now, performance.now.bind(performance)];
  let [wallMs, steadyGapMs] = [3_600_000, steadyMs];
  vi.spyOn(Date, 'now').mockImplementation(() => wall() + wallMs);
  vi.spyOn(performance, 'now').mockImplementation(() => steady() + steadyGapMs);
  // No timer rang yet: what wakes the broker is a packet.
  sockets[0].send(publish(1));
  await broker.idle();
  expect(heard).toEqual(['t']);
  expect(broker.now()).toBeGreaterThan(wall() + 3_599_000);
  expect(broker.inspect().sessions.filter((session) => session.connected)).toHaveLength(3);
  // A period later it is the client's own fault, though the tab was busy and looked late.
  for (let look = 0; look < 4; look += 1) {
    wallMs += 4_000;
    steadyGapMs += 4_000;
    sockets[0].send(publish(2));
    await broker.idle();
  }
  expect(broker.inspect('b')).toBeUndefined();
  expect(heard.filter((topic) => topic === 'w')).toHaveLength(1);
});

test('clients in the page may have a grace, those of the network have none', async () => {
  const broker = await create({ clock: 'manual', keepAliveGraceS: 60 });
  const gone: string[] = [];
  broker.on('connection', (event) => event.type === 'disconnected' && gone.push(event.clientIdentifier));
  // MQTT 3.1.1, Clean Session, Keep Alive 10 s.
  const connect = (letter: string) =>
    new Uint8Array([0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 10, 0, 1, letter.charCodeAt(0)]);
  const socket = broker.websocket();
  await next(socket, 'open');
  socket.send(connect('p'));
  const network = broker.link({ deliver() {}, close() {} }, { local: false });
  network.received(connect('n'));
  await broker.idle();
  await broker.advance(14_999);
  expect(gone).toEqual([]);
  await broker.advance(1);
  expect(gone).toEqual(['n']);
  await broker.advance(59_999);
  expect(gone).toEqual(['n']);
  await broker.advance(1);
  expect(gone).toEqual(['n', 'p']);
});
