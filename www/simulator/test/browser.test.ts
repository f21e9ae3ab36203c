/** The built page in a real Chromium: what a person can do, with a pointer, with keys, with a reader of screens. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';
import { LESSONS } from '../src/lessons';
import { encodeLink } from '../src/stage/permalink';
import { Site, type Visit } from './site';

let site: Site;
beforeAll(async () => {
  site = await Site.open();
}, 120_000);
afterAll(() => site?.close());

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

async function axe(page: Visit): Promise<string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    interface Violation {
      id: string;
      nodes: { target: unknown[]; failureSummary: string }[];
    }
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 4).map((node) => `${id}: ${JSON.stringify(node.target)} ${node.failureSummary.slice(0, 300)}`),
    );
  });
  return found;
}

/** Waits until what `look` sees is so. */
const until = (page: Visit, text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 15_000 });

describe('axe finds nothing to object to', () => {
  const SCREENS: readonly (readonly [string, string, (page: Visit) => Promise<unknown>])[] = [
    ['start', '#/', (page) => page.locator('.doors').waitFor()],
    ['lessons', '#/learn', (page) => page.locator('.lessons').first().waitFor()],
    ['glossary', '#/glossary/broker', (page) => page.locator('.term').first().waitFor()],
    ['broken link', '#s=9.abc', (page) => page.locator('.failure').waitFor()],
    ['lesson', '#/lesson/first-message', (page) => page.locator('.transport').waitFor()],
    [
      'lesson passed, with settings open',
      '#/lesson/1',
      async (page) => {
        await page.locator('.option').nth(2).click();
        await page.locator('.button-action').click();
        await page.locator('.passed').waitFor({ timeout: 15_000 });
        await page.locator('.popover-box button').click();
      },
    ],
    [
      'ladder with a branch beside',
      '#/lesson/qos-1',
      async (page) => {
        await page.locator('.button-action').nth(1).click();
        await page.locator('.tool-play[data-playing=false]').waitFor({ timeout: 15_000 });
        await page.locator('.transport-buttons .tool').nth(1).click();
        await page.locator('.transport-buttons .tool').nth(1).click();
        await page.locator('.button-action').nth(1).click();
        await page.locator('.branches select').selectOption('0');
        await page.locator('.ladder-pair').waitFor();
      },
    ],
    ...(['why', 'packet', 'session', 'topics', 'log'] as const).map(
      (tab, index) =>
        [
          `inspector ${tab}`,
          '#/sandbox/home',
          async (page: Visit) => {
            // Nothing is chosen yet: Why tells of the newest message.
            await page.locator('[role=tab]').nth(0).click();
            await page.locator('.why-client').first().waitFor();
            await page.locator('[role=tab]').nth(4).click();
            await page.locator('[role=row], [role=option], .log-line, .log button').last().click();
            await page.locator('[role=tab]').nth(index).click();
            await page.waitForTimeout(300);
          },
        ] as const,
    ),
    [
      'sandbox, CONNECT',
      '#/sandbox/kitchen',
      async (page) => {
        await page.locator('.who-button').nth(2).click();
        await page.locator('.chips .chip').first().click();
        await page.locator('.tool-play[data-playing=false]').waitFor({ timeout: 15_000 });
        for (const more of await page.locator('.form-more > summary').all()) await more.click();
      },
    ],
    ['sandbox, broker', '#/sandbox/empty', (page) => page.locator('.form').waitFor()],
    [
      'lessons, asked whether to forget',
      '#/lesson/1',
      async (page) => {
        await page.locator('.button-action').click();
        await page.locator('.passed').waitFor({ timeout: 15_000 });
        await page.goto(`${site.url}#/learn`);
        await page.locator('.learn-foot button').click();
        await page.locator('.learn-foot fieldset').waitFor();
      },
    ],
    [
      'share',
      '#/sandbox/kitchen',
      async (page) => {
        await page.locator('.stage-tools .tool-wide').click();
        await page.locator('.share-text').waitFor();
      },
    ],
    [
      'keys',
      '#/sandbox/kitchen',
      async (page) => {
        await page.locator('.transport').waitFor();
        await page.locator('.tool-help').click();
        await page.locator('dialog').waitFor();
      },
    ],
  ];
  describe.each(['en', 'ko'])('%s', (language) => {
    test.each(SCREENS)('%s', async (_, fragment, prepare) => {
      const page = await site.page(fragment, {
        locale: language,
        colorScheme: language === 'ko' ? 'dark' : 'light',
        reducedMotion: 'reduce',
      });
      await prepare(page);
      expect(await axe(page)).toEqual([]);
      expect(page.errors).toEqual([]);
      await page.context().close();
    });

    test('every lesson, with its question answered, all hints and its sections', { timeout: 120_000 }, async () => {
      const page = await site.page('', { locale: language, reducedMotion: 'reduce' });
      const found: string[] = [];
      for (const { number, id } of LESSONS) {
        await page.goto(`${site.url}#/lesson/${id}`);
        await page.locator('.lesson-number', { hasText: new RegExp(`^\\D*${number}\\D`) }).waitFor();
        await page.locator('.transport').waitFor();
        await page.locator('.option').first().click();
        for (let n = 0; n < 3; n += 1) await page.locator('.hints button').click();
        await page.locator('.standard summary').click();
        await page.locator('.standard dl').waitFor();
        expect(await page.locator('.hints li').count()).toBe(3);
        found.push(...(await axe(page)).map((violation) => `${id}: ${violation}`));
      }
      expect(found).toEqual([]);
      expect(page.errors).toEqual([]);
      await page.context().close();
    });

    test('a frame in another page', async () => {
      const page = await site.page('#/lesson/qos-1', { locale: language, search: '?embed' });
      await page.locator('.transport').waitFor();
      expect(await page.locator('.lesson-nav').count()).toBe(0);
      expect(await axe(page)).toEqual([]);
      await page.context().close();
    });

    test('on a phone', async () => {
      const page = await site.page('#/lesson/1', { locale: language, viewport: { width: 360, height: 740 } });
      await page.locator('.transport').waitFor();
      expect(await axe(page)).toEqual([]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide).toBe(360);
      await page.context().close();
    });
  });
});

