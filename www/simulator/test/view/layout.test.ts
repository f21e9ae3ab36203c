import { describe, expect, test } from 'vitest';
import { en } from '../../src/i18n/en';
import { arrowOf, bracketOf, cutAt, EVERYTHING } from '../../src/view/ladder/geometry';
import {
  AROUND_MAX,
  AXIS,
  columnsOf,
  fit,
  fitTopic,
  gapOf,
  Layout,
  layoutOf,
  textWidth,
} from '../../src/view/ladder/layout';
import { storyOf } from '../../src/view/story';
import { RUNS, run } from './scenes';

const filled = RUNS.filter(({ entries }) => entries.length > 0);

describe.each(filled)('the layout of $id', ({ entries, people }) => {
  const layout = layoutOf(entries);
  const story = storyOf(entries);
  const columns = columnsOf(
    people('en').map(({ id }) => id),
    1200,
  );

  test('later entries never lie above earlier moments', () => {
    for (const [index, tick] of layout.ticks.entries()) {
      const before = layout.ticks[index - 1];
      if (before) expect(tick.y).toBeGreaterThan(before.y + before.height);
    }
    for (const { n, at } of entries) {
      const tick = layout.ticks.find((one) => one.at === at);
      expect(layout.y(n)).toBeGreaterThanOrEqual(tick?.y ?? Number.NaN);
      expect(layout.y(n)).toBeLessThanOrEqual((tick?.y ?? 0) + (tick?.height ?? 0));
    }
  });

  test('a height has one time, and that time this height', () => {
    for (let y = (layout.ticks[0]?.y ?? 0) + 1; y < layout.height - 60; y += 13) {
      const at = layout.timeAt(y);
      const tick = layout.ticks.find((one) => one.at === at);
      if (tick) expect(y).toBeLessThanOrEqual(tick.y + tick.height + 1e-6);
      else expect(layout.yAt(at)).toBeCloseTo(y, 6);
    }
  });

  test('is the same whether it is laid out at once or entry by entry', () => {
    const slowly = new Layout();
    for (let size = 1; size <= entries.length; size++) slowly.extend(entries.slice(0, size));
    expect(slowly.ticks).toEqual(layout.ticks);
    for (const { n } of entries) expect(slowly.y(n)).toBe(layout.y(n));
  });

  test('whatever lies between two heights is among the entries between them', () => {
    for (let from = 0; from < layout.height; from += 97) {
      const [first, last] = layout.entriesBetween(from, from + 200);
      for (const { n } of entries) {
        const y = layout.y(n);
        if (y >= from && y <= from + 200) expect(n >= first && n <= last).toBe(true);
      }
    }
  });

  test('no two labels of one column cover each other', () => {
    const arrows = story.flights.flatMap((flight) => {
      const [column, entry] = [columns.byWho.get(flight.sent.who), entries[flight.n]];
      if (!column || !entry) return [];
      const arrow = arrowOf(flight, entry, layout, column, columns.label, EVERYTHING, entries, people('en'), en);
      return [{ who: `${flight.sent.who} ${arrow.label.x}`, y: arrow.label.y }];
    });
    for (const [index, one] of arrows.entries()) {
      for (const other of arrows.slice(index + 1)) {
        if (one.who === other.who) expect(Math.abs(one.y - other.y)).toBeGreaterThanOrEqual(12);
      }
    }
  });

  test('arrows go down, from lifeline to lifeline or to where the packet was lost', () => {
    for (const flight of story.flights) {
      const [column, entry] = [columns.byWho.get(flight.sent.who), entries[flight.n]];
      if (!column || !entry) continue;
      const { points } = arrowOf(flight, entry, layout, column, columns.label, EVERYTHING, entries, people('en'), en);
      const [begin, end] = [points[0], points.at(-1)];
      expect(begin?.x).toBe(flight.sent.toward === 'broker' ? column.x : column.broker);
      for (const [index, point] of points.entries()) {
        expect(point.y).toBeGreaterThanOrEqual(points[index - 1]?.y ?? 0);
      }
      if (flight.fate === 'delivered') expect(end?.x).toBe(flight.sent.toward === 'broker' ? column.broker : column.x);
    }
  });

  test('brackets of one sender at the same time stand beside each other', () => {
    const brackets = story.exchanges.flatMap((exchange) => {
      const column = columns.byWho.get(exchange.who);
      const bracket = column && bracketOf(exchange, layout, column, EVERYTHING, en);
      return bracket ? [{ ...bracket, who: exchange.who }] : [];
    });
    for (const [index, one] of brackets.entries()) {
      for (const other of brackets.slice(index + 1)) {
        const apart = one.x !== other.x || one.to <= other.from || other.to <= one.from;
        expect(one.who !== other.who || apart).toBe(true);
      }
    }
  });
});

