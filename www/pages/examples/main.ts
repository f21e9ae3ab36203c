/** Puts its code beside each example and starts all; one that can't start says why and stops no other. */
import { codePanel } from './code.js';
import { find, make } from './dom.js';

const DEMOS = {
  tab: () => import('./demos/tab.js'),
  packets: () => import('./demos/packets.js'),
  moments: () => import('./demos/moments.js'),
  tabs: () => import('./demos/tabs.js'),
  storage: () => import('./demos/storage.js'),
};

for (const demo of document.querySelectorAll<HTMLElement>('.demo')) demo.append(codePanel(demo.dataset.code ?? ''));

await Promise.all(
  Object.entries(DEMOS).map(async ([name, load]) => {
    const section = find(document, `#${name}`);
    try {
      await (await load()).start(section);
      section.dataset.started = '';
    } catch (error) {
      find(section, '.card').append(make('p', { class: 'wrong', role: 'alert' }, String(error)));
    }
  }),
);
document.documentElement.dataset.ready = '';