/** Presses Tab until this has the focus, as somebody would who has no pointer. */
async function tabTo(page: Visit, name: string | RegExp): Promise<void> {
  for (let n = 0; n < 80; n += 1) {
    const found = await page.evaluate(() => {
      let active: Element | null = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active ? (active.getAttribute('aria-label') ?? active.textContent ?? '').trim() : '';
    });
    if (typeof name === 'string' ? found === name : name.test(found)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no way to ${name} by Tab`);
}

async function press(page: Visit, name: string | RegExp): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

const stopped = (page: Visit) => page.locator('.tool-play[data-playing=false]').waitFor({ timeout: 20_000 });
/** What was said aloud last. */
const voice = (page: Visit) => page.locator('[data-voice]').textContent();

describe('with keys alone', () => {
  test('lesson 1, from the start page', async () => {
    const page = await site.page('');
    await press(page, /^Begin with First message/);
    await page.locator('.transport').waitFor();
    await press(page, /^From the sensor to the broker/);
    expect(await voice(page)).toMatch(/^That’s right/);
    await press(page, 'Publish 21');
    await until(page, 'Lesson passed: First message');
    await stopped(page);
    await press(page, /^Next lesson: /);
    await until(page, 'Nobody knows anybody');
    expect(page.errors).toEqual([]);
    await page.context().close();
  });

  test('lesson 8: cut, wait, connect', async () => {
    const page = await site.page('#/lesson/8');
    await page.locator('.transport').waitFor();
    await press(page, 'Cut when PUBACK is half-way');
    await press(page, 'Publish 21 (QoS 1)');
    await stopped(page);
    // More than ten seconds pass: speed is a list that keys change, the space bar plays.
    await tabTo(page, 'Speed');
    await page.keyboard.press('End');
    await page.evaluate(() =>
      (document.activeElement?.shadowRoot?.activeElement as HTMLElement | null | undefined)?.blur(),
    );
    await page.keyboard.press('Space');
    await page.waitForTimeout(600);
    await page.keyboard.press('Space');
    await stopped(page);
    await tabTo(page, 'Speed');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await press(page, 'Connect the phone');
    await until(page, /^Lesson passed: QoS 1/);
    expect(page.errors).toEqual([]);
    await page.context().close();
  });

  test('lesson 13, by steps, each of which is said', async () => {
    const page = await site.page('#/lesson/13');
    await page.locator('.transport').waitFor();
    await press(page, 'Sensor: DISCONNECT');
    await stopped(page);
    await press(page, 'Sensor: connect');
    await stopped(page);
    await tabTo(page, 'Cut the sensor’s link');
    await page.keyboard.press('Enter');
    await stopped(page);
    await until(page, /^Lesson passed: Last Will/);
    await page.keyboard.press('Home');
    const said = new Set<string>();
    for (let n = 0; n < 12; n += 1) {
      await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(60);
      said.add((await voice(page)) ?? '');
    }
    expect(said.size).toBeGreaterThan(6);
    expect(
      [...said].some((text) => /CONNACK/.test(text)),
      [...said].join('\n'),
    ).toBe(true);
    expect(page.errors).toEqual([]);
    await page.context().close();
  });

  test('keys can be turned off, and are left alone in a field', async () => {
    const page = await site.page('#/sandbox/kitchen');
    await page.locator('.transport').waitFor();
    const position = () => page.locator('.playhead-now').textContent();
    const at = await position();
    await page.locator('.form input').first().focus();
    await page.keyboard.press('Home');
    await page.keyboard.type(' .');
    expect(await position()).toBe(at);
    await page.locator('.brand').focus();
    await page.keyboard.press('Home');
    expect(await position()).not.toBe(at);
    await page.keyboard.press('?');
    await page.locator('dialog input[type=checkbox]').uncheck();
    await page.keyboard.press('Escape');
    const now = await position();
    await page.locator('.brand').focus();
    await page.keyboard.press('End');
    await page.waitForTimeout(100);
    expect(await position()).toBe(now);
    await page.context().close();
  });
});

test.each(['en', 'ko'] as const)(
  'a newcomer does what the page says and passes lesson 1 within 60 s, after two clicks and 10 s: %s',
  async (language) => {
    const { start } = { en, ko }[language];
    const page = await site.page('', { locale: language });
    const began = Date.now();
    await page.locator('.button-large').click();
    await page.locator('.button-action').click();
    await page.locator('.passed').waitFor();
    expect(Date.now() - began).toBeLessThan(10_000);
    const log = await page.locator('.log').textContent();
    expect(log).toMatch(language === 'en' ? 'Phone received 21' : /폰.*21/);
    // Progress is kept, and shown.
    await page.goto(`${site.url}#/learn`);
    await until(page, start.progress(1, 19));
    await page.reload();
    await until(page, start.progress(1, 19));
    await page.getByRole('button', { name: start.reset }).click();
    await page.locator('.button-bad').click();
    await until(page, start.progress(0, 19));
    await page.context().close();
  },
);

test('the other language at once, and kept', async () => {
  const page = await site.page('#/lesson/1');
  await until(page, 'Publish 21');
  await page.getByRole('button', { name: '한국어' }).click();
  await until(page, '21 발행하기');
  expect(await page.locator('html').getAttribute('lang')).toBe('ko');
  await page.reload();
  await until(page, '21 발행하기');
  await page.context().close();
});

test('an address that changes the moment the page is there is followed', async () => {
  const context = await site.context({ locale: 'en' });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (options) {
      const root = attach.call(this, options);
      const observer = new MutationObserver(() => {
        if (!root.querySelector('.page')) return;
        observer.disconnect();
        location.hash = '#/learn';
      });
      observer.observe(root, { childList: true, subtree: true });
      return root;
    };
  });
  await page.goto(site.url);
  await page.locator('.lessons').first().waitFor();
  await context.close();
});

