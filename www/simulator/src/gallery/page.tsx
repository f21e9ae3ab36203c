// The Gallery as a page of its own: gallery.html?lang=ko&theme=dark&only=map,ladder.

import { render } from 'preact';
import { en } from '../i18n/en';
import { ko } from '../i18n/ko';
import { Gallery } from './Gallery';
import type { Shots } from './shots';

const asked = new URLSearchParams(location.search);
const language = asked.get('lang') === 'ko' ? 'ko' : 'en';
const theme = asked.get('theme');
const only = asked.get('only')?.split(',');

const root = document.documentElement;
root.lang = language;
if (theme) root.dataset.theme = theme;
const t = language === 'ko' ? ko : en;
document.title = `${t.gallery.title} – ${t.title}`;

const shots = (await (await fetch('gallery.json')).json()) as Shots;
render(<Gallery t={t} language={language} shots={shots} {...(only ? { only } : {})} />, document.body);
root.dataset.ready = 'true';
