import { readFileSync } from 'node:fs';
import mermaid from 'mermaid';
import { beforeAll, describe, expect, test } from 'vitest';
import { initSync, Stage } from '../generated/stage.js';
import { LESSONS } from '../src/lessons/index';
import type { Command } from '../src/lessons/stage';

// What leaves the Stage as text is read again by those it is meant for: the diagram by Mermaid, the scenario by the Stage.

interface Message {
  readonly from: string;
  readonly to: string;
  readonly message: string;
  readonly type: number;
}

/** What Mermaid makes of a sequence diagram. */
interface Diagram {
  readonly type: string;
  readonly db: {
    getMessages(): readonly Message[];
    getActors(): ReadonlyMap<string, { readonly description: string }>;
  };
}

interface Link {
  readonly packet: number;
  readonly who: string;
  readonly toward: 'broker' | 'client';
  readonly type: string | null;
}

/** An arrow or a note of the diagram; a note stands where it stands. */
interface Shown {
  readonly way: readonly string[] | null;
  readonly type: number;
  readonly says: string;
}

/** The fields of entries that the diagram shows. */
interface Entry {
  readonly opened?: { readonly who: string };
  readonly delivered?: Link;
  readonly lost?: Link;
  readonly broke?: { readonly who: string };
  readonly closed?: { readonly who: string };
  readonly timer?: object;
  readonly told?: { readonly who: string; readonly topic: string; readonly payload: string };
  readonly restarted?: object;
}

beforeAll(async () => {
  initSync({ module: readFileSync(new URL('../generated/stage_bg.wasm', import.meta.url)) });
  // The parsers of diagrams are loaded when they are first needed.
  await mermaid.parse('sequenceDiagram\n  a->>b: ready');
});

/** Mermaid keeps numbered entities in a code of its own until it draws them. */
const drawn = (text: string): string =>
  text.replace(/ﬂ°°(\d+)¶ß/g, (_, code: string) => String.fromCodePoint(Number(code)));

/** Control characters are drawn as blanks, and Mermaid trims. */
const shown = (text: string): string => text.replace(/\p{Cc}/gu, ' ').trim();

const NOTE = 2;
const ARROW = 0;
const CROSS = 3;

async function read(text: string): Promise<Diagram> {
  await mermaid.parse(text);
  return (await mermaid.mermaidAPI.getDiagramFromText(text)) as unknown as Diagram;
}

/** The diagram, read by Mermaid, says of each packet and each note what the log says. */
async function expectRead(stage: Stage): Promise<number> {
  const log: Entry[] = JSON.parse(stage.log(0, JSON.parse(stage.playhead()).entries));
  const { type, db } = await read(stage.mermaid());
  expect(type).toBe('sequence');
  const names = new Map([...db.getActors()].map(([id, { description }]) => [id, drawn(description)]));
  const opened = [...new Set(log.flatMap(({ opened }) => (opened ? [shown(opened.who)] : [])))];
  expect([...names.values()]).toEqual(['broker', ...opened]);
  const nameOf = (id: string) => names.get(id) ?? id;
  const expected = log.flatMap<Shown>(({ delivered, lost, broke, closed, timer, told, restarted }) => {
    const packet = delivered ?? lost;
    if (packet) {
      const who = shown(packet.who);
      const way = packet.toward === 'broker' ? [who, 'broker'] : ['broker', who];
      return [{ way, type: lost ? CROSS : ARROW, says: packet.type ?? '' }];
    }
    if (told) return [{ way: null, type: NOTE, says: shown(`${told.topic} ${told.payload}`) }];
    return broke || closed || timer || restarted ? [{ way: null, type: NOTE, says: '' }] : [];
  });
  const found = db.getMessages();
  expect(found.length).toBe(expected.length);
  for (const [index, { way, type, says }] of expected.entries()) {
    const message = found[index];
    expect(message?.type).toBe(type);
    if (way) expect([nameOf(message?.from ?? ''), nameOf(message?.to ?? '')]).toEqual(way);
    expect(drawn(message?.message ?? '')).toContain(says);
  }
  return found.length;
}

