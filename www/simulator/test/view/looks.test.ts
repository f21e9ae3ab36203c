// The Gallery must look as it is kept in looks/: every state, a quarter of its size, drawn with a font that is made here,
// so that the fonts of a machine don't count. A change that is meant is kept with
// `LOOKS=keep npx vitest run test/view/looks.test.ts`, and the pictures show it to whoever reads the change.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocks } from './blocks';
import { type Served, served } from './page';

const folder = new URL('./looks/', import.meta.url);
const keeps = process.env.LOOKS === 'keep';
/** A state looks different if so great a part of it does: an icon that is gone, a border of another colour. */
const PART_MAX = 0.0008;
/** So much a channel of a pixel may differ: browsers don't draw edges alike. */
const CHANNEL_MAX = 36;

interface Look {
  readonly name: string;
  readonly lang: 'ko' | 'en';
  readonly scheme: 'light' | 'dark';
  readonly width: number;
  readonly forced?: boolean;
}

const LOOKS: readonly Look[] = [
  { name: 'ko-light-1280', lang: 'ko', scheme: 'light', width: 1280 },
  { name: 'en-dark-360', lang: 'en', scheme: 'dark', width: 360 },
  { name: 'en-forced-1280', lang: 'en', scheme: 'light', width: 1280, forced: true },
];

/** Where a state is on the page, in pixels. */
type Box = readonly [state: string, left: number, top: number, width: number, height: number];
/** All states one below the other, a quarter of their size, as the data of an image. */
interface Sheet {
  readonly boxes: readonly Box[];
  readonly data: string;
}

let site: Served;
let reader: Page;
beforeAll(async () => {
  site = await served();
  reader = await site.browser.newPage();
  mkdirSync(folder, { recursive: true });
});
afterAll(() => site?.close());

/** The Gallery as it looks now; `css` is a change to it. */
async function sheetOf(look: Look, css = ''): Promise<Sheet> {
  const page = await site.browser.newPage({
    viewport: { width: look.width, height: 900 },
    colorScheme: look.scheme,
    forcedColors: look.forced ? 'active' : 'none',
    reducedMotion: 'reduce',
  });
  // Before anything is drawn: what is measured is measured with this font.
  const style = `@font-face { font-family: Blocks; src: url(data:font/ttf;base64,${blocks().toString('base64')}); }
    *, *::before, *::after { font-family: Blocks !important; font-synthesis: none; } ${css}`;
  await page.addInitScript((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
  }, style);
  await page.goto(`${site.address}?lang=${look.lang}`);
  await page.waitForSelector('html[data-ready]');
  const face = await page.evaluate(async () => {
    const [face] = await document.fonts.load('16px Blocks');
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return face?.status;
  });
  expect(face).toBe('loaded');
  const boxes = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-state]')].map((state): Box => {
      const frame = state.querySelector('.gallery-frame')?.getBoundingClientRect() ?? new DOMRect();
      const [left, top] = [frame.left + scrollX, frame.top + scrollY];
      return [state.dataset.state ?? '', ...([left, top, frame.width, frame.height].map(Math.round) as Rest)];
    }),
  );
  const shot = await page.screenshot({ fullPage: true });
  await page.close();
  const data = await reader.evaluate(
    async ([shot, boxes]) => {
      const image = await createImageBitmap(await (await fetch(shot)).blob());
      const quarter = (size: number) => Math.ceil(size / 4);
      const wide = Math.max(...boxes.map(([, , , width]) => quarter(width)));
      const high = boxes.reduce((sum, [, , , , height]) => sum + quarter(height), 0);
      const canvas = new OffscreenCanvas(wide, high);
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      context.imageSmoothingQuality = 'high';
      let at = 0;
      for (const [, left, top, width, height] of boxes) {
        context.drawImage(image, left, top, width, height, 0, at, quarter(width), quarter(height));
        at += quarter(height);
      }
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
      const text = new FileReader();
      await new Promise((resolve) => {
        text.onload = resolve;
        text.readAsDataURL(blob);
      });
      return text.result as string;
    },
    [`data:image/png;base64,${shot.toString('base64')}`, boxes] as const,
  );
  return { boxes, data };
}

type Rest = [number, number, number, number];

