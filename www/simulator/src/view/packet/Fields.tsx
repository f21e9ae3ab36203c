// The fields of a packet as a tree: name, value, section of the standard.

import { useRef } from 'preact/hooks';
import type { FieldValue, PacketField } from '../../stage/types';
import { stepOf } from '../hooks';
import type { Words } from '../props';
import { sectionParts } from './bytes';

/** What a field says, in words. */
export function valueWords(value: FieldValue, t: Words): string {
  if (value === 'group') return '';
  if ('number' in value) return String(value.number);
  if ('flag' in value) return value.flag ? t.view.packet.on : t.view.packet.off;
  if ('text' in value) return value.text === '' ? t.view.packet.empty : value.text;
  if ('hex' in value) {
    if (value.hex === '') return t.view.packet.empty;
    const text = asText(value.hex);
    return text ?? value.hex.replace(/../g, '$& ').trim();
  }
  if ('reason' in value)
    return `0x${value.reason[0].toString(16).toUpperCase().padStart(2, '0')} ${t.packet.reason(value.reason[0])}`;
  return value.packet;
}

/** Binary Data that is readable text; else none. */
function asText(hex: string): string | undefined {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    return /[\u0000-\u001f\u007f]/.test(text) ? undefined : `“${text}”`;
  } catch {
    return undefined;
  }
}

interface FieldsProps {
  readonly fields: readonly PacketField[];
  readonly chosen: number | undefined;
  readonly onChoose: (index: number) => void;
  readonly t: Words;
}

export function Fields({ fields, chosen, onChoose, t }: FieldsProps) {
  const tree = useRef<HTMLDivElement>(null);
  const tabbed = chosen ?? 0;
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.currentTarget as HTMLElement).dataset.key);
    const to = event.isComposing ? undefined : stepOf(event.code, at, fields.length);
    if (event.code === 'Enter' || event.code === 'Space') {
      event.preventDefault();
      event.stopPropagation();
      onChoose(at);
    }
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose(to);
    tree.current?.querySelector<HTMLElement>(`[data-key="${to}"]`)?.focus();
  };
  return (
    <div class="fields" role="tree" aria-label={t.view.packet.tree} ref={tree}>
      {fields.map((field, index) => {
        const [standard, section] = sectionParts(field.section);
        const value = valueWords(field.value, t);
        return (
          <div
            // Fields of one name come more than once.
            key={index}
            role="treeitem"
            class={`field-row${field.value === 'group' ? ' group' : ''}`}
            style={{ '--depth': field.depth }}
            aria-level={field.depth + 1}
            aria-selected={index === chosen}
            tabIndex={index === tabbed ? 0 : -1}
            data-key={index}
            onClick={() => onChoose(index)}
            onKeyDown={onKeyDown}
          >
            <span class="field-label">{t.view.fieldName(field.name)}</span>
            <span class="field-value">{value}</span>
            <span class="field-section" title={t.view.sectionOf(standard, section)}>
              {section}
            </span>
          </div>
        );
      })}
    </div>
  );
}
