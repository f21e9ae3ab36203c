import { Broker } from 'wasmqtt';

const storage = 'idb:examples';

// What lasts is in IndexedDB before a client hears that it is kept.
export const broker = await Broker.create({ storage });
export const opened = /** @type {Promise<import('wasmqtt').StorageEvent>} */ (
  new Promise((resolve) => broker.on('storage', resolve))
);

export const note = (/** @type {string} */ text) =>
  broker.publish(`notes/${Date.now()}`, text, { qos: 1, retain: true });

export const notes = () => broker.inspect().retained.filter(({ topic }) => topic.startsWith('notes/'));

// The file is all that the broker keeps: `Broker.create({ storage: 'idb:other', import: file })`.
export const save = () => broker.export();

export async function forget() {
  await broker.close();
  await Broker.destroy(storage);
}