/** How great a part of each state differs; a state of another size differs altogether. */
function compared(kept: Sheet, now: Sheet): Promise<(readonly [state: string, part: number])[]> {
  return reader.evaluate(
    async ([kept, now, channelMax]) => {
      const pixels = async ({ data, boxes }: Sheet) => {
        const image = await createImageBitmap(await (await fetch(data)).blob());
        const context = new OffscreenCanvas(image.width, image.height).getContext('2d', { willReadFrequently: true });
        if (!context) throw new Error('no canvas');
        context.drawImage(image, 0, 0);
        const all = new Map<string, ImageData>();
        let at = 0;
        for (const [state, , , width, height] of boxes) {
          const [w, h] = [Math.ceil(width / 4), Math.ceil(height / 4)];
          all.set(state, context.getImageData(0, at, w, h));
          at += h;
        }
        return all;
      };
      const [before, after] = await Promise.all([pixels(kept), pixels(now)]);
      return [...new Set([...before.keys(), ...after.keys()])].map((state): readonly [string, number] => {
        const [a, b] = [before.get(state), after.get(state)];
        if (!a || !b || a.width !== b.width || a.height !== b.height) return [state, 1];
        let differ = 0;
        for (let at = 0; at < a.data.length; at += 4) {
          const by = (channel: number) => Math.abs((a.data[at + channel] ?? 0) - (b.data[at + channel] ?? 0));
          if (Math.max(by(0), by(1), by(2)) > channelMax) differ++;
        }
        return [state, differ / (a.width * a.height)];
      });
    },
    [kept, now, CHANNEL_MAX] as const,
  );
}

const files = (look: Look) => ({
  picture: new URL(`${look.name}.webp`, folder),
  boxes: new URL(`${look.name}.json`, folder),
});

function keptOf(look: Look): Sheet {
  const { picture, boxes } = files(look);
  const data = `data:image/webp;base64,${readFileSync(picture).toString('base64')}`;
  return { boxes: JSON.parse(readFileSync(boxes, 'utf8')), data };
}

function keep(look: Look, { boxes, data }: Sheet): void {
  const { picture, boxes: file } = files(look);
  writeFileSync(picture, Buffer.from(data.slice(data.indexOf(',') + 1), 'base64'));
  // Where a state stood doesn't count.
  const sizes = boxes.map(([state, , , width, height]) => JSON.stringify([state, 0, 0, width, height]));
  writeFileSync(file, `[\n  ${sizes.join(',\n  ').replaceAll(',', ', ').replaceAll(', \n', ',\n')}\n]\n`);
}

const different = (all: readonly (readonly [string, number])[]) =>
  all.filter(([, part]) => part > PART_MAX).map(([state, part]) => `${state}: ${(part * 100).toFixed(2)} %`);

describe.each(LOOKS)('the Gallery in $name', (look) => {
  test('looks as it is kept', async () => {
    const now = await sheetOf(look);
    if (keeps) keep(look, now);
    expect(existsSync(files(look).picture)).toBe(true);
    const all = await compared(keptOf(look), now);
    const most = Math.max(...all.map(([, part]) => part));
    console.log(`${look.name}: of ${all.length} states the most different one is so by ${(most * 100).toFixed(3)} %`);
    expect(all.length).toBeGreaterThan(35);
    expect(different(all)).toEqual([]);
  });
});

/** Small slips that a person may overlook in a change of styles. */
const SLIPS: readonly (readonly [what: string, css: string, state: string])[] = [
  ['another colour of words', '.label { fill: #c00 !important; }', 'ladder-branches'],
  ['a missing sign', '.map-icon { visibility: hidden; }', 'map-home'],
  ['wider rows', '.log-line { padding-inline-start: 28px !important; }', 'log-lines'],
  ['a thicker line', '.lifeline { stroke-width: 6px !important; }', 'ladder-faults'],
  ['larger type', '.why-client p { font-size: 18px !important; }', 'why-mixed'],
];

test.each(SLIPS)('%s is seen', async (_, css, state) => {
  const look = LOOKS[0] as Look;
  const all = await compared(keptOf(look), await sheetOf(look, css));
  const seen = different(all);
  expect(seen.map((line) => line.split(':')[0])).toContain(state);
});
