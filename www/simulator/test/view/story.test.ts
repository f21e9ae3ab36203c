import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/stage/types';
import { flyingAt, progressOf } from '../../src/view/map/flying';
import { NOT_YET, Story, storyOf } from '../../src/view/story';
import { RUNS, run } from './scenes';

describe.each(RUNS)('the story of $id', ({ entries }) => {
  const story = storyOf(entries);

  test('every packet has the end that the log says', () => {
    const ends = new Map<number, Entry>();
    for (const entry of entries) {
      if ('delivered' in entry) ends.set(entry.delivered.packet, entry);
      if ('lost' in entry) ends.set(entry.lost.packet, entry);
    }
    const sent = entries.filter((entry) => 'sent' in entry);
    expect(story.flights.map(({ n }) => n)).toEqual(sent.map(({ n }) => n));
    for (const flight of story.flights) {
      expect(flight.end).toBe(ends.get(flight.n)?.n ?? NOT_YET);
      expect(story.byEntry.get(flight.end)).toBe(flight.end === NOT_YET ? undefined : flight);
    }
  });

  test('is the same whether it is told at once or entry by entry', () => {
    const slowly = new Story();
    for (let size = 1; size <= entries.length; size++) slowly.tell(entries.slice(0, size));
    for (const part of ['flights', 'exchanges', 'marks', 'restarts', 'told', 'published', 'spans'] as const) {
      expect(slowly[part]).toEqual(story[part]);
    }
  });

  test('what flies at a time is what was sent and has no end yet', () => {
    for (const { at, n } of entries) {
      for (const time of [at, at + 70_000]) {
        const truth = story.flights.filter((one) => one.n <= n && one.at <= time && one.endAt > time);
        expect(flyingAt(story, time, n + 1, time)).toEqual(truth);
        for (const flight of truth) {
          const part = progressOf(flight, time);
          expect(part).toBeGreaterThanOrEqual(0);
          expect(part).toBeLessThanOrEqual(1);
        }
      }
    }
  });

  test('what lies between two entries is what begins before the one and ends after the other', () => {
    for (let from = 0; from < entries.length; from += 7) {
      const to = Math.min(entries.length - 1, from + 20);
      const truth = story.flights.filter(({ n, end }) => n <= to && end >= from);
      expect(story.flightsBetween(from, to).sort((a, b) => a.n - b.n)).toEqual(truth);
    }
  });

  test('a Session’s bar holds its connections, and bars of one kind don’t overlap', () => {
    for (const spans of story.spans.values()) {
      for (const span of spans) {
        expect(span.to).toBeGreaterThan(span.from);
        for (const part of span.connected) {
          expect(part.from).toBeGreaterThanOrEqual(span.from);
          expect(part.to).toBeLessThanOrEqual(span.to);
        }
      }
      for (const kind of ['link', 'session', 'frozen', 'half_open'] as const) {
        const ofKind = spans.filter((span) => span.kind === kind);
        for (const [index, span] of ofKind.entries()) {
          expect(span.from).toBeGreaterThanOrEqual(ofKind[index - 1]?.to ?? 0);
        }
      }
    }
  });
});

test('each QoS has its exchange: none, up to PUBACK, up to PUBCOMP', () => {
  const { entries } = run('qos');
  const story = storyOf(entries);
  const last = (n: number) => {
    const entry = entries[n];
    return entry && 'delivered' in entry ? entry.delivered.type : undefined;
  };
  const said = story.exchanges.map(({ sender, qos, to, done }) => [sender, qos, last(to), done]);
  expect(said).toEqual([
    ['client', 1, 'PUBACK', true],
    ['broker', 1, 'PUBACK', true],
    ['client', 2, 'PUBCOMP', true],
    ['broker', 2, 'PUBCOMP', true],
  ]);
});

test('a message that is sent again goes on with its exchange, and a cut is marked on its client', () => {
  const { entries } = run('faults');
  const story = storyOf(entries);
  const again = story.flights.filter((flight) => flight.again);
  expect(again.map(({ sent }) => [sent.who, sent.payload, sent.dup])).toEqual([['phone', '21', true]]);
  const exchange = story.exchanges.find(({ from }) => {
    const entry = entries[from];
    return entry && 'sent' in entry && entry.sent.who === 'phone' && entry.sent.payload === '21';
  });
  expect(exchange?.from).toBeLessThan(again[0]?.n ?? 0);
  expect(exchange?.to).toBeGreaterThan(again[0]?.n ?? 0);
  expect(story.marks.find(({ kind }) => kind === 'cut')?.who).toBe('phone');
});

test('a Will is known by its cause, and a plain message is none', () => {
  const wills = storyOf(run('faults').entries).flights.filter(({ will }) => will);
  expect(wills.map(({ sent }) => [sent.who, sent.topic])).toEqual([['phone', 'home/kitchen/will']]);
  expect(storyOf(run('qos').entries).flights.some(({ will }) => will)).toBe(false);
});

test('a Session outlives its connection, and a restart with storage', () => {
  const story = storyOf(run('faults').entries);
  const session = story.spans.get('phone')?.filter(({ kind }) => kind === 'session') ?? [];
  expect(session).toHaveLength(1);
  expect(session[0]?.connected.length).toBeGreaterThan(1);
  expect(story.restarts).toHaveLength(1);
});
