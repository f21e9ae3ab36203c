import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { scenarioProblem } from '../src/app/scenario-problem';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';
import { LESSONS } from '../src/lessons/index';
import { Model } from '../src/stage/model';
import { decodeLink, encodeLink, LINK_BYTES_MAX, LinkError } from '../src/stage/permalink';
import { realStage } from './stage';

beforeAll(realStage);

const fault = async (link: string): Promise<unknown> =>
  decodeLink(link).then(
    () => 'it can be read',
    (error: unknown) => (error instanceof LinkError ? error.fault : error),
  );

describe('links', () => {
  test.each(['', '{}', '{"v":1,"clients":[]}', '{"v":1,"clients":[{"id":"주방"}]}', '€'.repeat(1000)])(
    '%s and back',
    async (text) => {
      const link = await encodeLink(text);
      expect(link).toMatch(/^1\.[A-Za-z0-9_-]*$/);
      expect(await decodeLink(link)).toBe(text);
    },
  );

  test('every lesson is a link that programs take', async () => {
    for (const { scenario, check } of LESSONS) {
      const link = await encodeLink(JSON.stringify({ ...scenario, goal: check }));
      expect(link.length).toBeLessThan(LINK_BYTES_MAX);
    }
  });

  // Never change these: they were given out. A new version adds links of its own.
  const kept: readonly { link: string; entries: number; clients: readonly string[] }[] = JSON.parse(
    readFileSync(new URL('permalinks.json', import.meta.url), 'utf8'),
  );
  test.each(kept)('old link $link', async ({ link, entries, clients }) => {
    const model = new Model(await decodeLink(link));
    model.runUntil(10_000_000);
    expect(model.sessions.value.clients.map(({ who }) => who)).toEqual(clients);
    expect(model.playhead.value.entries).toBe(entries);
  });
});

describe('broken links', () => {
  test.each(['', 'hello', 'x.y', '.abc', '1', '12345678901.abc'])('%s is none', async (link) => {
    expect(await fault(link)).toEqual({ kind: 'not_a_link' });
  });

  test('one of a later version', async () => {
    expect(await fault('2.abc')).toEqual({ kind: 'version', found: '2', known: '1' });
  });

  test('one that was cut anywhere, or changed, says where it ends', async () => {
    const link = await encodeLink(JSON.stringify(LESSONS[7]?.scenario));
    for (let end = 2; end < link.length; end += 7) {
      expect(await fault(link.slice(0, end))).toEqual({ kind: 'cut_off', position: end });
    }
    expect(await fault(`${link.slice(0, 40)} ${link.slice(40)}`)).toEqual({ kind: 'cut_off', position: 41 });
  });

  test('one that unpacks to more than any scenario', async () => {
    const link = await encodeLink('x'.repeat(1_000_000));
    expect(link.length).toBeLessThan(2000);
    expect(await decodeLink(link)).toHaveLength(1_000_000);
    // Two mebibytes of the same letter.
    const bytes = new TextEncoder().encode('x'.repeat(2 << 20));
    const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const text = Buffer.from(await new Response(packed).arrayBuffer()).toString('base64url');
    expect(await fault(`1.${text}`)).toEqual({ kind: 'too_large' });
  });
});

describe('what is wrong is said in both languages', () => {
  const problem = (text: string) => {
    try {
      new Model(text);
    } catch (error) {
      return [scenarioProblem(error, en), scenarioProblem(error, ko)];
    }
    return ['nothing', 'nothing'];
  };

  test.each([
    ['{"v":1,', 'Not readable at line 1, column 7.'],
    ['{}', 'The field v is missing.'],
    [
      '{"v":1,"client":[]}',
      'There is no field client. Allowed: v, seed, broker, clients, script, goal, begin, lock, view, lang.',
    ],
    ['{"v":1,"clients":[{"id":"a"},{"id":"a"}]}', 'clients[1]: a is there twice.'],
    [
      '{"v":1,"clients":[{"id":"a","keep_alive_s":-1}]}',
      'clients[0].keep_alive_s is -1; allowed: a whole number from 0 to 65535.',
    ],
    ['{"v":1,"clients":[{"id":"a","will":{"topic":"t","qos":3}}]}', 'clients[0].will.qos is 3; allowed: 0, 1 or 2.'],
    ['{"v":1,"script":[[0,{"do":"publish","who":"a","topic":"a/+"}]]}', 'script[0][1].topic is a/+; allowed:'],
  ])('%s', (text, says) => {
    const [english = '', korean = ''] = problem(text);
    expect(english.startsWith(says), english).toBe(true);
    expect(korean).toMatch(/[가-힣]/);
    expect(korean).not.toBe(english);
  });
});
