/** The log of the broker of the first example: packets with their bytes, and decisions in words. */
import type { DecisionEvent, PacketEvent } from 'wasmqtt';
import { appendLine, find, make, onAct } from '../dom.js';
import { follow } from '../snippets/packets.js';

const BYTES_SHOWN = 256;

function hex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, BYTES_SHOWN), (byte) => byte.toString(16).padStart(2, '0'));
  const lines = [];
  for (let at = 0; at < shown.length; at += 16) lines.push(shown.slice(at, at + 16).join(' '));
  return lines.join('\n') + (bytes.length > BYTES_SHOWN ? `\n... ${bytes.length - BYTES_SHOWN} more bytes` : '');
}

function packetLine({ clientIdentifier = 'new client', from, name, bytes }: PacketEvent): HTMLElement {
  const arrow = from === 'client' ? '\u2192 broker' : '\u2190 broker';
  const size = `${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'}`;
  const summary = make('summary', {}, make('b', {}, name), ` ${clientIdentifier} ${arrow} `, make('small', {}, size));
  return make('li', { class: from }, make('details', {}, summary, make('pre', {}, hex(bytes))));
}

function decisionLine(event: DecisionEvent): HTMLElement | undefined {
  switch (event.type) {
    case 'published': {
      const who = event.clientIdentifier ?? 'the broker';
      return make('li', { class: 'decision' }, `${who} published to ${event.topic}, QoS ${event.qos}`);
    }
    case 'delivered':
      return make('li', { class: 'decision' }, `${event.how} for ${event.clientIdentifier}: ${event.filter} matches`);
    case 'not-delivered': {
      const { reason, filter } = event.why;
      const why = `${reason.replaceAll('-', ' ')}${filter === undefined ? '' : ` (${filter})`}`;
      return make('li', { class: 'decision not' }, `not for ${event.clientIdentifier}: ${why}`);
    }
  }
}

/** Wires the example up. */
export async function start(section: HTMLElement): Promise<void> {
  const list = find(section, '.log');
  const decisions = find<HTMLInputElement>(section, '[name=decisions]');
  const pings = find<HTMLInputElement>(section, '[name=pings]');
  onAct(find(section, '[data-clear]'), 'click', () => list.replaceChildren());
  const show = (line: HTMLElement | undefined) => line && appendLine(list, line);
  void follow((traced) => {
    if (traced.name === 'packet') {
      if (pings.checked || !traced.event.name.startsWith('PING')) show(packetLine(traced.event));
    } else if (traced.name === 'decision' && decisions.checked) show(decisionLine(traced.event));
  });
}
