/** A broker on a clock that is moved by hand, and snapshots to return to. */
import { find, make, onAct } from '../dom.js';
import { broker, goBack, knock, save, wait } from '../snippets/moments.js';

const clock = () => new Date(broker.now()).toISOString().slice(0, 16).replace('T', ' ');

function session(): string {
  const guest = broker.inspect('guest');
  if (guest === undefined) return 'The Session of the guest has ended, and its knocks with it.';
  const minutes = Math.ceil(((guest.expiresAt ?? 0) - broker.now()) / 60_000);
  const knocks = guest.queue.length === 1 ? '1 knock waits' : `${guest.queue.length} knocks wait`;
  return `The Session of the guest is kept for ${minutes} more minutes; ${knocks}.`;
}

/** Wires the example up. */
export async function start(section: HTMLElement): Promise<void> {
  const list = find(section, '.moments');
  const show = () => {
    find(section, '[data-clock]').textContent = clock();
    find(section, '[data-session]').textContent = session();
  };
  onAct(find(section, '[data-knock]'), 'click', async () => {
    knock();
    await broker.idle();
    show();
  });
  for (const button of section.querySelectorAll<HTMLElement>('[data-wait]')) {
    onAct(button, 'click', async () => {
      await wait(Number(button.dataset.wait));
      show();
    });
  }
  onAct(find(section, '[data-save]'), 'click', () => {
    const snapshot = save();
    const size = `${snapshot.length.toLocaleString('en')} bytes`;
    const back = make('button', { type: 'button' }, 'Go back');
    list.append(make('li', {}, make('span', {}, `${clock()} `, make('small', {}, `${session()} ${size}`)), back));
    onAct(back, 'click', () => {
      goBack(snapshot);
      show();
    });
  });
  await broker.idle();
  show();
}
