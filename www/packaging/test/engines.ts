/** Two real browsers, each with the few things that these tests do with one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

/** What became of a page. */
export interface Visit {
  /** The text of its body once it was as waited for, or when patience ended. */
  text: string;
  /** Exceptions that nobody caught, and all that the console calls an error. */
  errors: string[];
}

/** A browser. */
export interface Engine {
  /** Opens a page with storage and workers of its own, until its text is as wanted or it has an error nobody caught. */
  visit(url: string, wanted: RegExp): Promise<Visit>;
  close(): Promise<void>;
}

/** The part of a page that both drivers have. */
interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(script: string): Promise<unknown>;
  on(event: 'pageerror', listener: (error: unknown) => void): unknown;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): unknown;
}

const PATIENCE_MS = 20_000;
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

async function visited(page: Page, url: string, wanted: RegExp): Promise<Visit> {
  const errors: string[] = [];
  const uncaught = new Promise<void>((resolve) => {
    page.on('pageerror', (error) => {
      errors.push(String(error));
      resolve();
    });
  });
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url);
  // In the page, so that it is told at once when the text changes.
  const asWanted = page.evaluate(`new Promise((resolve) => {
    const end = () => { observer.disconnect(); clearTimeout(timeout); resolve(); };
    const look = () => { if (${String(wanted)}.test(document.body?.innerText ?? '')) end(); };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true, characterData: true });
    const timeout = setTimeout(end, ${PATIENCE_MS});
    look();
  })`);
  await Promise.race([asWanted, uncaught]);
  // It is over when the page closes.
  asWanted.catch(() => {});
  const text = (await page.evaluate(`document.body?.innerText ?? ''`)) as string;
  return { text, errors };
}

/** Debian's Chromium. */
export async function openChromium(): Promise<Engine> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS.split(' '),
  });
  return {
    async visit(url, wanted) {
      const context = await browser.newContext();
      const page = await context.newPage();
      try {
        return await visited(page as never, url, wanted);
      } finally {
        await context.close();
      }
    },
    close: () => browser.close(),
  };
}

/** Debian's Firefox ESR, by WebDriver BiDi. */
export async function openFirefox(): Promise<Engine> {
  const userDataDir = await mkdtemp(join(tmpdir(), 'wasmqtt-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    userDataDir,
    headless: true,
  });
  return {
    async visit(url, wanted) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      try {
        return await visited(page as never, url, wanted);
      } finally {
        await page.close();
        await context.close();
      }
    },
    async close() {
      await browser.close();
      await rm(userDataDir, { recursive: true, force: true });
    },
  };
}
