import { describe, expect, test } from 'vitest';
import { Stage } from '../../generated/stage.js';
import { en } from '../../src/i18n/en';
import { ko } from '../../src/i18n/ko';
import type { Described, PacketView, Sessions, Topics, TriedFilter } from '../../src/stage/types';
import { clock, span } from '../../src/view/clock';
import { clientOf, kindOfEntry } from '../../src/view/Log';
import { svgText } from '../../src/view/ladder/text';
import { ladderSvg } from '../../src/view/ladder_svg';
import { brokerHalfOf, edge, HALF, linkOf, memberAfter, placesOf } from '../../src/view/map/place';
import { bitsAt, bytesOf, fieldAt, hexOf, parseHex, pretty } from '../../src/view/packet/bytes';
import { storyOf } from '../../src/view/story';
import { rangesOf, treeOf } from '../../src/view/topics/tree';
import { sentence } from '../../src/view/words';
import { RUNS, run } from './scenes';

describe('places on the map', () => {
  test('clients stand inside, apart from each other and from the broker', () => {
    for (const [width, height] of [
      [900, 560],
      [420, 400],
      [360, 640],
    ] as const) {
      for (let count = 1; count <= (width < 480 ? 4 : 8); count++) {
        const { clients, scale, broker } = placesOf(count, width, height);
        expect(clients).toHaveLength(count);
        for (const [index, spot] of clients.entries()) {
          expect(spot.x - HALF[scale].x).toBeGreaterThanOrEqual(0);
          expect(spot.x + HALF[scale].x).toBeLessThanOrEqual(width);
          expect(spot.y - HALF[scale].y).toBeGreaterThanOrEqual(0);
          expect(spot.y + HALF[scale].y).toBeLessThanOrEqual(height);
          for (const other of [...clients.slice(index + 1), broker]) {
            const apart =
              Math.abs(spot.x - other.x) >= HALF[scale].x * 2 || Math.abs(spot.y - other.y) >= HALF[scale].y * 2;
            if (width > 480) expect(apart, `${count} in ${width}×${height}`).toBe(true);
          }
        }
      }
    }
  });

  test('two hundred have a place each', () => {
    const { clients, scale } = placesOf(200, 1000, 700);
    expect(scale).toBe('dot');
    expect(new Set(clients.map(({ x, y }) => `${Math.round(x)} ${Math.round(y)}`)).size).toBe(200);
    for (const { x, y } of clients) expect(x > 0 && x < 1000 && y > 0 && y < 700).toBe(true);
  });

  test('the same scenario gives the same picture', () => {
    expect(placesOf(5, 800, 500)).toEqual(placesOf(5, 800, 500));
  });

  test('a link goes from edge to edge', () => {
    const half = brokerHalfOf(800, 2, false);
    const [from, to] = linkOf({ x: 100, y: 300 }, { x: 400, y: 300 }, 'card', half);
    expect(from).toEqual({ x: 100 + HALF.card.x, y: 300 });
    expect(to).toEqual({ x: 400 - half.x, y: 300 });
    expect(edge({ x: 5, y: 5 }, { x: 5, y: 5 }, { x: 1, y: 1 })).toEqual({ x: 5, y: 5 });
  });

  test.each([
    [900, 560],
    [360, 640],
    [1400, 500],
  ])('arrow keys reach every client and every link in %i by %i', (width, height) => {
    for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 20, 40, 200]) {
      const places = placesOf(count, width, height);
      const half = brokerHalfOf(width, 3, false);
      const links = places.clients.map((client) => {
        const [from, to] = linkOf(client, places.broker, places.scale, half);
        return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
      });
      const seen = new Set([0]);
      for (const at of seen) {
        // Of a crowd in several rings page keys have the rest.
        for (const code of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', ...(count > 40 ? ['PageDown'] : [])]) {
          const to = memberAfter(code, at, places, links);
          if (to !== undefined) seen.add(to);
        }
      }
      const missed = Array.from({ length: 2 * count + 1 }, (_, at) => at).filter((at) => !seen.has(at));
      expect(missed, `${count} clients`).toEqual([]);
      // Along a link and back.
      for (let n = 1; n <= count; n++) {
        const inward = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].filter(
          (code) => memberAfter(code, count + n, places, links) === n,
        );
        expect(inward).toHaveLength(1);
        expect(memberAfter(inward[0] ?? '', n, places, links)).toBe(0);
      }
    }
    expect(memberAfter('Tab', 0, placesOf(3, width, height), [])).toBeUndefined();
  });
});

