/** Two clients and a broker: what the one publishes the other receives, at once or when it is back. */
import type { MqttClient } from 'mqtt';
import { appendLine, find, make, onAct, text } from '../dom.js';
import { connect } from '../snippets/tab.js';

/** Wires the example up. */
export async function start(section: HTMLElement): Promise<void> {
  const kitchen = await connect('kitchen');
  const publishing = find<HTMLFormElement>(section, '#kitchen');
  onAct(publishing, 'submit', () => {
    const form = new FormData(publishing);
    const qos = Number(form.get('qos')) as 0 | 1 | 2;
    return kitchen.publishAsync(String(form.get('topic')), String(form.get('payload')), {
      qos,
      retain: form.has('retain'),
    });
  });
  await startPhone(find(section, '#phone'));
}

async function startPhone(card: HTMLElement): Promise<void> {
  const list = find(card, '.messages');
  const state = find(card, '[data-state]');
  const plug = find(card, '[data-plug]');
  const subscribing = find<HTMLFormElement>(card, 'form');
  let phone: MqttClient | undefined;

  const plugIn = async () => {
    phone = await connect('phone');
    // What its Session kept comes before anybody could ask.
    phone.on('message', (topic, payload, { qos, retain }) => {
      const marks = make('small', {}, `QoS ${qos}${retain ? ', retained' : ''}`);
      appendLine(list, make('li', {}, make('b', {}, text(payload)), ` ${topic} `, marks), 50);
    });
    state.textContent = 'connected';
    plug.textContent = 'Unplug the phone';
  };
  const unplug = () => {
    // As if the network had failed: no DISCONNECT.
    phone?.stream.destroy();
    phone = undefined;
    state.textContent = 'unplugged';
    plug.textContent = 'Plug the phone in';
  };
  const subscribe = async () => {
    if (phone === undefined) throw new Error('the phone is unplugged');
    await phone.subscribeAsync(String(new FormData(subscribing).get('filter')), { qos: 2 });
  };

  await plugIn();
  await subscribe();
  onAct(subscribing, 'submit', subscribe);
  onAct(plug, 'click', () => (phone === undefined ? plugIn() : unplug()));
}
