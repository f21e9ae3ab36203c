// The forms of the sandbox: every field of CONNECT, PUBLISH and SUBSCRIBE, of a link, and bytes as they are.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Field as FieldWords } from '../../i18n/facts';
import type { ConnectOptions, Message, PacketName, StageCommand, Toward } from '../../stage/types';
import { CheckField, ChoiceField, QOS_OPTIONS, TextField } from '../field';
import { Icon } from '../icons';
import { useShell } from '../shell';
import { submitsBy } from '../submit';
import {
  type ConnectDraft,
  connectOf,
  EMPTY_SUBSCRIBE,
  type LinkDraft,
  linkOf,
  type Made,
  messageOf,
  type Pairs,
  type Problem,
  type Problems,
  type PublishDraft,
  rawOf,
  type SubscribeDraft,
  subscribeOf,
} from './drafts';

function useProblemWords(): (problem: Problem | undefined) => string | null {
  const { t } = useShell();
  return (problem) => {
    if (!problem) return null;
    const words = t.sandbox.problems;
    switch (problem.is) {
      case 'required':
        return words.required;
      case 'wildcard':
        return words.wildcard;
      case 'tooLong':
        return words.tooLong;
      case 'number':
        return words.number(problem.min, problem.max);
      case 'taken':
        return words.taken(problem.name);
      case 'hex':
        return t.packet.notHex(1);
    }
  };
}

interface FormProps {
  readonly title?: string;
  readonly submit: string;
  readonly onSubmit: () => void;
  readonly children: ComponentChildren;
}

export function Form({ title, submit, onSubmit, children }: FormProps) {
  return (
    <form class="form" noValidate {...submitsBy(onSubmit)}>
      {title && <h4>{title}</h4>}
      {children}
      <button type="button" class="button button-main" onClick={onSubmit}>
        {submit}
      </button>
    </form>
  );
}

/** Keeps a draft, and what was wrong with it when somebody wanted to give it. */
function useDraft<T extends object>(first: T) {
  const [draft, setDraft] = useState(first);
  const [problems, setProblems] = useState<Problems>({});
  const words = useProblemWords();
  return {
    draft,
    set: (some: Partial<T>) => {
      setDraft({ ...draft, ...some });
      const rest = Object.entries(problems).filter(([field]) => !(field in some));
      setProblems(Object.fromEntries(rest));
    },
    problem: (field: string) => words(problems[field]),
    give: <M,>(made: Made<M>, use: (value: M) => void) => {
      if ('problems' in made) setProblems(made.problems);
      else {
        setProblems({});
        use(made.value);
      }
    },
  };
}