describe('links', () => {
  test('what was shared opens again, with everything that was done', async () => {
    const page = await site.page('#/sandbox/kitchen');
    await page.locator('.form .button-main').click();
    await stopped(page);
    await page.locator('.stage-tools .tool-wide').click();
    const address = (await page.locator('.share-text input').inputValue()).trim();
    expect(address).toContain('#s=1.');
    const other = await site.page(new URL(address).hash);
    await other.locator('.transport').waitFor();
    await other.locator('.tool-play').click();
    await until(other, /^Phone received 21/);
    expect(other.errors).toEqual([]);
    await other.context().close();
    for (const [name, file, begins] of [
      ['Ladder as SVG', 'ladder.svg', '<svg'],
      ['Ladder as Mermaid text', 'scenario.mmd', 'sequenceDiagram'],
      ['MQTT.js test', 'scenario.test.mjs', 'import '],
    ] as const) {
      await page.getByRole('button', { name, exact: true }).click();
      const saved = page.waitForEvent('download');
      await page.locator('.share-text .button').last().click();
      const download = await saved;
      expect(download.suggestedFilename()).toBe(file);
      const text = readFileSync(await download.path(), 'utf8');
      expect(text.slice(0, begins.length)).toBe(begins);
      expect(text).toContain('home/kitchen/temperature');
    }
    expect(page.errors).toEqual([]);
    await page.context().close();
  });

  test.each([
    ['#s=1.AAAA', 'The link ends too early'],
    ['#s=hello', 'not a link of this simulator'],
    ['#s=7.abc', 'version 7'],
    ['#/lesson/nothing', 'There is no lesson nothing.'],
    ['#/nowhere', 'not a link of this simulator'],
  ])('%s says what is wrong, offers the start, and leaves the progress alone', async (fragment, says) => {
    const page = await site.page('#/lesson/1');
    await page.locator('.button-action').click();
    await page.locator('.passed').waitFor();
    await page.goto(`${site.url}${fragment}`);
    await until(page, new RegExp(says));
    await page.locator('.failure a').click();
    await until(page, '1 of 19 lessons passed');
    await page.context().close();
  });

  test('a scenario with a mistake says where', async () => {
    const link = await encodeLink('{"v":1,"clients":[{"id":"a","keep_alive_s":-1}]}');
    const page = await site.page(`#s=${link}`, { locale: 'ko' });
    await until(page, /clients\[0\]\.keep_alive_s/);
    await page.context().close();
  });
});