test('a longer way of time is never a shorter way on the page, and only long ones are shortened', () => {
  let before = 0;
  for (let us = 1_000; us < 1e12; us *= 1.7) {
    const { gap, skipped } = gapOf(us);
    expect(gap).toBeGreaterThanOrEqual(before);
    if (us < 400_000) expect(skipped).toBe(false);
    before = gap;
  }
  expect(gapOf(300_000).gap).toBe(36);
  expect(gapOf(60_000_000).skipped).toBe(true);
});

describe('columns', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);

  test('a few stand around the broker, in their order, with room for labels', () => {
    for (let count = 1; count <= AROUND_MAX; count++) {
      for (const width of [300, 720, 1400]) {
        const { clients, brokers, width: whole, label } = columnsOf(ids(count), width);
        expect(brokers).toHaveLength(1);
        const broker = brokers[0] ?? 0;
        const all = clients.map(({ x }) => x);
        expect([...all].sort((a, b) => a - b)).toEqual(all);
        expect(Math.min(...all)).toBeGreaterThan(AXIS);
        expect(Math.max(...all, broker)).toBeLessThan(whole);
        for (const { x, side } of clients) {
          expect(side).toBe(x < broker ? 'left' : 'right');
          expect(Math.abs(x - broker)).toBeGreaterThanOrEqual(label);
        }
      }
    }
  });

  test('many have a broker’s lifeline each, which no other client’s arrow crosses', () => {
    const { clients } = columnsOf(ids(200), 1000);
    for (const [index, { x, broker }] of clients.entries()) {
      expect(broker).toBeGreaterThan(clients[index - 1]?.x ?? AXIS);
      expect(x).toBeGreaterThan(broker + 100);
    }
  });
});

test('half of a line is cut at half of its length', () => {
  const line = [
    { x: 0, y: 0 },
    { x: 30, y: 0 },
    { x: 30, y: 10 },
  ];
  expect(cutAt(line, 0.5)).toEqual([
    { x: 0, y: 0 },
    { x: 20, y: 0 },
  ]);
  expect(cutAt(line, 0.875)).toEqual([
    { x: 0, y: 0 },
    { x: 30, y: 0 },
    { x: 30, y: 5 },
  ]);
  expect(cutAt(line, 1)).toBe(line);
});

test('texts are shortened to fit: at the end, and topics at the beginning', () => {
  for (const width of [10, 40, 80, 400]) {
    for (const text of ['kitchen network is dead!', '주방 네트워크가 죽었어요', '21', '']) {
      expect(textWidth(fit(text, width))).toBeLessThanOrEqual(Math.max(width, 0) + 1e-9);
    }
  }
  expect(fitTopic('home/kitchen/temperature', 1000)).toBe('home/kitchen/temperature');
  expect(fitTopic('home/kitchen/temperature', 110)).toBe('…/temperature');
});

test('what has not happened yet is drawn as that', () => {
  const { entries, people } = run('first');
  const story = storyOf(entries);
  const layout = layoutOf(entries);
  const publish = story.flights.find(({ sent }) => sent.type === 'PUBLISH');
  const column = columnsOf(['kitchen', 'phone'], 800).byWho.get('kitchen');
  const entry = publish && entries[publish.n];
  if (!publish || !column || !entry) throw new Error('the scene has a PUBLISH');
  const at = (now: { entries: number; at: number }) =>
    arrowOf(publish, entry, layout, column, 200, now, entries, people('en'), en);
  expect(at({ entries: publish.n, at: publish.at }).state).toBe('future');
  expect(at({ entries: publish.n + 1, at: publish.at + 75_000 })).toMatchObject({ state: 'flying', part: 0.25 });
  expect(at({ entries: publish.end + 1, at: publish.endAt })).toMatchObject({ state: 'past', part: 1 });
});
