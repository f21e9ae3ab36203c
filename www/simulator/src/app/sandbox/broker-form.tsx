// The broker: its limits, who may do what, and its restarts.

import { useState } from 'preact/hooks';
import type { Field as FieldWords } from '../../i18n/facts';
import type { BrokerLimits, StageCommand } from '../../stage/types';
import { CheckField, ChoiceField, numberIn, QOS_OPTIONS, TextField } from '../field';
import { useShell } from '../shell';
import { Form } from './forms';

const U16_MAX = 65_535;
const U32_MAX = 4_294_967_295;

/** The numbers: field of the command, smallest, largest. */
const NUMBERS = [
  ['receive_maximum', 1, U16_MAX],
  ['in_flight_max', 1, U16_MAX],
  ['queue_messages_max', 0, 1_000_000],
  ['keep_alive_max_s', 1, U16_MAX],
  ['session_expiry_max_s', 0, U32_MAX],
  ['topic_alias_maximum', 0, U16_MAX],
  ['packet_bytes_max', 64, 268_435_455],
] as const;
const FLAGS = ['retain_available', 'wildcard_subscription_available', 'shared_subscription_available'] as const;

type NumberField = (typeof NUMBERS)[number][0];

export function BrokerForm({
  limits,
  onGive,
}: {
  readonly limits: BrokerLimits;
  readonly onGive: (c: StageCommand) => void;
}) {
  const { t } = useShell();
  const { brokerForm, problems: words } = t.sandbox;
  const { limits: more } = t.app;
  const names: Readonly<Record<string, FieldWords>> = {
    receive_maximum: brokerForm.receiveMaximum,
    in_flight_max: more.inFlight,
    queue_messages_max: brokerForm.queue,
    keep_alive_max_s: more.keepAliveMax,
    session_expiry_max_s: more.sessionExpiryMax,
    topic_alias_maximum: more.topicAliasMaximum,
    packet_bytes_max: more.packetBytesMax,
    retain_available: more.retainAvailable,
    wildcard_subscription_available: more.wildcards,
    shared_subscription_available: more.shared,
  };
  const [numbers, setNumbers] = useState<Partial<Record<NumberField, string>>>({});
  const [flags, setFlags] = useState<Partial<Record<(typeof FLAGS)[number], boolean>>>({});
  const [qos, setQos] = useState(String(limits.maximum_qos ?? 2) as '0' | '1' | '2');
  const [publish, setPublish] = useState((limits.permissions?.publish?.deny ?? []).join('\n'));
  const [subscribe, setSubscribe] = useState((limits.permissions?.subscribe?.deny ?? []).join('\n'));
  const textOf = (field: NumberField) => numbers[field] ?? (limits[field] === undefined ? '' : String(limits[field]));
  const problem = (field: NumberField, min: number, max: number) =>
    numberIn(textOf(field), min, max) === undefined ? words.number(min, max) : null;
  const submit = () => {
    if (NUMBERS.some(([field, min, max]) => problem(field, min, max))) return;
    const given = NUMBERS.flatMap(([field, min, max]) => {
      const value = numberIn(textOf(field), min, max);
      return value == null ? [] : [[field, value] as const];
    });
    const deny = (text: string) => text.split('\n').filter((line) => line.trim() !== '');
    const rules = { publish: deny(publish), subscribe: deny(subscribe) };
    const set: BrokerLimits = {
      ...Object.fromEntries(given),
      ...Object.fromEntries(FLAGS.map((flag) => [flag, flags[flag] ?? limits[flag] ?? true])),
      maximum_qos: Number(qos) as 0 | 1 | 2,
      permissions: { publish: { deny: rules.publish }, subscribe: { deny: rules.subscribe } },
    };
    onGive({ do: 'broker', set });
  };
  return (
    <Form submit={t.apply} onSubmit={submit}>
      <ChoiceField words={brokerForm.maximumQos} value={qos} options={QOS_OPTIONS} onValue={setQos} />
      {NUMBERS.map(([field, min, max]) => (
        <TextField
          key={field}
          words={names[field] ?? { label: field, hint: '' }}
          type="number"
          placeholder={t.app.notSaid}
          value={textOf(field)}
          onValue={(value) => setNumbers({ ...numbers, [field]: value })}
          problem={problem(field, min, max)}
        />
      ))}
      {FLAGS.map((flag) => (
        <CheckField
          key={flag}
          words={names[flag] ?? { label: flag, hint: '' }}
          value={flags[flag] ?? limits[flag] ?? true}
          onValue={(value) => setFlags({ ...flags, [flag]: value })}
        />
      ))}
      <Lines words={more.denyPublish} value={publish} onValue={setPublish} />
      <Lines words={more.denySubscribe} value={subscribe} onValue={setSubscribe} />
    </Form>
  );
}

function Lines(props: {
  readonly words: FieldWords;
  readonly value: string;
  readonly onValue: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{props.words.label}</span>
      <textarea
        class="mono"
        rows={2}
        spellcheck={false}
        value={props.value}
        onInput={(event) => props.onValue(event.currentTarget.value)}
      />
      <small class="field-hint">{props.words.hint}</small>
    </label>
  );
}