function give(stage: Stage, command: Command): void {
  try {
    stage.command(JSON.stringify(command));
  } catch (error) {
    if (!(error instanceof Error) || error instanceof WebAssembly.RuntimeError) throw error;
  }
}

describe('Mermaid reads', () => {
  test.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))('%s', async (_, { scenario, check, solution }) => {
    const stage = new Stage(JSON.stringify({ ...scenario, goal: check }));
    stage.runUntil(scenario.begin ?? 0);
    for (const [when, command] of solution) {
      const { at } = JSON.parse(stage.playhead());
      stage.runUntil(when === 'settled' ? at + 3_000_000 : when);
      give(stage, command);
    }
    stage.runUntil(JSON.parse(stage.playhead()).at + 20_000_000);
    expect(await expectRead(stage)).toBeGreaterThan(5);
    stage.free();
  });

  // Words and signs that mean something in Mermaid, in HTML or to whoever splits lines.
  test('what people write, whatever it is', async () => {
    const words = [
      'end',
      'loop',
      'alt x',
      'a;b',
      '#35;',
      '#',
      '%%{init}%%',
      'a: b',
      '<b>x</b>',
      '{"a":1}',
      '한국어',
      '🙂',
    ];
    const nasty = [
      ...words,
      'two\nlines',
      'tab\tand\rreturn',
      '->>',
      'Note over broker: x',
      '"',
      "'",
      '`',
      '&amp;',
      ' ',
    ];
    const stage = new Stage(
      JSON.stringify({
        v: 1,
        clients: nasty.map((id) => ({ id, client_identifier: `c${nasty.indexOf(id)}`, link: { latency_ms: 10 } })),
      }),
    );
    for (const who of nasty) give(stage, { do: 'connect', who });
    stage.runUntil(1_000_000);
    give(stage, { do: 'subscribe', who: 'end', filter: '#', qos: 0 });
    stage.runUntil(2_000_000);
    for (const [index, payload] of nasty.entries()) {
      const who = nasty[(index + 1) % nasty.length] ?? '';
      const topic = words[index % words.length]?.replaceAll('#', 'x') ?? 'x';
      give(stage, { do: 'publish', who, topic, payload });
    }
    for (const who of nasty.slice(1)) give(stage, { do: 'cut', who });
    stage.runUntil(5_000_000);
    give(stage, { do: 'restart', storage: true });
    stage.runUntil(200_000_000);
    expect(await expectRead(stage)).toBeGreaterThan(nasty.length * 3);
    stage.free();
  });

  test('nothing, where nothing has happened', async () => {
    const stage = new Stage('{"v":1}');
    expect(await expectRead(stage)).toBe(0);
    stage.free();
  });

  test('and objects to what is none', async () => {
    await expect(mermaid.parse('sequenceDiagram\n  c0=>>broker')).rejects.toThrow('Parse error');
  });
});

describe('a scenario as a line of text', () => {
  test.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))('%s', (_, { scenario, check, solution }) => {
    const stage = new Stage(JSON.stringify({ ...scenario, goal: check }));
    stage.runUntil(scenario.begin ?? 0);
    for (const [when, command] of solution) {
      stage.runUntil(when === 'settled' ? JSON.parse(stage.playhead()).at + 3_000_000 : when);
      give(stage, command);
    }
    const ends = JSON.parse(stage.playhead()).at + 20_000_000;
    stage.runUntil(ends);
    // Alone it is the scenario and nothing else, and reads as itself.
    const alone = stage.scenario(false);
    expect(JSON.parse(alone)).toEqual(JSON.parse(JSON.stringify({ ...scenario, goal: check })));
    const same = new Stage(alone);
    expect(same.scenario(false)).toBe(alone);
    // With what was done it tells the same story, in which commands are the script's.
    const told = new Stage(stage.scenario(true));
    told.runUntil(ends);
    const story = (of: Stage) => of.log(0).replaceAll('"by":"user"', '"by":"script"');
    expect(story(told)).toBe(story(stage));
    for (const one of [stage, same, told]) one.free();
  });
});
