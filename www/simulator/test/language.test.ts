import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TERMS } from '../src/glossary/terms';
import { en } from '../src/i18n/en';
import { type Particles, particle } from '../src/i18n/josa';
import { ko } from '../src/i18n/ko';
import { inLanguage } from '../src/i18n/text';
import { CONTENTS } from '../src/lessons/contents';
import { LESSONS } from '../src/lessons/index';
import type { Words } from '../src/view/props';
import { reasonWords } from '../src/view/words';
import { strings, texts } from './walk';

const HANGUL = /[가-힣ㄱ-ㅎㅏ-ㅣ]/u;
const TEXTS = [...texts(LESSONS, 'lessons'), ...texts(TERMS, 'glossary'), ...texts(CONTENTS, 'contents')];
const KOREAN = [...TEXTS.map(([path, text]) => [path, text.ko] as const), ...strings(ko, 'ko')];
const ENGLISH = [...TEXTS.map(([path, text]) => [path, text.en] as const), ...strings(en, 'en')];

/** What a test says about each of many texts, as a list of those that fail. */
const failing = (all: readonly (readonly [string, string])[], fails: (text: string) => unknown): string[] =>
  all.flatMap(([path, text]) => {
    const what = fails(text);
    return what ? [`${path}: ${what === true ? text : what}`] : [];
  });

