/** One broker that all tabs of this site share, and a lamp that all of them dim. */
import { find, make, onAct, text } from '../dom.js';
import { broker, client, clientId, dim } from '../snippets/tabs.js';

const MODES = {
  'shared-worker': 'in a SharedWorker',
  tab: 'in a tab that the tabs elected',
  own: 'in this tab alone',
};

/** Wires the example up. */
export async function start(section: HTMLElement): Promise<void> {
  const mode = find(section, '[data-mode]');
  const epoch = find(section, '[data-epoch]');
  const lamp = find<HTMLInputElement>(section, '[name=brightness]');
  const list = find(section, '.tabs');
  const tabs = new Set<string>();

  const showHost = () => {
    mode.textContent = MODES[broker.mode];
    epoch.textContent = `host number ${broker.epoch}${broker.why === undefined ? '' : ` (${broker.why})`}`;
  };
  const showLamp = (percent: number) => {
    find(section, 'output').textContent = String(percent);
    find(section, '[data-bulb]').style.setProperty('--light', String(percent / 100));
  };
  const showTabs = () => {
    const lines = [...tabs].sort().map((id) => make('li', id === clientId ? { class: 'here' } : {}, id));
    list.replaceChildren(...lines);
  };

  client.on('message', (topic, payload) => {
    const [, id = ''] = topic.split('/');
    if (topic === 'lamp/brightness') {
      lamp.value = text(payload);
      showLamp(lamp.valueAsNumber);
      return;
    }
    // A Will without a payload takes back what was retained.
    if (payload.length > 0) tabs.add(id);
    else tabs.delete(id);
    showTabs();
  });
  // After a move the next host knows nothing of this client: Sessions last only with storage.
  broker.on('moved', showHost);
  await client.publishAsync(`tabs/${clientId}`, 'here', { retain: true });
  onAct(lamp, 'input', () => {
    showLamp(lamp.valueAsNumber);
    dim(lamp.valueAsNumber);
  });
  showHost();
  showLamp(lamp.valueAsNumber);
}
