// Beside the Stage in the sandbox: everybody who is there, and what can be done with whoever is chosen.

import { useEffect, useState } from 'preact/hooks';
import { duration } from '../../i18n/format';
import type { ClientOptions, ClientView, ConnectOptions, StageCommand } from '../../stage/types';
import type { Person } from '../../view/props';
import { ChoiceField, TextField } from '../field';
import { Icon } from '../icons';
import { refusalWords } from '../refusal-words';
import type { Scene } from '../scene';
import { useShell } from '../shell';
import { BrokerForm } from './broker-form';
import { addOf, connectDraft, EMPTY_PUBLISH } from './drafts';
import {
  ConnectForm,
  CutWhenForm,
  Form,
  HalfOpenForm,
  LinkForm,
  PublishForm,
  RawForm,
  SubscribeForm,
  UnsubscribeForm,
} from './forms';

interface PaletteProps {
  readonly scene: Scene;
  readonly people: readonly Person[];
  readonly lock: readonly string[];
  /** `null`: the broker. */
  readonly chosen: string | null;
  readonly onChoose: (who: string | null) => void;
}

export function Palette(props: PaletteProps) {
  const { scene, people, lock, chosen, onChoose } = props;
  const { t } = useShell();
  const model = scene.model.value;
  // It stays as it is for a moment, also while time runs.
  void model.calm.value;
  const { clients } = model.sessions.peek();
  const there = people.filter(({ id }) => clients.some(({ who }) => who === id));
  const client = clients.find(({ who }) => who === chosen);
  const refused = model.refused.value;
  const give = (command: StageCommand) => void model.command(command);
  return (
    <div class="palette">
      <Who people={there} clients={clients} chosen={client ? chosen : null} onChoose={onChoose} />
      {!lock.includes('add_client') && <Add scene={scene} onChoose={onChoose} />}
      {refused && (
        <p class="note note-bad" role="alert">
          {refusalWords(refused, people, t)}
        </p>
      )}
      {client ? (
        <Verbs key={client.who} {...props} client={client} give={give} />
      ) : (
        <BrokerVerbs scene={scene} lock={lock} give={give} />
      )}
    </div>
  );
}

function stateWords(client: ClientView, t: ReturnType<typeof useShell>['t']): string {
  if (client.frozen) return t.map.states.frozen;
  if (client.half_open.length > 0 && client.state !== 'away') return t.map.states.halfOpen;
  return t.map.states[client.state];
}

interface WhoProps {
  readonly people: readonly Person[];
  readonly clients: readonly ClientView[];
  readonly chosen: string | null;
  readonly onChoose: (who: string | null) => void;
}