test('a saved scenario opens from a file; a topic leads to the form', async () => {
  const page = await site.page('#/sandbox/kitchen');
  await page.locator('.transport').waitFor();
  const scenario = '{"v":1,"clients":[{"id":"fridge"}],"script":[[0,{"do":"connect","who":"fridge"}]],"begin":1000000}';
  const file = { name: 'scenario.json', mimeType: 'application/json', buffer: Buffer.from(scenario) };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.locator('.who-button').getByText('fridge').waitFor();
  await page.locator('.who-button').nth(1).click();
  const topic = page.locator('.form input').first();
  await topic.fill('home/fridge/door');
  await topic.press('Enter');
  await stopped(page);
  await until(page, /^Broker accepted a message for home\/fridge\/door/);
  await page.locator('[role=tab]').nth(3).click();
  await page.locator('[role=treeitem]').last().dblclick();
  expect(await page.locator('.form input').first().inputValue()).toBe('home/fridge/door');
  const wrong = { ...file, buffer: Buffer.from('{"v":1,"clients":3}') };
  await page.locator('input[type=file]').setInputFiles(wrong);
  await until(page, /clients is 3; allowed: a list/);
  expect(page.errors).toEqual([]);
  await page.context().close();
});

describe('in other pages', () => {
  test('a frame tells what happens in it', async () => {
    const host = site.host(
      '/course.html',
      `<!doctype html><script>
        window.told = [];
        addEventListener('message', ({ data }) => data.source === 'wasmqtt-sim' && told.push(data));
      </script><iframe src="${site.url}?embed&lang=en#/lesson/1" width="900" height="700"></iframe>`,
    );
    const context = await site.context();
    const page = await context.newPage();
    await page.goto(host);
    const frame = page.frameLocator('iframe');
    await frame.locator('.button-action').click();
    await frame.locator('.passed').waitFor({ timeout: 15_000 });
    expect(await frame.locator('.page-head').count()).toBe(0);
    const told = await page.evaluate(
      () => (globalThis as unknown as { told: { event: string; lesson: string }[] }).told,
    );
    expect(told[0]).toMatchObject({ event: 'ready', lesson: 'first-message' });
    expect(told.some(({ event }) => event === 'step')).toBe(true);
    expect(told.filter(({ event }) => event === 'passed')).toEqual([
      { source: 'wasmqtt-sim', event: 'passed', lesson: 'first-message' },
    ]);
    await context.close();
  });

  test('a frame without storage still works', async () => {
    const host = site.host(
      '/sandboxed.html',
      `<!doctype html><iframe sandbox="allow-scripts" src="${site.url}?embed&lang=en#/lesson/1" width="900" height="700"></iframe>`,
    );
    // As the project's own server sends it, with the policy that it has.
    const source = readFileSync(new URL('../../../host/src/site.rs', import.meta.url), 'utf8');
    const policy = /^const POLICY: &str = "(.*?)";$/ms.exec(source)?.[1]?.replace(/\\\n\s*/g, '');
    expect(policy).toMatch(/^default-src 'self'; .*form-action 'none'$/);
    expect(source).toContain('ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")');
    const context = await site.context();
    for (site.policy of [undefined, policy]) {
      const page = await context.newPage();
      await page.goto(host);
      const frame = page.frameLocator('iframe');
      await frame.locator('.button-action').click();
      await frame.locator('.passed').waitFor({ timeout: 15_000 });
    }
    site.policy = undefined;
    await context.close();
  });

  test('a sandboxed frame of a server that forgets a header says what is wrong', async () => {
    const host = site.host(
      '/forgotten.html',
      `<!doctype html><iframe sandbox="allow-scripts" src="${site.url}?embed#/lesson/1" width="900" height="700"></iframe>`,
    );
    const context = await site.context();
    const page = await context.newPage();
    site.anyOrigin = false;
    try {
      await page.goto(host);
      const plain = page.frameLocator('iframe').locator('.slow');
      await expect.poll(() => plain.isVisible(), { timeout: 15_000 }).toBe(true);
      expect(await plain.textContent()).toContain('Access-Control-Allow-Origin');
    } finally {
      site.anyOrigin = true;
    }
    await context.close();
  });

  test('a strict Content Security Policy is enough', async () => {
    site.policy =
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src 'self'";
    try {
      const page = await site.page('#/lesson/1');
      await page.locator('.button-action').click();
      await page.locator('.passed').waitFor({ timeout: 15_000 });
      expect(page.errors).toEqual([]);
      await page.context().close();
    } finally {
      site.policy = undefined;
    }
  });

  test('the element shows a scenario, a lesson, or what is wrong', async () => {
    const scenario = '{"v":1,"clients":[{"id":"kitchen"}],"script":[[0,{"do":"connect","who":"kitchen"}]]}';
    const host = site.host(
      '/blog.html',
      `<!doctype html><script type="module" src="${site.url}wasmqtt-sim.js"></script><script>
        window.told = [];
        for (const name of ['ready', 'step', 'passed']) addEventListener(name, ({ detail }) => detail && told.push(detail.event));
      </script>
      <wasmqtt-sim id="a" scenario='${scenario}' view="ladder" controls="transport" lang="ko" step="2" style="height:400px"></wasmqtt-sim>
      <wasmqtt-sim id="b" scenario="nonsense" lang="en"></wasmqtt-sim>
      <wasmqtt-sim id="c" scenario='${scenario}' controls="none" lang="en" style="height:300px"></wasmqtt-sim>`,
    );
    const context = await site.context();
    const page = await context.newPage();
    await page.goto(host);
    await page.locator('#a .transport').waitFor({ timeout: 15_000 });
    await page.locator('#a .ladder').waitFor();
    expect(await page.locator('#a .playhead-now').textContent()).toContain('200');
    await page.locator('#b .failure').waitFor();
    await page.locator('#c .stage-view').waitFor();
    expect(await page.locator('#c .transport').count()).toBe(0);
    const told = await page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    expect(told.filter((event) => event === 'ready')).toHaveLength(2);
    await context.close();
  });
});

