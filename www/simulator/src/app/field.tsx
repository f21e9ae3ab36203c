// The fields of forms: a label, an input, and where the label doesn't say enough, a sentence that belongs to it.

import { useId } from 'preact/hooks';
import type { Field as FieldWords } from '../i18n/facts';
import { Rich } from './rich';

interface Shared {
  readonly words: FieldWords;
  /** What is wrong with the value. */
  readonly problem?: string | null | undefined;
}

interface TextProps extends Shared {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly mono?: boolean;
  readonly placeholder?: string;
  readonly type?: 'text' | 'number';
  readonly min?: number;
  readonly max?: number;
  readonly disabled?: boolean;
}

function About({ id, words, problem }: Shared & { readonly id: string }) {
  return (
    <>
      {words.hint && (
        <small id={`${id}-hint`} class="field-hint">
          <Rich text={words.hint} />
        </small>
      )}
      {problem && (
        <small id={`${id}-problem`} class="field-problem">
          {problem}
        </small>
      )}
    </>
  );
}

const describedBy = (id: string, { words, problem }: Shared): string | undefined =>
  [words.hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(' ') || undefined;

export function TextField(props: TextProps) {
  const id = useId();
  const { words, value, onValue, mono, type = 'text', problem } = props;
  return (
    <div class="field">
      <label for={id}>{words.label}</label>
      <input
        id={id}
        class={mono ? 'mono' : undefined}
        type="text"
        inputMode={type === 'number' ? 'numeric' : 'text'}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        value={value}
        placeholder={props.placeholder}
        disabled={props.disabled}
        aria-invalid={problem ? 'true' : undefined}
        aria-describedby={describedBy(id, props)}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <About id={id} {...props} />
    </div>
  );
}

interface CheckProps extends Shared {
  readonly value: boolean;
  readonly onValue: (value: boolean) => void;
  readonly disabled?: boolean;
}

export function CheckField(props: CheckProps) {
  const id = useId();
  return (
    <div class="field field-check">
      <input
        id={id}
        type="checkbox"
        checked={props.value}
        disabled={props.disabled}
        aria-describedby={describedBy(id, props)}
        onChange={(event) => props.onValue(event.currentTarget.checked)}
      />
      <label for={id}>{props.words.label}</label>
      <About id={id} {...props} />
    </div>
  );
}

interface ChoiceProps<T extends string> extends Shared {
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onValue: (value: T) => void;
  readonly disabled?: boolean;
}

export function ChoiceField<T extends string>(props: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.words.label}</label>
      <select
        id={id}
        value={props.value}
        disabled={props.disabled}
        aria-describedby={describedBy(id, props)}
        onChange={(event) => props.onValue(event.currentTarget.value as T)}
      >
        {props.options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <About id={id} {...props} />
    </div>
  );
}

export const QOS_OPTIONS = [
  ['0', '0'],
  ['1', '1'],
  ['2', '2'],
] as const;

/** A whole number in a range; empty is `null`. */
export function numberIn(text: string, min: number, max: number): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const value = Number(trimmed);
  return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}
