// One packet: its fields, its bytes and its bits, linked both ways; what led to it and what it led to; and the same bytes
// to change and send again.

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PacketView } from '../stage/types';
import { clock } from './clock';
import { kindOf, Shape, SignBadge } from './marks';
import { bytesOf, fieldAt, parseHex, pretty, statementName } from './packet/bytes';
import { Edit } from './packet/Edit';
import { Fields } from './packet/Fields';
import { Bits, Hex } from './packet/Hex';
import type { PacketProps } from './props';
import { storyOf } from './story';
import { nameOf, sentence } from './words';

export default function Packet(props: PacketProps) {
  const { packet, t } = props;
  return (
    <div class="view inspector packet-view">
      {packet ? <Opened {...props} key={packet.packet} packet={packet} /> : <p class="empty">{t.packet.lead}</p>}
    </div>
  );
}

function Opened(props: PacketProps & { packet: PacketView }) {
  const { packet, describe, onResend, canSend, people, t } = props;
  const { sent } = packet;
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const [byte, setByte] = useState<number | undefined>(undefined);
  const [text, setText] = useState(() => pretty(sent.bytes));
  const typed = parseHex(text);
  const hex = 'hex' in typed ? typed.hex : sent.bytes;
  const edited = hex !== sent.bytes;
  const described = useMemo(
    () => (edited ? describe(bytesOf(hex), sent.level, sent.toward === 'broker') : null),
    [hex, edited],
  );
  const fields = described ? described[0] : packet.fields;
  const error = described ? described[1] : packet.error;
  const bytes = useMemo(() => bytesOf(hex), [hex]);
  // Another packet under the same fields: what was chosen may not exist any more.
  useEffect(() => {
    if (chosen !== undefined && chosen >= fields.length) setChosen(undefined);
  }, [fields, chosen]);
  const choose = (index: number) => {
    setChosen(index);
    const field = fields[index];
    setByte(field && field.to > field.from ? field.from : undefined);
  };
  const look = (at: number) => {
    setByte(at);
    setChosen(fieldAt(fields, at));
  };
  const sender = sent.toward === 'broker' ? nameOf(sent.who, people) : undefined;
  return (
    <>
      <Head {...props} />
      <h3>{t.packet.fields}</h3>
      <Fields fields={fields} chosen={chosen} onChoose={choose} t={t} />
      <h3>
        {t.packet.bytes} <span class="soft">{t.packet.size(bytes.length)}</span>
      </h3>
      <Hex bytes={bytes} fields={fields} chosen={chosen} byte={byte} wrong={error?.[2]} onByte={look} t={t} />
      {byte !== undefined && byte < bytes.length && (
        <Bits bytes={bytes} fields={fields} chosen={chosen} byte={byte} onChoose={choose} t={t} />
      )}
      {error && !edited && (
        <p class="verdict bad">
          <strong>{t.view.packet.wrong(error[2])}.</strong> {t.view.rule(error[0]) || error[0]}{' '}
          <span class="statement">{statementName(error[1])}</span>
        </p>
      )}
      <Relatives {...props} />
      <details class="disclosure">
        <summary>{t.packet.edit}</summary>
        <Edit
          text={text}
          original={sent.bytes}
          described={described ?? [packet.fields, packet.error]}
          sender={sender}
          canSend={sent.toward === 'broker' && canSend(sent.who)}
          onText={setText}
          onReset={() => setText(pretty(sent.bytes))}
          onSend={onResend && ((bytesText) => onResend(sent.who, bytesText))}
          t={t}
        />
      </details>
    </>
  );
}

function Head({ packet, entries, people, t }: PacketProps & { packet: PacketView }) {
  const { sent, fate } = packet;
  const flight = storyOf(entries).byPacket.get(packet.packet);
  const client = nameOf(sent.who, people);
  const [from, to] = sent.toward === 'broker' ? [client, t.broker] : [t.broker, client];
  const end =
    fate === 'on_its_way'
      ? t.view.packet.onItsWay
      : fate === 'delivered'
        ? t.view.packet.arrived(clock(flight?.endAt ?? 0))
        : t.view.packet.lostAt(clock(flight?.endAt ?? 0), Math.round((flight?.howFar ?? 0) * 100));
  return (
    <div class="card packet-head">
      <p class="packet-title">
        <svg viewBox="-12 -12 24 24" width="24" height="24" aria-hidden="true">
          <Shape kind={kindOf(sent)} size={9} />
        </svg>
        <strong>{sent.type ?? t.view.noPacket}</strong>
        {sent.retain && <SignBadge sign="retained" label={t.ladder.retained} />}
        {flight?.will && <SignBadge sign="will" label={t.ladder.will} />}
        {sent.dup && <SignBadge sign="again" label={t.view.legendOf.again} />}
        {fate === 'lost' && <SignBadge sign="lost" label={t.ladder.lost} />}
      </p>
      <p>
        {from} → {to}
      </p>
      <p class="soft">
        {t.view.packet.sentAt(clock(flight?.at ?? 0))}, {end}
      </p>
    </div>
  );
}

/** What led to it, and what it led to. */
function Relatives({ packet, entries, people, t, onSelect }: PacketProps & { packet: PacketView }) {
  const link = (n: number) => {
    const entry = entries[n];
    return (
      <li key={n}>
        <button type="button" class="relative" onClick={() => onSelect({ entry: n })}>
          <span class="log-number">{n}</span>
          {entry ? sentence(entry, entries, people, t) : ''}
        </button>
      </li>
    );
  };
  return (
    <>
      <h3>{t.packet.causedBy}</h3>
      <ul class="relatives">
        {packet.cause === null ? <li class="soft">{t.view.packet.itself}</li> : link(packet.cause)}
      </ul>
      <h3>{t.packet.causes}</h3>
      <ul class="relatives">
        {packet.effects.length === 0 ? <li class="soft">{t.view.packet.nothingCaused}</li> : packet.effects.map(link)}
      </ul>
    </>
  );
}
