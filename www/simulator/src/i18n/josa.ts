// The right Korean particle after a word that is only known when the page runs: 토픽을, 메시지를, QoS 1로, PUBACK이.
//
// A particle depends on how the word before it sounds at its end: with a final consonant (받침) or without. The rule, in
// the order in which it is tried, on the last character that is spoken (quotes, backticks and full stops are not, nor is a
// remark in brackets behind Hangul, as in 토픽(topic)을):
//
// 1. Hangul: the syllable's own final consonant, which Unicode gives by arithmetic.
// 2. A digit: as Koreans read it. 0 1 3 6 7 8 end in a consonant (영 일 삼 육 칠 팔; 10, 100, 1000 and 10000 as 십 백 천 만
//    do too), 2 4 5 9 don't (이 사 오 구).
// 3. A sign that has a name: # is 샵 (consonant), + 플러스, % 퍼센트, $ 달러, ℃ 도 (none).
// 4. A Latin word that we know by name: MQTT's packets and the words of this page, listed below as they are read.
// 5. Capitals without a vowel, or two or three capitals at most: read letter by letter. L M N R end in a consonant
//    (엘 엠 엔 알), the others don't (엠큐티티, 큐오에스, 아이디).
// 6. Any other Latin word: as it is usually borrowed. It ends in a consonant after l, m, n, ng, or a silent e behind one
//    of l, m, n (phone 폰, file 파일); after c, k, p, t behind a single vowel letter (topic 토픽, map 맵, robot 로봇), ck too;
//    in all other cases in a vowel (device 디바이스, client 클라이언트, web hub 허브).
// 7. Whatever is left, an empty word or another script: both forms, 을(를), as printed forms do.
//
// With 으로/로 a final ㄹ counts as none: 1로, 메일로, URL로.

export type Particles = '은/는' | '이/가' | '을/를' | '과/와' | '으로/로' | '이에요/예요' | '이라는/라는' | '아/야';

/** How a word ends, as it is spoken. */
type Ending = 'vowel' | 'rieul' | 'consonant' | 'unknown';

const UNSPOKEN = /[\s'"`’”»›)\]}>.,:;!?…*_~-]+$/u;

const REMARK = /(?<=[가-힣]['"`’”]*)\([^()]*\)$/u;

const DIGITS: readonly Ending[] = [
  'consonant', // 영
  'rieul', // 일
  'vowel', // 이
  'consonant', // 삼
  'vowel', // 사
  'vowel', // 오
  'consonant', // 육
  'rieul', // 칠
  'rieul', // 팔
  'vowel', // 구
];

const SIGNS: Readonly<Record<string, Ending>> = {
  '#': 'consonant',
  '+': 'vowel',
  '%': 'vowel',
  $: 'vowel',
  '℃': 'vowel',
  '°': 'vowel',
  '/': 'vowel',
  '&': 'vowel',
};

/** Read as people read them: 퍼백, 펍렉, 펍렐, 펍콤프, 핑리퀘스트, 핑리스폰스. */
const KNOWN: Readonly<Record<string, Ending>> = {
  connect: 'vowel',
  connack: 'consonant',
  publish: 'vowel',
  puback: 'consonant',
  pubrec: 'consonant',
  pubrel: 'rieul',
  pubcomp: 'vowel',
  subscribe: 'vowel',
  suback: 'consonant',
  unsubscribe: 'vowel',
  unsuback: 'consonant',
  pingreq: 'vowel',
  pingresp: 'vowel',
  disconnect: 'vowel',
  auth: 'vowel',
  retain: 'consonant',
  dup: 'consonant',
  will: 'rieul',
  start: 'vowel',
  present: 'vowel',
  home: 'consonant',
  online: 'consonant',
  offline: 'consonant',
  json: 'consonant',
  mermaid: 'vowel',
  web: 'consonant',
  app: 'consonant',
};

function hangul(code: number): Ending {
  const final = (code - 0xac00) % 28;
  return final === 0 ? 'vowel' : final === 8 ? 'rieul' : 'consonant';
}

function letters(word: string): Ending {
  const last = word.slice(-1);
  return last === 'L' || last === 'R' ? 'rieul' : last === 'M' || last === 'N' ? 'consonant' : 'vowel';
}

function latin(word: string): Ending {
  const known = KNOWN[word.toLowerCase()];
  if (known) return known;
  const spelled = /^[A-Z]+$/.test(word) && (word.length <= 3 || !/[AEIOU]/.test(word));
  if (spelled || word.length === 1) return letters(word.toUpperCase());
  const lower = word.toLowerCase();
  if (/le?$/.test(lower)) return 'rieul';
  if (/(?:[mn]|ng|[aeiouy][mn]e)$/.test(lower)) return 'consonant';
  if (/ck$/.test(lower)) return 'consonant';
  if (/(?:^|[^aeiou])[aeiou][ckpt]$/.test(lower)) return 'consonant';
  return 'vowel';
}

function ending(word: string): Ending {
  const spoken = word.trimEnd().replace(REMARK, '').replace(UNSPOKEN, '');
  const last = spoken.slice(-1);
  const code = last.codePointAt(0) ?? 0;
  if (code >= 0xac00 && code <= 0xd7a3) return hangul(code);
  if (last >= '0' && last <= '9') return DIGITS[Number(last)] ?? 'unknown';
  const sign = SIGNS[last];
  if (sign) return sign;
  const run = /[A-Za-z]+$/.exec(spoken);
  return run ? latin(run[0]) : 'unknown';
}

/** The particle that fits behind `word`, without the word. */
export function particle(word: string, particles: Particles): string {
  const [closed = '', open = ''] = particles.split('/');
  const end = ending(word);
  if (end === 'unknown') return bothForms(closed, open);
  if (end === 'rieul' && particles === '으로/로') return open;
  return end === 'vowel' ? open : closed;
}

/** 을(를), 이(가), (으)로, (이)에요: as Korean forms are printed. */
function bothForms(closed: string, open: string): string {
  if (closed.startsWith('으')) return `(으)${open}`;
  if (closed === '이에요') return '이에요(예요)';
  if (closed === '이라는') return '(이)라는';
  return `${closed}(${open})`;
}

/** The word with the particle that fits: `josa('토픽', '을/를')` is 토픽을. */
export function josa(word: string | number, particles: Particles): string {
  return `${word}${particle(String(word), particles)}`;
}