function Who({ people, clients, chosen, onChoose }: WhoProps) {
  const { t } = useShell();
  return (
    <ul class="who" aria-label={t.app.clients}>
      <li>
        <button type="button" class="who-button" aria-pressed={chosen === null} onClick={() => onChoose(null)}>
          <i class="who-dot who-broker" aria-hidden="true" />
          <span>{t.sandbox.brokerForm.title}</span>
        </button>
      </li>
      {people.map(({ id, name }) => {
        const client = clients.find(({ who }) => who === id);
        return (
          <li key={id}>
            <button type="button" class="who-button" aria-pressed={chosen === id} onClick={() => onChoose(id)}>
              <i class="who-dot" data-state={client?.state} aria-hidden="true" />
              <span>{name}</span>
              <small>{client && stateWords(client, t)}</small>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Add({ scene, onChoose }: { readonly scene: Scene; readonly onChoose: (who: string) => void }) {
  const { t } = useShell();
  const { icons, name, icon, add, problems } = t.sandbox;
  const [open, setOpen] = useState(false);
  const [draft, setDraft] = useState({ name: '', icon: 'sensor' as NonNullable<ClientOptions['icon']> });
  const [tried, setTried] = useState(false);
  const taken = scene.clients.value.map(({ id }) => id);
  const made = addOf(draft, taken);
  const problem = 'problems' in made ? made.problems.name : undefined;
  const words = !problem || !tried ? null : problem.is === 'taken' ? problems.taken(problem.name) : problems.required;
  const submit = () => {
    setTried(true);
    if (!('value' in made)) return;
    if (!scene.model.value.command({ do: 'add_client', client: made.value })) return;
    onChoose(made.value.id);
    setDraft({ ...draft, name: '' });
    setTried(false);
    setOpen(false);
  };
  return (
    <div class="palette-add">
      <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="plus" />
        {add}
      </button>
      {open && (
        <Form submit={add} onSubmit={submit}>
          <TextField
            words={name}
            value={draft.name}
            onValue={(value) => setDraft({ ...draft, name: value })}
            problem={words}
          />
          <ChoiceField
            words={icon}
            value={draft.icon}
            options={(['sensor', 'phone', 'server', 'dashboard'] as const).map((one) => [one, icons[one]])}
            onValue={(value) => setDraft({ ...draft, icon: value })}
          />
        </Form>
      )}
    </div>
  );
}

type Opened = 'connect' | 'publish' | 'subscribe' | 'unsubscribe' | 'raw' | 'cut_when' | 'half_open' | 'link';

/** What a client says in its next CONNECT: what the scenario said, and every CONNECT since. */
function optionsOf(scene: Scene, id: string): ConnectOptions {
  const first = scene.clients.value.find((client) => client.id === id) ?? { id };
  const { id: _, name: _name, icon: _icon, link: _link, ...options } = first;
  let all: ConnectOptions = options;
  const { entries } = scene.model.value.playhead.peek();
  for (const entry of scene.model.value.entries.value.slice(0, entries)) {
    if (!('command' in entry) || entry.command.do !== 'connect' || entry.command.who !== id) continue;
    const { do: _do, who: _who, ...said } = entry.command;
    all = { ...all, ...said };
  }
  return all;
}

interface VerbsProps extends PaletteProps {
  readonly client: ClientView;
  readonly give: (command: StageCommand) => void;
}

function Verbs({ scene, people, lock, client, give }: VerbsProps) {
  const { t, language } = useShell();
  const { verbs, link } = t.sandbox;
  const { who } = client;
  const away = client.state === 'away';
  const [opened, setOpened] = useState<Opened | null>(away ? 'connect' : 'publish');
  // Whoever connects wants to talk next.
  useEffect(() => setOpened(away ? 'connect' : 'publish'), [away]);
  const wish = scene.wish.value;
  useEffect(() => {
    if (wish) setOpened(wish.verb);
  }, [wish]);
  const name = people.find(({ id }) => id === who)?.name ?? who;
  const session = scene.model.value.sessions.peek().sessions.find((one) => one.who === who);
  const filters = session?.subscriptions.map(({ filter }) => filter) ?? [];
  const { back_at } = client;
  const offered = (verb: StageCommand['do']) => !lock.includes(verb);
  const open = (verb: Opened, label: string, locked: StageCommand['do'] = verb) =>
    offered(locked) && (
      <button
        type="button"
        class="chip"
        aria-expanded={opened === verb}
        onClick={() => setOpened(opened === verb ? null : verb)}
      >
        {label}…
      </button>
    );
  const act = (label: string, command: StageCommand) =>
    offered(command.do) && (
      <button type="button" class="chip" onClick={() => give(command)}>
        {label}
      </button>
    );
  return (
    <section class="verbs" aria-label={t.app.chosen(name)}>
      <h2>{name}</h2>
      {back_at !== null && (
        <p class="soft">
          {t.transport.timerIn(
            t.log.timer.reconnect(name),
            duration(Math.max(0, back_at - scene.model.value.playhead.peek().at), language),
          )}
        </p>
      )}
      <h3>{t.app.talk}</h3>
      <div class="chips">
        {away ? open('connect', verbs.connect) : act(verbs.disconnect, { do: 'disconnect', who })}
        {!away && client.level === 5 && act(verbs.disconnectWithWill, { do: 'disconnect', who, with_will: true })}
        {open('publish', verbs.publish)}
        {!away && open('subscribe', verbs.subscribe)}
        {!away && filters.length > 0 && open('unsubscribe', verbs.unsubscribe)}
        {client.unacknowledged > 0 && act(verbs.ack, { do: 'ack', who })}
        {!away && open('raw', verbs.raw)}
      </div>
      <h3>{t.app.faults}</h3>
      <div class="chips">
        {!away && act(verbs.cut, { do: 'cut', who })}
        {open('cut_when', verbs.cutWhen.replace(/…$/, ''))}
        {client.cut_when.length > 0 && act(verbs.cancelCutWhen, { do: 'cancel_cut_when', who })}
        {client.half_open.length > 0 ? act(verbs.heal, { do: 'heal', who }) : open('half_open', verbs.halfOpen)}
        {client.frozen ? act(verbs.thaw, { do: 'thaw', who }) : act(verbs.freeze, { do: 'freeze', who })}
        {open('link', link.title)}
        {act(t.sandbox.remove(name), { do: 'remove_client', who })}
      </div>
      {opened && <OpenForm opened={opened} scene={scene} client={client} filters={filters} give={give} />}
    </section>
  );
}

interface OpenFormProps {
  readonly opened: Opened;
  readonly scene: Scene;
  readonly client: ClientView;
  readonly filters: readonly string[];
  readonly give: (command: StageCommand) => void;
}

function OpenForm({ opened, scene, client, filters, give }: OpenFormProps) {
  const { who } = client;
  const v5 = client.level === 5;
  const topic = scene.wish.value?.topic ?? null;
  switch (opened) {
    case 'connect':
      return (
        <ConnectForm
          key={who}
          first={connectDraft(who, optionsOf(scene, who))}
          onGive={(options) => give({ do: 'connect', who, ...options })}
        />
      );
    case 'publish':
      return (
        <PublishForm
          key={topic}
          first={{ ...EMPTY_PUBLISH, topic: topic ?? 'home/kitchen/temperature', payload: '21' }}
          v5={v5}
          onGive={(message) => give({ do: 'publish', who, ...message })}
        />
      );
    case 'subscribe':
      return <SubscribeForm key={topic} who={who} v5={v5} filter={topic ?? 'home/+/temperature'} onGive={give} />;
    case 'unsubscribe':
      return filters.length > 0 ? (
        <UnsubscribeForm key={filters.join(' ')} who={who} filters={filters} onGive={give} />
      ) : null;
    case 'raw':
      return <RawForm who={who} onGive={give} />;
    case 'cut_when':
      return <CutWhenForm who={who} onGive={give} />;
    case 'half_open':
      return <HalfOpenForm who={who} onGive={give} />;
    case 'link':
      return (
        <LinkForm
          who={who}
          first={{
            latency: String(client.latency_ms),
            jitter: String(client.jitter_ms),
            bandwidth: String(client.bytes_per_s),
          }}
          onGive={give}
        />
      );
  }
}

interface BrokerVerbsProps {
  readonly scene: Scene;
  readonly lock: readonly string[];
  readonly give: (command: StageCommand) => void;
}

function BrokerVerbs({ scene, lock, give }: BrokerVerbsProps) {
  const { t } = useShell();
  const { verbs, brokerForm } = t.sandbox;
  return (
    <section class="verbs" aria-label={brokerForm.title}>
      <h2>{brokerForm.title}</h2>
      {!lock.includes('restart') && (
        <div class="chips">
          <button type="button" class="chip" onClick={() => give({ do: 'restart', storage: true })}>
            {verbs.restartKept}
          </button>
          <button type="button" class="chip" onClick={() => give({ do: 'restart', storage: false })}>
            {verbs.restartEmpty}
          </button>
        </div>
      )}
      {!lock.includes('broker') && <BrokerForm limits={scene.broker.value} onGive={give} />}
    </section>
  );
}