test('the first lesson works offline after the first visit', async () => {
  const context = await site.context({ locale: 'en' });
  const page = await context.newPage();
  await page.goto(site.url);
  const state = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state);
  await expect.poll(state, { timeout: 15_000 }).toBe('activated');
  await page.locator('.offline', { hasText: 'Ready to work offline' }).waitFor();
  site.offline = true;
  try {
    await page.goto(`${site.url}?again#/lesson/1`);
    await page.reload();
    await page.locator('.button-action').click();
    await page.locator('.passed').waitFor({ timeout: 15_000 });
  } finally {
    site.offline = false;
  }
  await context.close();
});

describe('without what it needs', () => {
  test('no JavaScript: a message in both languages', async () => {
    const page = await site.page('', { javaScriptEnabled: false });
    await until(page, /needs JavaScript/);
    await until(page, /자바스크립트가 필요해요/);
    await page.context().close();
  });

  test('no WebAssembly: a message', async () => {
    const context = await site.context({ locale: 'en' });
    await context.addInitScript('delete globalThis.WebAssembly');
    const page = await context.newPage();
    await page.goto(`${site.url}#/lesson/1`);
    await page.getByText(/it needs WebAssembly/).waitFor();
    await context.close();
  });
});

/** Everything that a page loads that shows this screen, compressed; without what a language or a lesson is. */
test('the shell has at most 60 KiB of JavaScript', async () => {
  const page = await site.page('#/lesson/1');
  await page.locator('.transport').waitFor();
  const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  const scripts = names
    .map((name) => new URL(name).pathname)
    .filter((path) => path.endsWith('.js') && !/\/(?:en|ko|\d\d-[a-z0-9-]+)-[^/]*\.js$/.test(path));
  const bytes = scripts.map((path) => {
    const file = join(site.folder, path.slice(new URL(site.url).pathname.length));
    return [path.split('/').at(-1), gzipSync(readFileSync(file), { level: 9 }).length] as const;
  });
  const all = bytes.reduce((sum, [, size]) => sum + size, 0);
  console.log(`shell: ${all} bytes gzip of ${60 << 10}`, Object.fromEntries(bytes));
  expect(all).toBeLessThanOrEqual(60 << 10);
  for (const language of ['en', 'ko']) {
    const file = readdirSync(join(site.folder, 'assets')).find(
      (name) => name.startsWith(`${language}-`) && name.endsWith('.js'),
    );
    expect(gzipSync(readFileSync(join(site.folder, 'assets', file ?? ''))).length).toBeLessThan(30 << 10);
  }
  await page.context().close();
});
