/** Notes that are there after a reload, and a broker that says so when another tab has them. */
import type { StorageEvent } from 'wasmqtt';
import { find, make, onAct, text } from '../dom.js';

/** Wires the example up. */
export async function start(section: HTMLElement): Promise<void> {
  const opened = find(section, '[data-opened]');
  const list = find(section, '.notes');
  const form = find<HTMLFormElement>(section, 'form');
  const stored = await import('../snippets/storage.js').catch((error: unknown) => {
    opened.remove();
    throw error;
  });
  const { broker, forget, note, notes, save } = stored;
  const show = () => {
    list.replaceChildren(...notes().map(({ payload }) => make('li', {}, text(payload))));
    if (list.childElementCount === 0) list.append(make('li', { class: 'none' }, 'nothing yet'));
  };
  const tell = (event: StorageEvent) => {
    if (event.type !== 'opened') opened.textContent = `storage: ${event.type}`;
    else opened.textContent = `${event.storage} is open; records read: ${event.records}.`;
  };
  void stored.opened.then(tell);
  broker.on('storage', tell);
  onAct(form, 'submit', async () => {
    note(String(new FormData(form).get('text')));
    await broker.idle();
    show();
  });
  onAct(find(section, '[data-reload]'), 'click', () => location.reload());
  onAct(find(section, '[data-save]'), 'click', async () => {
    const url = URL.createObjectURL(await save());
    make('a', { href: url, download: 'notes.wasmqtt' }).click();
    URL.revokeObjectURL(url);
  });
  onAct(find(section, '[data-forget]'), 'click', async () => {
    await forget();
    location.reload();
  });
  show();
}