function Properties({ words, value, onValue }: { words: FieldWords; value: Pairs; onValue: (value: Pairs) => void }) {
  const { t } = useShell();
  const put = (index: number, pair: readonly [string, string]) =>
    onValue(value.map((one, at) => (at === index ? pair : one)));
  return (
    <fieldset class="properties">
      <legend>{words.label}</legend>
      {value.map(([name, text], index) => (
        // Rows are told apart by their place: a name may be there twice.
        <div key={index} class="properties-row">
          <input
            aria-label={t.app.propertyName}
            value={name}
            onInput={(e) => put(index, [e.currentTarget.value, text])}
          />
          <input
            aria-label={t.app.propertyValue}
            value={text}
            onInput={(e) => put(index, [name, e.currentTarget.value])}
          />
          <button
            type="button"
            class="tool"
            aria-label={t.app.removeProperty}
            title={t.app.removeProperty}
            onClick={() => onValue(value.filter((_, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button type="button" class="button button-small" onClick={() => onValue([...value, ['', '']])}>
        <Icon name="plus" />
        {t.sandbox.publish.addUser}
      </button>
    </fieldset>
  );
}

interface MessageFieldsProps {
  readonly draft: PublishDraft;
  readonly set: (some: Partial<PublishDraft>) => void;
  readonly problem: (field: string) => string | null;
  readonly v5: boolean;
  /** A Will's fields have names of their own. */
  readonly will?: boolean;
}

function MessageFields({ draft, set, problem, v5, will }: MessageFieldsProps) {
  const { t } = useShell();
  const { publish, connect } = t.sandbox;
  const formats = t.app.payloadFormats;
  return (
    <>
      <TextField
        words={will ? connect.willTopic : publish.topic}
        mono
        value={draft.topic}
        onValue={(topic) => set({ topic })}
        problem={problem('topic')}
      />
      <TextField
        words={will ? connect.willPayload : publish.payload}
        mono
        value={draft.payload}
        onValue={(payload) => set({ payload })}
      />
      <div class="form-row">
        <ChoiceField
          words={will ? connect.willQos : publish.qos}
          value={draft.qos}
          options={QOS_OPTIONS}
          onValue={(qos) => set({ qos })}
        />
        <CheckField
          words={will ? connect.willRetain : publish.retain}
          value={draft.retain}
          onValue={(retain) => set({ retain })}
        />
      </div>
      {v5 && (
        <details class="form-more">
          <summary>MQTT 5.0</summary>
          <TextField
            words={publish.expiry}
            type="number"
            value={draft.expiry}
            onValue={(expiry) => set({ expiry })}
            problem={problem('expiry')}
          />
          <ChoiceField
            words={t.app.payloadIsText}
            value={draft.format}
            options={[
              ['none', formats.none],
              ['bytes', formats.bytes],
              ['text', formats.text],
            ]}
            onValue={(format) => set({ format })}
          />
          <TextField
            words={publish.contentType}
            value={draft.contentType}
            onValue={(contentType) => set({ contentType })}
            problem={problem('contentType')}
          />
          <TextField
            words={publish.responseTopic}
            mono
            value={draft.responseTopic}
            onValue={(responseTopic) => set({ responseTopic })}
            problem={problem('responseTopic')}
          />
          <TextField
            words={publish.correlation}
            value={draft.correlation}
            onValue={(correlation) => set({ correlation })}
            problem={problem('correlation')}
          />
          <Properties words={publish.user} value={draft.user} onValue={(user) => set({ user })} />
        </details>
      )}
    </>
  );
}

interface PublishFormProps {
  readonly first: PublishDraft;
  readonly v5: boolean;
  readonly onGive: (message: Message) => void;
}

export function PublishForm({ first, v5, onGive }: PublishFormProps) {
  const { t } = useShell();
  const { draft, set, problem, give } = useDraft(first);
  return (
    <Form submit={t.sandbox.verbs.publish} onSubmit={() => give(messageOf(draft, v5), onGive)}>
      <MessageFields draft={draft} set={set} problem={problem} v5={v5} />
    </Form>
  );
}

interface GiveProps {
  readonly who: string;
  readonly onGive: (command: StageCommand) => void;
}

export function SubscribeForm({ who, v5, filter, onGive }: GiveProps & { v5: boolean; filter: string }) {
  const { t } = useShell();
  const { subscribe, verbs } = t.sandbox;
  const { draft, set, problem, give } = useDraft<SubscribeDraft>({ ...EMPTY_SUBSCRIBE, filter });
  const handlings = subscribe.retainHandlings;
  return (
    <Form submit={verbs.subscribe} onSubmit={() => give(subscribeOf(who, draft, v5), onGive)}>
      <TextField
        words={subscribe.filter}
        mono
        value={draft.filter}
        onValue={(value) => set({ filter: value })}
        problem={problem('filter')}
      />
      <ChoiceField words={subscribe.qos} value={draft.qos} options={QOS_OPTIONS} onValue={(qos) => set({ qos })} />
      {v5 && (
        <details class="form-more">
          <summary>MQTT 5.0</summary>
          <CheckField words={subscribe.noLocal} value={draft.noLocal} onValue={(noLocal) => set({ noLocal })} />
          <CheckField
            words={subscribe.retainAsPublished}
            value={draft.retainAsPublished}
            onValue={(retainAsPublished) => set({ retainAsPublished })}
          />
          <ChoiceField
            words={subscribe.retainHandling}
            value={draft.retainHandling}
            options={(['0', '1', '2'] as const).map((value) => [value, `${value}: ${handlings[Number(value)] ?? ''}`])}
            onValue={(retainHandling) => set({ retainHandling })}
          />
          <TextField
            words={subscribe.identifier}
            type="number"
            value={draft.identifier}
            onValue={(identifier) => set({ identifier })}
            problem={problem('identifier')}
          />
        </details>
      )}
    </Form>
  );
}

export function UnsubscribeForm({ who, filters, onGive }: GiveProps & { readonly filters: readonly string[] }) {
  const { t } = useShell();
  const { draft, set } = useDraft({ filter: filters[0] ?? '' });
  return (
    <Form
      submit={t.sandbox.verbs.unsubscribe}
      onSubmit={() => draft.filter && onGive({ do: 'unsubscribe', who, filter: draft.filter })}
    >
      <ChoiceField
        words={t.sandbox.subscribe.filter}
        value={draft.filter}
        options={filters.map((filter) => [filter, filter])}
        onValue={(filter) => set({ filter })}
      />
    </Form>
  );
}

const VERSIONS = [
  ['5.0', 'MQTT 5.0'],
  ['3.1.1', 'MQTT 3.1.1'],
  ['3.1', 'MQTT 3.1'],
] as const;

interface ConnectFormProps {
  readonly first: ConnectDraft;
  readonly onGive: (options: ConnectOptions) => void;
}

export function ConnectForm({ first, onGive }: ConnectFormProps) {
  const { t } = useShell();
  const { connect, verbs, reconnect, ack, acks } = t.sandbox;
  const { draft, set, problem, give } = useDraft(first);
  const v5 = draft.version === '5.0';
  return (
    <Form submit={verbs.connect} onSubmit={() => give(connectOf(draft), onGive)}>
      <div class="form-row">
        <ChoiceField
          words={connect.version}
          value={draft.version}
          options={VERSIONS}
          onValue={(version) => set({ version })}
        />
        <TextField
          words={connect.keepAlive}
          type="number"
          value={draft.keepAlive}
          onValue={(keepAlive) => set({ keepAlive })}
          problem={problem('keepAlive')}
        />
      </div>
      <TextField
        words={connect.clientIdentifier}
        mono
        value={draft.clientIdentifier}
        onValue={(clientIdentifier) => set({ clientIdentifier })}
        problem={problem('clientIdentifier')}
      />
      <CheckField words={connect.cleanStart} value={draft.cleanStart} onValue={(cleanStart) => set({ cleanStart })} />
      {v5 && <ConnectV5 draft={draft} set={set} problem={problem} />}
      <details class="form-more">
        <summary>
          {connect.userName.label}, {connect.password.label}
        </summary>
        <TextField
          words={connect.userName}
          value={draft.userName}
          onValue={(userName) => set({ userName })}
          problem={problem('userName')}
        />
        <TextField
          words={connect.password}
          value={draft.password}
          onValue={(password) => set({ password })}
          problem={problem('password')}
        />
      </details>
      <fieldset class="form-will">
        <CheckField words={connect.will} value={draft.hasWill} onValue={(hasWill) => set({ hasWill })} />
        {draft.hasWill && (
          <>
            <MessageFields
              draft={draft.will}
              set={(some) => set({ will: { ...draft.will, ...some } })}
              problem={(field) => problem(`will.${field}`)}
              v5={v5}
              will
            />
            {v5 && (
              <TextField
                words={connect.willDelay}
                type="number"
                value={draft.willDelay}
                onValue={(willDelay) => set({ willDelay })}
                problem={problem('willDelay')}
              />
            )}
          </>
        )}
      </fieldset>
      <div class="form-row">
        <TextField
          words={reconnect}
          type="number"
          value={draft.reconnect}
          onValue={(value) => set({ reconnect: value })}
          problem={problem('reconnect')}
        />
        <ChoiceField
          words={ack}
          value={draft.ack}
          options={[
            ['auto', acks.auto],
            ['manual', acks.manual],
          ]}
          onValue={(value) => set({ ack: value })}
        />
      </div>
    </Form>
  );
}

interface ConnectV5Props {
  readonly draft: ConnectDraft;
  readonly set: (some: Partial<ConnectDraft>) => void;
  readonly problem: (field: string) => string | null;
}

function ConnectV5({ draft, set, problem }: ConnectV5Props) {
  const { t } = useShell();
  const { connect } = t.sandbox;
  const numbers = [
    ['sessionExpiry', connect.sessionExpiry],
    ['receiveMaximum', connect.receiveMaximum],
    ['maximumPacketSize', t.app.maximumPacketSize],
    ['topicAliasMaximum', t.app.topicAliasMaximum],
  ] as const;
  return (
    <details class="form-more">
      <summary>MQTT 5.0</summary>
      {numbers.map(([field, words]) => (
        <TextField
          key={field}
          words={words}
          type="number"
          value={draft[field]}
          onValue={(value) => set({ [field]: value })}
          problem={problem(field)}
        />
      ))}
      <CheckField
        words={t.app.requestResponse}
        value={draft.requestResponse}
        onValue={(requestResponse) => set({ requestResponse })}
      />
      <CheckField
        words={t.app.requestProblem}
        value={draft.requestProblem}
        onValue={(requestProblem) => set({ requestProblem })}
      />
      <Properties words={t.app.userConnect} value={draft.user} onValue={(user) => set({ user })} />
    </details>
  );
}

export function LinkForm({ who, first, onGive }: GiveProps & { readonly first: LinkDraft }) {
  const { t } = useShell();
  const { link } = t.sandbox;
  const { draft, set, problem, give } = useDraft(first);
  return (
    <Form submit={t.apply} onSubmit={() => give(linkOf(who, draft), onGive)}>
      {(['latency', 'jitter', 'bandwidth'] as const).map((field) => (
        <TextField
          key={field}
          words={link[field]}
          type="number"
          value={draft[field]}
          onValue={(value) => set({ [field]: value })}
          problem={problem(field)}
        />
      ))}
    </Form>
  );
}

const PACKETS: readonly PacketName[] = [
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'CONNECT',
  'CONNACK',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
];

export function CutWhenForm({ who, onGive }: GiveProps) {
  const { t } = useShell();
  const { link, verbs } = t.sandbox;
  const first = {
    packet: 'PUBACK' as PacketName,
    toward: 'broker' as Toward,
    nth: '1',
    at: 'half_way' as 'sent' | 'half_way' | 'delivered',
  };
  const { draft, set, problem, give } = useDraft(first);
  const made = (): Made<StageCommand> => {
    const nth = Number(draft.nth);
    if (!Number.isInteger(nth) || nth < 1 || nth > 1000)
      return { problems: { nth: { is: 'number', min: 1, max: 1000 } } };
    return { value: { do: 'cut_when', who, packet: draft.packet, toward: draft.toward, nth, at: draft.at } };
  };
  return (
    <Form submit={verbs.cutWhen} onSubmit={() => give(made(), onGive)}>
      <div class="form-row">
        <ChoiceField
          words={link.packet}
          value={draft.packet}
          options={PACKETS.map((packet) => [packet, packet])}
          onValue={(packet) => set({ packet })}
        />
        <TextField
          words={link.nth}
          type="number"
          value={draft.nth}
          onValue={(nth) => set({ nth })}
          problem={problem('nth')}
        />
      </div>
      <ChoiceField
        words={link.toward}
        value={draft.toward}
        options={[
          ['broker', link.towards.broker],
          ['client', link.towards.client],
        ]}
        onValue={(toward) => set({ toward })}
      />
      <ChoiceField
        words={link.at}
        value={draft.at}
        options={[
          ['sent', link.moments.sent],
          ['half_way', link.moments.half_way],
          ['delivered', link.moments.delivered],
        ]}
        onValue={(at) => set({ at })}
      />
    </Form>
  );
}

export function HalfOpenForm({ who, onGive }: GiveProps) {
  const { t } = useShell();
  const { link, verbs } = t.sandbox;
  const { draft, set } = useDraft({ toward: 'both' as Toward | 'both' });
  return (
    <Form submit={verbs.halfOpen} onSubmit={() => onGive({ do: 'half_open', who, toward: draft.toward })}>
      <ChoiceField
        words={link.toward}
        value={draft.toward}
        options={[
          ['both', link.towards.both],
          ['broker', link.towards.broker],
          ['client', link.towards.client],
        ]}
        onValue={(toward) => set({ toward })}
      />
    </Form>
  );
}

export function RawForm({ who, onGive }: GiveProps) {
  const { t } = useShell();
  const { draft, set, problem, give } = useDraft({ hex: 'c0 00' });
  return (
    <Form submit={t.sandbox.verbs.raw} onSubmit={() => give(rawOf(who, draft.hex), onGive)}>
      <TextField
        words={t.sandbox.raw}
        mono
        value={draft.hex}
        onValue={(hex) => set({ hex })}
        problem={problem('hex')}
      />
    </Form>
  );
}
