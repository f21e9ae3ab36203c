// A button of a lesson, with those fields of its command open that the learner may change.

import { useState } from 'preact/hooks';
import type { Field as FieldWords } from '../i18n/facts';
import type { Action } from '../lessons/lesson';
import type { StageCommand } from '../stage/types';
import type { Words } from '../view/props';
import { CheckField, ChoiceField, numberIn, QOS_OPTIONS, TextField } from './field';
import { Rich } from './rich';
import { useShell } from './shell';
import { submitsBy } from './submit';

type Value = string | number | boolean;

function fieldWords(path: string, t: Words): FieldWords {
  const { connect, publish, subscribe, link } = t.sandbox;
  const known: Readonly<Record<string, FieldWords>> = {
    filter: subscribe.filter,
    qos: publish.qos,
    payload: publish.payload,
    retain: publish.retain,
    keep_alive_s: connect.keepAlive,
    session_expiry_s: connect.sessionExpiry,
    clean_start: connect.cleanStart,
    client_identifier: connect.clientIdentifier,
    'will.retain': connect.willRetain,
    latency_ms: link.latency,
    jitter_ms: link.jitter,
    bytes_per_s: link.bandwidth,
  };
  return known[path] ?? { label: path, hint: '' };
}

function at(command: object, path: string): Value {
  const value = path.split('.').reduce<unknown>((one, key) => (one as Record<string, unknown>)?.[key], command);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : '';
}

function put(command: object, path: string, value: Value): object {
  const [key = '', ...rest] = path.split('.');
  const inner = (command as Record<string, unknown>)[key];
  return { ...command, [key]: rest.length === 0 ? value : put(inner as object, rest.join('.'), value) };
}

const NUMBER_MAX = 4_294_967_295;

export function ActionForm({ action, give }: { readonly action: Action; readonly give: (c: StageCommand[]) => void }) {
  const { t, language } = useShell();
  const { label, commands, edit = [] } = action;
  const [first, ...others] = commands;
  const [typed, setTyped] = useState<Readonly<Record<string, Value>>>({});
  if (!first) return null;
  const problem = (path: string): string | null => {
    const value = typed[path];
    if (typeof at(first, path) !== 'number' || path === 'qos' || value === undefined) return null;
    const number = numberIn(String(value), 0, path === 'keep_alive_s' ? 65_535 : NUMBER_MAX);
    return number === null || number === undefined
      ? t.sandbox.problems.number(0, path === 'keep_alive_s' ? 65_535 : NUMBER_MAX)
      : null;
  };
  const submit = () => {
    if (edit.some((path) => problem(path))) return;
    const command = edit.reduce<object>((one, path) => {
      const value = typed[path];
      if (value === undefined) return one;
      return put(one, path, typeof at(first, path) === 'number' ? Number(value) : value);
    }, first);
    give([command as StageCommand, ...(others as StageCommand[])]);
  };
  return (
    <form class="action" data-open={edit.length > 0} {...submitsBy(submit)} noValidate>
      {edit.length > 0 && (
        <div class="action-fields">
          {edit.map((path) => {
            const value = typed[path] ?? at(first, path);
            const set = (next: Value) => setTyped({ ...typed, [path]: next });
            const words = fieldWords(path, t);
            if (typeof value === 'boolean') return <CheckField key={path} words={words} value={value} onValue={set} />;
            if (path === 'qos') {
              return (
                <ChoiceField
                  key={path}
                  words={words}
                  value={String(value) as '0' | '1' | '2'}
                  options={QOS_OPTIONS}
                  onValue={(next) => set(Number(next))}
                />
              );
            }
            const number = typeof at(first, path) === 'number';
            return (
              <TextField
                key={path}
                words={words}
                value={String(value)}
                onValue={set}
                mono
                type={number ? 'number' : 'text'}
                problem={problem(path)}
              />
            );
          })}
        </div>
      )}
      <button type="button" class="button button-action" onClick={submit}>
        <Rich text={label[language]} />
      </button>
    </form>
  );
}