describe('completeness', () => {
  test('every text is there in both languages', () => {
    expect(TEXTS.length).toBeGreaterThan(500);
    for (const [path, text] of TEXTS) expect(Object.keys(text).sort(), path).toEqual(['en', 'ko']);
  });

  test('both catalogues have the same strings', () => {
    expect(strings(ko).map(([path]) => path)).toEqual(strings(en).map(([path]) => path));
  });

  test('nothing is empty, except hints of fields that need none', () => {
    const empty = (text: string) => text.trim() === '' || text !== text.trim();
    // What is no rule has no sentence.
    const all = [...KOREAN, ...ENGLISH].filter(([path]) => !/\.hint$|view\.rule\(\)$/.test(path));
    expect(failing(all, empty)).toEqual([]);
  });

  test('a field has a hint in both languages or in none', () => {
    const hints = (catalogue: unknown) =>
      strings(catalogue)
        .filter(([path, text]) => path.endsWith('.hint') && text !== '')
        .map(([path]) => path);
    expect(hints(ko)).toEqual(hints(en));
  });

  test('no value is printed as undefined, an object or a function', () => {
    expect(
      failing([...KOREAN, ...ENGLISH], (text) => /undefined|\bnull(?! character)|NaN|\[object|=>/.test(text)),
    ).toEqual([]);
  });

  test('one language is picked throughout', () => {
    const korean = inLanguage(LESSONS[0], 'ko');
    expect(korean?.title).toBe('첫 메시지');
    expect(korean?.hints[1]).toMatch(HANGUL);
    expect(texts(korean)).toEqual([]);
  });
});

describe('English', () => {
  test('has no Hangul', () => {
    expect(failing(ENGLISH, (text) => HANGUL.test(text))).toEqual([]);
  });

  test('has typographic quotes and single spaces', () => {
    expect(failing(ENGLISH, (text) => / {2}|'|"/.test(text.replace(/`[^`]*`/g, 'x')))).toEqual([]);
  });

  test('backticks are in pairs', () => {
    expect(failing(ENGLISH, (text) => text.split('`').length % 2 === 0)).toEqual([]);
  });
});

describe('Korean', () => {
  const SAME = /^[`\w\s$#+/.,()0-9:–←→?…-]*$/u; // names, numbers, packets: the same in both languages

  test('is Korean', () => {
    expect(failing(KOREAN, (text) => !HANGUL.test(text) && !SAME.test(text))).toEqual([]);
  });

  test('is 해요체: no 합니다체, no 한다체', () => {
    const plain = (text: string) => /[가-힣]+다(?=[.?!]|$)/u.exec(text)?.[0];
    expect(failing(KOREAN, plain)).toEqual([]);
  });

  test('has typographic quotes and single spaces', () => {
    expect(failing(KOREAN, (text) => / {2}|'|"/.test(text.replace(/`[^`]*`/g, 'x')))).toEqual([]);
  });

  test('backticks are in pairs', () => {
    expect(failing(KOREAN, (text) => text.split('`').length % 2 === 0)).toEqual([]);
  });

  test('the English of a term stands in brackets once in a lesson, where the term comes first', () => {
    for (const lesson of LESSONS) {
      const order = [lesson.title, lesson.story, texts(lesson.question), lesson.goal, lesson.actions, lesson.hints];
      const rest = [lesson.traps, lesson.sections, lesson.look, lesson.closing];
      const words = texts([...order, ...rest])
        .map(([, text]) => text.ko)
        .join('\n');
      const found = [...words.matchAll(/[가-힣]\(([A-Za-z][A-Za-z -]+)\)/gu)].map((match) => match[1]?.toLowerCase());
      expect(found, lesson.id).toEqual([...new Set(found)]);
    }
  });

  test('particles fit the Latin words, numbers and signs before them', () => {
    const pairs: readonly Particles[] = ['은/는', '이/가', '을/를', '과/와', '으로/로', '이에요/예요'];
    const wrong: string[] = [];
    for (const [path, text] of KOREAN) {
      const plain = text.replace(/`/g, '').replace(/\([^()]*\)/g, '');
      for (const pair of pairs) {
        const [closed, open] = pair.split('/');
        const written = new RegExp(`([A-Za-z0-9#+%/]+)[’”]?(${closed}|${open})(?=[\\s.,?!:’]|$)`, 'gu');
        for (const [all, word = '', said] of plain.matchAll(written)) {
          if (particle(word, pair) !== said) wrong.push(`${path}: ${all}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('particles fit the Korean word in front of a remark in brackets', () => {
    const written = /([가-힣]+)\([A-Za-z][^()]*\)(은|는|이|가|을|를|과|와|으로|로)(?=[\s.,?!]|$)/gu;
    const pairs: Readonly<Record<string, Particles>> = {
      은: '은/는',
      는: '은/는',
      이: '이/가',
      가: '이/가',
      을: '을/를',
      를: '을/를',
      과: '과/와',
      와: '과/와',
      으로: '으로/로',
      로: '으로/로',
    };
    const wrong = (text: string) =>
      [...text.matchAll(written)]
        .filter(([, word = '', said = '']) => particle(word, pairs[said] ?? '은/는') !== said)
        .map(([all]) => all)
        .join();
    expect(failing(KOREAN, wrong)).toEqual([]);
  });
});

describe('sentences of the catalogues', () => {
  const packet = {
    from: null,
    to: 'phone',
    packet: 'PUBLISH',
    topic: 'home/kitchen/temperature',
    payload: '21',
    qos: 1,
  } as const;

  test('a packet is told from, to, what', () => {
    expect(en.log.sent(packet)).toBe('Broker to phone: PUBLISH, home/kitchen/temperature, 21, QoS 1');
    expect(ko.log.sent({ ...packet, to: '휴대폰' })).toBe(
      '브로커에서 휴대폰으로: PUBLISH, home/kitchen/temperature, 21, QoS 1',
    );
  });

  test('0x00 has the name that its packet gives it', () => {
    const from = { from: null, to: 'phone', reason: 0 } as const;
    expect(en.log.sent({ ...from, packet: 'SUBACK' })).toBe('Broker to phone: SUBACK, Granted QoS 0');
    expect(en.log.sent({ ...from, packet: 'DISCONNECT' })).toBe('Broker to phone: DISCONNECT, Normal disconnection');
    expect(en.packet.reason(0x7f)).toBe('0x7F');
  });

  test('the level at which a filter fails is told with both words', () => {
    const facts = { client: 'phone', topic: 'home/kitchen/temperature', filter: '/home/kitchen', level: 1 };
    expect(en.why.not.no_match(facts)).toBe(
      'The filter /home/kitchen stops matching at level 1: it wants an empty level, the topic has “home”.',
    );
    expect(ko.why.not.no_match({ ...facts, filter: 'home/kitchen', level: 3 })).toBe(
      '필터 home/kitchen은 3번째 레벨에서 어긋나요. 필터에는 아무것도 없음, 토픽에는 ‘temperature’.',
    );
  });

  test('one is one', () => {
    expect(en.start.progress(1, 19)).toBe('1 of 19 lessons passed');
    expect(en.topics.subscribers(1)).toBe('1 Subscription');
    expect(en.topics.subscribers(0)).toBe('0 Subscriptions');
  });

  test('a mistake says where, what and what is allowed', () => {
    const mistake = { where: 'clients[0].will.qos', found: '3', allowed: '0, 1, 2' };
    expect(en.errors.wrong(mistake)).toBe('clients[0].will.qos is 3; allowed: 0, 1, 2.');
    expect(ko.errors.wrong(mistake)).toBe('clients[0].will.qos: 3은 쓸 수 없어요. 쓸 수 있는 값: 0, 1, 2');
  });
});

describe('what the Stage says in English', () => {
  const source = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const english = /[a-z]{4,} [a-z]{2,}/;

  test('every rule of the codec has its sentence in Korean, and no other rule has the same', () => {
    const table = /^rules! \{$(.*?)^\}$/ms.exec(source('crates/codec/src/error.rs'))?.[1] ?? '';
    const rules = [...table.matchAll(/^ {8}"(.*)";$/gm)].map(([, text = '']) => text);
    expect(rules.length).toBeGreaterThan(60);
    const said = new Map<string, string[]>();
    for (const text of rules) {
      const korean = ko.view.rule(text);
      expect(korean, text).toMatch(/[가-힣]+요$/);
      expect(korean, text).not.toMatch(english);
      said.set(korean, [...(said.get(korean) ?? []), text]);
    }
    expect([...said.values()].filter(({ length }) => length > 1)).toEqual([
      // It is the same rule: the packet with the Topic Name is what one looks at.
      ['a Topic Name contains a wildcard character', 'the Topic Name of PUBLISH contains a wildcard character'],
    ]);
  });

  test('why a connection was closed', () => {
    const told = (reason: string, t: Words) => reasonWords(reason, undefined, t);
    const deeds = source('crates/sim/src/stage/deeds.rs');
    const reasons = [...deeds.matchAll(/^ {8}Closed::.*?(?:format!\()?"(.+?)"/gm)].map(([, text = '']) =>
      text
        .replace(/: \{\}", of\(reason\).*|: \{\}$/, ': Not authorized (0x87)')
        .replace('{code}', '5')
        .replace('read: Not authorized (0x87)', 'read: both QoS bits of PUBLISH are 1'),
    );
    expect(reasons.length).toBe(6);
    for (const reason of [...reasons, 'DISCONNECT was sent', 'the client said DISCONNECT']) {
      expect(told(reason, ko), reason).toMatch(/[가-힣]/);
      expect(told(reason, ko), reason).not.toMatch(english);
    }
    expect(told('the broker refused with return code 5', ko)).toBe('브로커가 거절했어요: 권한 없음');
    expect(told("what came can't be read: DUP is 1 in a PUBLISH of QoS 0", ko)).toBe(
      '온 것을 읽을 수 없어요: QoS 0이면 DUP도 0이어야 해요',
    );
    // The rule where it is known, else the name of the Reason Code.
    expect(told('both QoS bits of PUBLISH are 1 (0x81)', ko)).toBe('PUBLISH의 QoS 비트가 둘 다 1이에요');
    expect(told('both QoS bits of PUBLISH are 1 (0x81)', en)).toBe('both QoS bits of PUBLISH are 1');
    expect(told('Session taken over (0x8E)', ko)).toBe('세션 넘어감');
  });
});

describe('glossary', () => {
  test('has its terms once, and points to terms that are there', () => {
    const ids = TERMS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(40);
    for (const { id, see } of TERMS) for (const other of see) expect(ids, id).toContain(other);
  });
});
