// Why: for one message every client, whether it got it and through which Topic Filter, or the first reason why not. All of
// it is what the broker decided; nothing is guessed here.

import { useMemo } from 'preact/hooks';
import type { Decision, Outcome, Qos } from '../stage/types';
import { IconSvg, QosBadge, SignBadge } from './marks';
import type { Person, WhyProps, Words } from './props';
import { storyOf } from './story';
import { nameOf, whyNotWords } from './words';

const CHOICES_MAX = 100;

export default function WhyView(props: WhyProps) {
  const { why, t, people, selection, entries, onSelect } = props;
  const asked = selection && 'entry' in selection;
  return (
    <div class="view inspector why">
      <Choice {...props} />
      {!why && <p class="empty">{asked ? t.view.why.none : t.why.lead}</p>}
      {why && <Message {...props} />}
      {why?.fate && (
        <p class={`verdict ${why.fate === 'on_its_way' ? 'neutral' : 'bad'}`}>{t.view.why.fate[why.fate]}</p>
      )}
      {why?.message && (
        <>
          <p class="why-summary">
            {t.view.why.summary(why.clients.filter(({ is }) => is === 'delivered').length, why.clients.length)}
          </p>
          {why.clients.every(({ is }) => is !== 'delivered') && <p class="why-nobody">{t.why.nobody}</p>}
          <ul class="why-clients">
            {why.clients.map((outcome, index) => (
              <OutcomeRow
                key={`${outcome.who} ${outcome.n ?? index}`}
                outcome={outcome}
                message={why.message as Decision}
                person={people.find(({ id }) => id === outcome.who)}
                people={people}
                t={t}
                arrived={(packet) => storyOf(entries).byPacket.get(packet)?.fate ?? 'on_its_way'}
                onEntry={(entry) => onSelect({ entry })}
              />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Messages to choose from, the last one first. */
function Choice({ entries, playhead, people, t, why, onSelect }: WhyProps) {
  const story = storyOf(entries);
  const choices = useMemo(
    () =>
      story.published
        .filter((n) => n < playhead.entries)
        .slice(-CHOICES_MAX)
        .reverse(),
    [story, playhead.entries],
  );
  if (choices.length === 0) return null;
  return (
    <label class="field">
      <span class="field-name">{t.why.choose}</span>
      <select
        value={why?.published ?? ''}
        onChange={(event) => event.currentTarget.value && onSelect({ entry: Number(event.currentTarget.value) })}
      >
        {(why?.published == null || !choices.includes(why.published)) && (
          <option value={why?.published ?? ''}>…</option>
        )}
        {choices.map((n) => {
          const entry = entries[n];
          const decision = entry && 'decision' in entry ? entry.decision : undefined;
          return (
            <option key={n} value={n}>
              {n}: {decision?.topic} ({decision?.who === undefined ? t.broker : nameOf(decision.who, people)})
            </option>
          );
        })}
      </select>
    </label>
  );
}

function Message({ why, t, people, entries, onSelect }: WhyProps) {
  if (!why) return null;
  const { message, packet } = why;
  const flight = packet === null ? undefined : storyOf(entries).byPacket.get(packet);
  const topic = message?.topic ?? flight?.sent.topic ?? '';
  const qos = (message?.qos ?? flight?.sent.qos ?? 0) as Qos;
  const who = message?.who ?? flight?.sent.who;
  const name = who === undefined ? t.broker : nameOf(who, people);
  return (
    <div class="card">
      <p class="why-topic">
        <QosBadge qos={qos} label={t.view.qos(qos)} />
        <code>{topic}</code>
      </p>
      {why.payload !== null && <p class="why-payload">{why.payload === '' ? t.view.packet.empty : why.payload}</p>}
      <p class="soft">
        {packet === null && message ? t.view.why.willOf(name) : t.view.why.from(name)}
        {message?.retain && <SignBadge sign="retained" label={t.topics.retained} />}
      </p>
      {packet !== null && (
        <button type="button" class="link-button" onClick={() => onSelect({ entry: packet })}>
          PUBLISH, {t.view.line(packet)}
        </button>
      )}
    </div>
  );
}

interface OutcomeProps {
  readonly outcome: Outcome;
  readonly message: Decision;
  readonly person: Person | undefined;
  readonly people: readonly Person[];
  readonly t: Words;
  readonly arrived: (packet: number) => 'on_its_way' | 'delivered' | 'lost';
  readonly onEntry: (n: number) => void;
}

type State = 'sent' | 'queued' | 'no';

function OutcomeRow({ outcome, message, person, people, t, arrived, onEntry }: OutcomeProps) {
  const { decision, packets, told } = outcome;
  const name = person?.name ?? outcome.who;
  const state: State = outcome.is !== 'delivered' ? 'no' : decision?.how === 'queued' ? 'queued' : 'sent';
  const last = packets.at(-1);
  return (
    <li class={`why-client ${state}`}>
      <IconSvg icon={person?.icon ?? 'server'} size={22} />
      <div class="why-client-text">
        <p class="why-client-name">
          {name}
          <StateTag state={state} t={t} />
        </p>
        <p>{outcomeWords(outcome, message, name, people, t)}</p>
        {decision?.why === 'no_match' && decision.filter && (
          <Levels filter={decision.filter} topic={message.topic ?? ''} level={decision.level ?? 1} />
        )}
        {state !== 'no' && (decision?.qos ?? 0) < (message.qos ?? 0) && (
          <p class="soft">{t.why.lower(message.qos ?? 0, decision?.qos ?? 0)}</p>
        )}
        {state !== 'no' && last !== undefined && (
          <p class="soft">
            {told.length > 0
              ? t.view.why.told(told.length)
              : arrived(last) === 'lost'
                ? t.view.why.lostOnWay
                : arrived(last) === 'on_its_way'
                  ? t.view.why.notYet
                  : ''}
          </p>
        )}
        <p class="links">
          {packets.map((n) => (
            <button key={n} type="button" class="link-button" onClick={() => onEntry(n)}>
              PUBLISH, {t.view.line(n)}
            </button>
          ))}
          {decision && <span class="statement">{decision.statement.replace(/^(5|311):/, '')}</span>}
        </p>
      </div>
    </li>
  );
}

function outcomeWords(
  outcome: Outcome,
  message: Decision,
  client: string,
  people: readonly Person[],
  t: Words,
): string {
  const { decision } = outcome;
  if (!decision) return t.view.why.noSession;
  if (outcome.is !== 'delivered') return whyNotWords(decision, message.topic ?? '', people, t);
  const facts = {
    client,
    topic: message.topic ?? '',
    filter: decision.filter ?? '',
    qos: (decision.qos ?? 0) as Qos,
    retained: decision.retain === true,
  };
  return decision.how === 'queued' ? t.why.queued(facts) : t.why.delivered(facts);
}

function StateTag({ state, t }: { state: State; t: Words }) {
  const paths: { readonly [state in State]: string } = {
    sent: 'M-4 0L-1 3.2L4.5 -3.5',
    queued: 'M-4 0h.01M0 0h.01M4 0h.01',
    no: 'M-3 -3L3 3M3 -3L-3 3',
  };
  const words = { sent: t.view.why.sent, queued: t.view.why.queued, no: t.view.why.no }[state];
  return (
    <span class={`tag ${state}`}>
      <svg viewBox="-7 -7 14 14" width="14" height="14" aria-hidden="true">
        <path class="sign-line" d={paths[state]} />
      </svg>
      {words}
    </span>
  );
}

/** Filter and topic, level under level, up to where they part. */
export function Levels({ filter, topic, level }: { filter: string; topic: string; level: number }) {
  const [wanted, has] = [filter.split('/'), topic.split('/')];
  const count = Math.max(wanted.length, has.length);
  const cell = (text: string | undefined, index: number) => {
    const state = index + 1 < level ? 'match' : index + 1 === level ? 'fail' : 'rest';
    return (
      <td key={index} class={state}>
        <code>{text === undefined ? '–' : text === '' ? '∅' : text}</code>
      </td>
    );
  };
  return (
    <div class="levels">
      <table aria-hidden="true">
        <tbody>
          <tr>{Array.from({ length: count }, (_, index) => cell(wanted[index], index))}</tr>
          <tr>{Array.from({ length: count }, (_, index) => cell(has[index], index))}</tr>
        </tbody>
      </table>
    </div>
  );
}
