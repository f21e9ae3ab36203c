// The bar of time: play, steps, next delivery and timer, speed, and the playhead with marks where something happened.

import { computed, useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { duration, number } from '../i18n/format';
import { type Model, SPEEDS } from '../stage/model';
import type { Entry, TimerKind } from '../stage/types';
import type { Person } from '../view/props';
import { nameOf } from '../view/words';
import { Icon, type IconName } from './icons';
import type { Scene } from './scene';
import { useShell } from './shell';

/** Marks closer than this share of the whole are one. */
const MARKS = 160;

type MarkKind = 'command' | 'told' | 'broke';

function markOf(entry: Entry): MarkKind | null {
  if ('command' in entry && entry.by !== 'script') return 'command';
  if ('told' in entry) return 'told';
  if ('broke' in entry || 'lost' in entry || 'restarted' in entry) return 'broke';
  return null;
}

interface BarMark {
  readonly kind: MarkKind;
  /** Where on the bar, in hundredths of it. */
  readonly at: number;
}

/** One mark of a kind for each place; the log only grows, so what was read once is not read again. */
class Marks {
  #from: { readonly entries: readonly Entry[]; readonly whole: number } | null = null;
  #read = 0;
  #seen = new Set<string>();
  #marks: readonly BarMark[] = [];

  /** The same array as before, if nothing was added. */
  of(entries: readonly Entry[], whole: number): readonly BarMark[] {
    if (this.#from?.entries !== entries || this.#from.whole !== whole) {
      this.#from = { entries, whole };
      this.#read = 0;
      this.#seen = new Set();
      this.#marks = [];
    }
    const added: BarMark[] = [];
    for (; this.#read < entries.length; this.#read++) {
      const entry = entries[this.#read];
      const kind = entry && markOf(entry);
      if (!kind) continue;
      const place = Math.round((entry.at / whole) * MARKS);
      if (this.#seen.has(`${kind}${place}`)) continue;
      this.#seen.add(`${kind}${place}`);
      added.push({ kind, at: (place / MARKS) * 100 });
    }
    if (added.length > 0) this.#marks = this.#marks.concat(added);
    return this.#marks;
  }
}

export function Transport({ scene, people }: { readonly scene: Scene; readonly people: readonly Person[] }) {
  const { t } = useShell();
  const model = scene.model.value;
  return (
    <section class="transport" aria-label={t.transport.label}>
      <div class="transport-buttons">
        <Act icon="start" label={t.transport.toStart} act={() => model.toBeginning()} extra />
        <Act icon="back" label={t.transport.stepBack} act={() => model.stepBack()} />
        <PlayButton model={model} />
        <Act icon="step" label={t.transport.step} act={() => model.step()} />
        <Act icon="end" label={t.transport.toEnd} act={() => model.toEnd()} extra />
      </div>
      <Playhead model={model} />
      <div class="transport-jumps">
        <NextDelivery model={model} />
        <NextTimer model={model} people={people} />
        <Speed model={model} />
      </div>
    </section>
  );
}

interface ActProps {
  readonly icon: IconName;
  readonly label: string;
  readonly act: () => void;
  /** Left out where there is little room. */
  readonly extra?: boolean;
  readonly disabled?: boolean;
}

function Act({ icon, label, act, extra, disabled }: ActProps) {
  return (
    <button
      type="button"
      class={`tool${extra ? ' tool-extra' : ''}`}
      title={label}
      aria-label={label}
      aria-disabled={disabled ? 'true' : undefined}
      onClick={() => !disabled && act()}
    >
      <Icon name={icon} />
    </button>
  );
}

function PlayButton({ model }: { readonly model: Model }) {
  const { t } = useShell();
  const playing = model.playing.value;
  return (
    <button type="button" class="tool tool-play" onClick={() => model.toggle()} data-playing={playing}>
      <Icon name={playing ? 'pause' : 'play'} />
      <span>{playing ? t.transport.pause : t.transport.play}</span>
    </button>
  );
}

function Playhead({ model }: { readonly model: Model }) {
  const { t, language } = useShell();
  const { at, ends_at } = model.playhead.value;
  const whole = Math.max(at, ends_at, 1);
  const entries = model.entries.value;
  // Marks move only when the whole does, not with every frame; beyond its end time grows by whole seconds.
  const rounded = Math.ceil(whole / 1_000_000) * 1_000_000;
  const marks = useMemo(() => new Marks(), []).of(entries, rounded);
  const drawn = useMemo(
    () =>
      marks.map(({ kind, at }) => <i key={`${kind}${at}`} class={`mark mark-${kind}`} style={{ left: `${at}%` }} />),
    [marks],
  );
  const position = t.transport.position(duration(at, language), duration(whole, language));
  return (
    <div class="playhead">
      <div class="playhead-track" style={{ '--played': `${(at / rounded) * 100}%` }}>
        {drawn}
        <input
          type="range"
          min={0}
          max={rounded}
          step="any"
          value={at}
          aria-label={t.transport.playhead}
          aria-valuetext={position}
          onInput={(event) => {
            model.pause();
            model.seekTime(Math.min(event.currentTarget.valueAsNumber, whole));
          }}
          onKeyDown={(event) => {
            // A step is a moment of the log here, not a number.
            const moves: Record<string, () => void> = {
              ArrowRight: () => model.step(),
              ArrowUp: () => model.step(),
              ArrowLeft: () => model.stepBack(),
              ArrowDown: () => model.stepBack(),
              Home: () => model.toBeginning(),
              End: () => model.toEnd(),
            };
            const move = moves[event.key];
            if (!move) return;
            event.preventDefault();
            event.stopPropagation();
            move();
          }}
        />
      </div>
      <output class="playhead-now">{position}</output>
    </div>
  );
}

function NextDelivery({ model }: { readonly model: Model }) {
  const { t } = useShell();
  const { delivery, script } = model.next.value;
  const none = delivery === null && script === null;
  return (
    <button
      type="button"
      class="tool tool-wide"
      title={t.transport.nextDelivery}
      aria-disabled={none ? 'true' : undefined}
      onClick={() => !none && model.nextDelivery()}
    >
      <Icon name="delivery" />
      <span>{t.transport.nextDelivery}</span>
    </button>
  );
}

function timerName(
  what: TimerKind,
  who: string | null,
  people: readonly Person[],
  t: ReturnType<typeof useShell>['t'],
) {
  const name = who === null ? t.broker : nameOf(who, people);
  switch (what) {
    case 'keep_alive':
      return t.log.timer.keep_alive(name);
    case 'ping':
      return t.log.timer.ping(name);
    case 'reconnect':
      return t.log.timer.reconnect(name);
    case 'will_delay':
      return t.log.timer.will_delay(name);
    case 'session_expiry':
      return t.log.timer.session_expiry(name);
    case 'connect_timeout':
    case 'message_expiry':
    case 'no_pingresp':
      return t.view.timer[what](name);
  }
}

function NextTimer({ model, people }: { readonly model: Model; readonly people: readonly Person[] }) {
  const { t, language } = useShell();
  const timer = model.next.value.timers[0];
  const words = useComputed(() => {
    const first = model.next.value.timers[0];
    if (!first) return t.transport.noTimer;
    // While time runs, whole seconds are enough.
    const left = Math.max(0, first.at - model.playhead.value.at);
    const shown = model.playing.value && left > 1e6 ? Math.round(left / 1e6) * 1e6 : left;
    return t.transport.timerIn(timerName(first.what, first.who, people, t), duration(shown, language));
  });
  return (
    <button
      type="button"
      class="tool tool-wide tool-timer"
      title={words.value}
      aria-disabled={timer ? undefined : 'true'}
      onClick={() => timer && model.nextTimer()}
    >
      <Icon name="timer" />
      <span>
        <span class="tool-name">{t.transport.nextTimer}</span>
        <small>{words.value}</small>
      </span>
    </button>
  );
}

function Speed({ model }: { readonly model: Model }) {
  const { t, language } = useShell();
  return (
    <label class="speed">
      <span>{t.transport.speed}</span>
      <select
        aria-label={t.transport.speed}
        value={String(model.speed.value)}
        onChange={(event) => {
          model.speed.value = Number(event.currentTarget.value);
        }}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={String(speed)}>
            {t.transport.times(number(speed, language))}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Kept out of the bar: the list of branches and what stands beside. */
export function Branches({ scene, people: _ }: { readonly scene: Scene; readonly people: readonly Person[] }) {
  const { t } = useShell();
  const model = scene.model.value;
  const branches = model.branches.value;
  const current = useMemo(() => computed(() => model.playhead.value.branch), [model]).value;
  if (branches.length < 2) return null;
  return (
    <div class="branches">
      <span class="branches-title">
        <Icon name="branch" />
        {t.transport.branches}
      </span>
      <ul>
        {branches.map(({ branch, label }) => (
          <li key={branch}>
            <button
              type="button"
              class="chip"
              aria-pressed={branch === current}
              title={label ?? undefined}
              onClick={() => {
                if (scene.beside.value === branch) scene.beside.value = null;
                model.switchTo(branch);
              }}
            >
              {t.transport.branch(branch + 1)}
            </button>
          </li>
        ))}
      </ul>
      <label class="branches-compare">
        <span>{t.transport.compareWith}</span>
        <select
          value={scene.beside.value === null ? '' : String(scene.beside.value)}
          onChange={(event) => {
            const { value } = event.currentTarget;
            scene.beside.value = value === '' ? null : Number(value);
            if (value !== '') scene.view.value = 'ladder';
          }}
        >
          <option value="">–</option>
          {branches
            .filter(({ branch }) => branch !== current)
            .map(({ branch }) => (
              <option key={branch} value={String(branch)}>
                {t.transport.branch(branch + 1)}
              </option>
            ))}
        </select>
      </label>
    </div>
  );
}