describe('bytes', () => {
  test('what a person types is bytes, or a mistake at a place', () => {
    expect(parseHex('c0 00\n')).toEqual({ hex: 'c000' });
    expect(parseHex('C0 0g')).toEqual({ wrong: 'digit', position: 5 });
    expect(parseHex('c00')).toEqual({ wrong: 'odd' });
    expect(parseHex(' \n')).toEqual({ wrong: 'none' });
    expect(hexOf(bytesOf('00ff7f'))).toBe('00ff7f');
    expect(pretty('00'.repeat(17)).split('\n')).toEqual(['00 '.repeat(16).trim(), '00']);
  });

  test('every byte of every packet belongs to a field that holds it, and bits to a byte’s eight', () => {
    const { entries, stage } = run('qos');
    for (const { n } of storyOf(entries).flights) {
      const { fields, sent } = JSON.parse(stage.packet(n)) as PacketView;
      for (let byte = 0; byte < sent.bytes.length / 2; byte++) {
        const field = fields[fieldAt(fields, byte) ?? -1];
        expect(field && field.from <= byte && byte < field.to, `${sent.type} byte ${byte}`).toBe(true);
        expect(field?.value === 'group').toBe(false);
        const bits = bitsAt(fields, byte).flatMap((index) => {
          const [high, low] = fields[index]?.bits ?? [0, 1];
          return Array.from({ length: high - low + 1 }, (_, bit) => low + bit);
        });
        if (bits.length > 0) expect(bits.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      }
    }
  });

  test('a changed byte has the decoder’s verdict', () => {
    // PUBLISH with both QoS bits set.
    const [, error] = JSON.parse(Stage.describe(bytesOf('3606000161000100'), 5, true)) as Described;
    expect(error?.[1]).toContain('MQTT-3.3.1-4');
  });
});

describe('topics', () => {
  const { stage } = run('home');
  const topics = JSON.parse(stage.topics()) as Topics;
  const sessions = JSON.parse(stage.sessions()) as Sessions;
  const tried = (filter: string) => JSON.parse(stage.tryFilter(filter)) as TriedFilter;
  const nodes = treeOf(topics);

  test('every topic is one node, below its levels', () => {
    expect(
      nodes
        .filter(({ topic }) => topic)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(topics.map(({ topic }) => topic));
    for (const { path, level, name } of nodes) {
      expect(path.split('/')).toHaveLength(level);
      expect(path.split('/').at(-1)).toBe(name);
      if (level > 1) {
        const parent = nodes.findIndex((one) => one.path === path.split('/').slice(0, -1).join('/'));
        expect(parent).toBeGreaterThanOrEqual(0);
        expect(parent).toBeLessThan(nodes.findIndex((one) => one.path === path));
      }
    }
    expect(nodes.some(({ path, name }) => path === 'home/' && name === '')).toBe(true);
  });

  test('a range covers the rows whose topics its filter matches', () => {
    const ranges = rangesOf(nodes, sessions, tried);
    const plus = ranges.find(({ filter }) => filter === 'home/+/temperature');
    expect(plus?.kind).toBe('single');
    expect([...(plus?.rows ?? [])].map((row) => nodes[row]?.path)).toEqual([
      'home//temperature',
      'home/kitchen/temperature',
      'home/office/temperature',
      'home/restroom/temperature',
    ]);
    expect(ranges.filter(({ kind }) => kind === 'rest').map(({ filter }) => filter)).toContain('home/#');
  });
});

describe('words', () => {
  test.each([
    ['ko', ko],
    ['en', en],
  ] as const)('every entry of every scene is a sentence in %s', (language, t) => {
    const kinds = new Set<string>();
    for (const { entries, people } of RUNS) {
      for (const entry of entries) {
        const text = sentence(entry, entries, people(language), t);
        kinds.add(Object.keys(entry).at(-1) ?? '');
        expect(text, JSON.stringify(entry)).not.toMatch(/undefined|null|\[object|NaN|^$/);
        expect(text.trim()).toBe(text);
        if (language === 'ko') expect(text).toMatch(/[가-힣]/u);
        else expect(text).not.toMatch(/[가-힣]/u);
      }
    }
    expect([...kinds].sort()).toEqual(
      'broke closed command decision delivered event learned lost opened restarted sent timer told'.split(' '),
    );
  });

  test('every entry has a kind, and the client that it is about', () => {
    const { entries } = run('faults');
    for (const entry of entries) expect(Object.keys(en.view.log.kinds)).toContain(kindOfEntry(entry));
    expect(new Set(entries.map(clientOf))).toEqual(new Set(['kitchen', 'phone', 'dashboard', undefined]));
  });

  test('times and durations', () => {
    expect(clock(2_200_000)).toBe('2.200');
    expect(clock(92_600_000)).toBe('1:32.600');
    expect(clock(3_725_001_000)).toBe('1:02:05.001');
    expect(span(350_000, 'en')).toBe('350 ms');
    expect(span(1_200_000, 'en')).toBe('1.2 sec');
    expect(span(90_000_000, 'ko')).toBe('90초');
    expect(span(3_600_000_000, 'en')).toBe('60 min');
  });
});

describe('the Ladder as SVG text', () => {
  test('has an arrow for every packet and no control character, and is the same each time', () => {
    for (const { entries, people } of RUNS) {
      const svg = ladderSvg(entries, people('ko'), ko, 'ko');
      expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
      expect(svg.match(/class="arrow-hit"/g)?.length ?? 0).toBe(storyOf(entries).flights.length);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is forbidden.
      expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f]|undefined|NaN/);
      expect(ladderSvg(entries, people('ko'), ko, 'ko')).toBe(svg);
    }
  });

  test('a payload can’t break out of its text', () => {
    expect(svgText('<script>"&\u0000')).toBe('&lt;script&gt;&quot;&amp;\ufffd');
  });
});
