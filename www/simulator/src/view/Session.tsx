// A Session as the broker keeps it: what it has subscribed to, what waits, what is in flight and for which answer, how
// long the broker will wait for its client, and the Will that it would publish.

import type { Language } from '../i18n/text';
import { type KeptMessage, type Micros, type Qos, SESSION_NEVER_EXPIRES, type SessionView } from '../stage/types';
import { span } from './clock';
import { stateOf } from './map/Client';
import { IconSvg, QosBadge, SignBadge, WillSign } from './marks';
import type { SessionProps, Words } from './props';
import { nameOf } from './words';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

export default function Session(props: SessionProps) {
  const { client, sessions, people, t, onSelect } = props;
  const view = sessions.clients.find(({ who }) => who === client);
  const session = sessions.sessions.find(({ who }) => who === client);
  const person = people.find(({ id }) => id === client);
  return (
    <div class="view inspector session">
      <label class="field">
        <span class="field-name">{t.view.session.choose}</span>
        <select
          value={client ?? ''}
          onChange={(event) => event.currentTarget.value && onSelect({ client: event.currentTarget.value })}
        >
          {client === null && <option value="">…</option>}
          {sessions.clients.map(({ who }) => (
            <option key={who} value={who}>
              {nameOf(who, people)}
            </option>
          ))}
        </select>
      </label>
      {!view && <p class="empty">{t.session.lead}</p>}
      {view && (
        <div class="card session-head">
          <IconSvg icon={person?.icon ?? 'sensor'} size={28} />
          <div>
            <p>
              <strong>{nameOf(view.who, people)}</strong> <span class="tag neutral">{t.map.states[stateOf(view)]}</span>
            </p>
            <p class="soft">
              {t.view.session.identifier} <code>{view.client_identifier}</code>, MQTT {VERSIONS[view.level]}
            </p>
            {view.back_at !== null && (
              <p class="soft">{t.view.session.backIn(span(view.back_at - props.playhead.at, props.language))}</p>
            )}
            {view.unacknowledged > 0 && <p class="soft">{t.view.session.unacknowledged(view.unacknowledged)}</p>}
          </div>
        </div>
      )}
      {view && !session && <p class="empty">{t.session.none}</p>}
      {session && <Kept {...props} session={session} />}
    </div>
  );
}

function Kept(props: SessionProps & { session: SessionView }) {
  const { session, t, language, playhead } = props;
  const now = playhead.at;
  return (
    <>
      <KeepAlive session={session} now={now} t={t} language={language} />
      <Window session={session} t={t} language={language} now={now} />
      <h3>
        {t.session.queue} <span class="count">{session.queue.length}</span>
      </h3>
      {session.queue.length === 0 ? (
        <p class="soft">{t.view.session.empty}</p>
      ) : (
        <ol class="rows">
          {session.queue.map((message, index) => (
            // Two messages may be equal; their places tell them apart.
            <li key={index}>
              <span class="place" title={t.view.session.position(index + 1)}>
                {index + 1}
              </span>
              <Message message={message} t={t} language={language} now={now} />
            </li>
          ))}
        </ol>
      )}
      <h3>
        {t.session.subscriptions} <span class="count">{session.subscriptions.length}</span>
      </h3>
      <Subscriptions session={session} t={t} />
      <WillCard session={session} t={t} language={language} now={now} />
      <h3>{t.view.session.expiry}</h3>
      <p>{expiryWords(session, t, language, now)}</p>
    </>
  );
}

interface TimedProps {
  readonly session: SessionView;
  readonly t: Words;
  readonly language: Language;
  readonly now: Micros;
}

function expiryWords(session: SessionView, t: Words, language: Language, now: Micros): string {
  if (session.expires_at !== null) return t.session.expires(span(Math.max(0, session.expires_at - now), language));
  if (session.session_expiry_s === SESSION_NEVER_EXPIRES) return t.session.neverEnds;
  if (session.session_expiry_s === 0) return t.session.endsWithConnection;
  return t.view.session.expiresIn(span(session.session_expiry_s * 1e6, language));
}

/** How long ago the last packet came, against one and a half times the Keep Alive. */
function KeepAlive({ session, t, language, now }: TimedProps) {
  const { keep_alive_s, last_packet_at, keep_alive_at } = session;
  if (!session.connected) return null;
  if (keep_alive_s === 0 || last_packet_at === null || keep_alive_at === null) {
    return (
      <>
        <h3>{t.view.session.keepAlive}</h3>
        <p class="soft">{t.session.keepAliveOff}</p>
      </>
    );
  }
  const [passed, limit] = [Math.max(0, now - last_packet_at), keep_alive_at - last_packet_at];
  return (
    <>
      <h3>{t.view.session.keepAlive}</h3>
      <Gauge
        value={passed / limit}
        mark={2 / 3}
        label={t.view.session.keepAlive}
        text={t.session.keepAlive(span(passed, language), span(limit, language))}
      />
      <p class="soft">{t.view.session.keepAliveRule(keep_alive_s)}</p>
    </>
  );
}

