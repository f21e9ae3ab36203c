// The Gallery as a page of its own: gallery.html?lang=ko&theme=dark&only=map,ladder.

import { render } from 'preact';
import init, { Stage } from '../../generated/stage.js';
import { en } from '../i18n/en';
import { ko } from '../i18n/ko';
import { inLanguage } from '../i18n/text';
import type { Described } from '../stage/types';
import { ladderSvg } from '../view/ladder_svg';
import { CrowdPage } from './Crowd';
import { Gallery } from './Gallery';
import type { Shots } from './shots';
import { setDescribe } from './states';

const asked = new URLSearchParams(location.search);
const language = asked.get('lang') === 'ko' ? 'ko' : 'en';
const theme = asked.get('theme');
const only = asked.get('only')?.split(',');

const root = document.documentElement;
root.lang = language;
if (theme) root.dataset.theme = theme;
const t = language === 'ko' ? ko : en;
document.title = `${t.gallery.title} – ${t.title}`;

await init({ module_or_path: 'stage_bg.wasm' });
setDescribe((bytes, level, toBroker) => JSON.parse(Stage.describe(bytes, level, toBroker)) as Described);

const crowd = asked.get('crowd');
if (crowd) render(<CrowdPage t={t} language={language} view={crowd} />, document.body);
else {
  const shots = (await (await fetch('gallery.json')).json()) as Shots;
  // For tests: the exported pictures, read by a real parser.
  Object.assign(globalThis, {
    ladderSvgs: () =>
      Object.values(shots).map(({ entries, people }) => ladderSvg(entries, inLanguage(people, language), t, language)),
  });
  render(<Gallery t={t} language={language} shots={shots} {...(only ? { only } : {})} />, document.body);
}
root.dataset.ready = 'true';