/** Messages in flight against Receive Maximum, each with what it waits for. */
function Window({ session, t, language, now }: TimedProps) {
  const { in_flight, receive_maximum, received_qos2 } = session;
  return (
    <>
      <h3>
        {t.session.inFlight} <span class="count">{in_flight.length}</span>
      </h3>
      {receive_maximum > 0 && (
        <Gauge
          value={in_flight.length / receive_maximum}
          label={t.view.session.receiveMaximum}
          text={t.session.receiveMaximum(in_flight.length, receive_maximum)}
          {...(receive_maximum <= 20 ? { cells: receive_maximum } : {})}
        />
      )}
      {in_flight.length > 0 && (
        <ul class="rows">
          {in_flight.map(({ id, waits_for, message }) => (
            <li key={id}>
              <span class="place">#{id}</span>
              <div class="row-body">
                {message ? (
                  <Message message={message} t={t} language={language} now={now} />
                ) : (
                  <p class="soft">{t.view.session.messageGone}</p>
                )}
                <p>
                  <span class="tag queued">{t.session.waitsFor(waits_for)}</span>
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
      {received_qos2 > 0 && (
        <p class="soft">
          {t.session.held}: {t.view.session.heldCount(received_qos2)}
        </p>
      )}
    </>
  );
}

function Subscriptions({ session, t }: { session: SessionView; t: Words }) {
  if (session.subscriptions.length === 0) return <p class="soft">{t.session.noSubscriptions}</p>;
  const { subscriptionOptions: words } = t.view.session;
  return (
    <ul class="rows">
      {session.subscriptions.map((one) => {
        const options = [
          one.no_local && words.noLocal,
          one.retain_as_published && words.retainAsPublished,
          one.retain_handling > 0 && words.handling(one.retain_handling),
          one.identifier !== null && words.identifier(one.identifier),
        ].filter((option) => option !== false);
        return (
          <li key={one.filter}>
            <QosBadge qos={one.qos} label={t.view.qos(one.qos)} />
            <div class="row-body">
              <code>{one.filter}</code>
              {options.length > 0 && <p class="soft">{options.join(', ')}</p>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function WillCard({ session, t, language, now }: TimedProps) {
  const { will } = session;
  if (!will) {
    return (
      <>
        <h3>{t.ladder.will}</h3>
        <p class="soft">{t.session.noWill}</p>
      </>
    );
  }
  return (
    <>
      <h3>{t.ladder.will}</h3>
      <div class="card will-card">
        <svg class="will-seal" viewBox="-9 -8 18 16" width="27" height="24" aria-hidden="true">
          <WillSign />
        </svg>
        <div class="row-body">
          {will.message && <Message message={will.message} t={t} language={language} now={now} />}
          <p>
            {will.due_at === null
              ? t.view.session.willArmed
              : t.view.session.willDue(span(Math.max(0, will.due_at - now), language))}
          </p>
          {will.delay_s > 0 && <p class="soft">{t.session.willDelay(span(will.delay_s * 1e6, language))}</p>}
        </div>
      </div>
    </>
  );
}

/** A message that is kept: QoS, topic, payload, and when it expires. */
export function Message(props: { message: KeptMessage; t: Words; language: Language; now: Micros }) {
  const { message, t, language, now } = props;
  return (
    <p class="message">
      <QosBadge qos={message.qos as Qos} label={t.view.qos(message.qos)} />
      <code class="message-topic">{message.topic}</code>
      <span class="message-payload">{message.payload === '' ? t.view.packet.empty : message.payload}</span>
      {message.retain && <SignBadge sign="retained" label={t.topics.retained} />}
      {message.expires_at !== null && (
        <span class="soft">{t.view.session.messageExpires(span(Math.max(0, message.expires_at - now), language))}</span>
      )}
    </p>
  );
}

interface GaugeProps {
  /** 0 to 1. */
  readonly value: number;
  readonly label: string;
  readonly text: string;
  /** A line across it. */
  readonly mark?: number;
  /** As so many cells, where each can be counted. */
  readonly cells?: number;
}

function Gauge({ value, label, text, mark, cells }: GaugeProps) {
  const part = Math.min(1, Math.max(0, value));
  return (
    <div class="gauge-box">
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element can't be styled the same everywhere. */}
      <div
        class={`gauge${part >= 1 ? ' full' : part >= 0.67 ? ' high' : ''}`}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(part * 100)}
        aria-valuetext={text}
      >
        {cells === undefined ? (
          <span class="gauge-fill" style={{ width: `${part * 100}%` }} />
        ) : (
          Array.from({ length: cells }, (_, index) => (
            <span key={index} class={`gauge-cell${index < Math.round(value * cells) ? ' taken' : ''}`} />
          ))
        )}
        {mark !== undefined && <span class="gauge-mark" style={{ left: `${mark * 100}%` }} />}
      </div>
      <p class="gauge-text">{text}</p>
    </div>
  );
}
