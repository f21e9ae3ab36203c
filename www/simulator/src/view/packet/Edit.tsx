// Bytes changed by hand: the decoder says at once what it makes of them, and they can be sent as they are.

import type { Described } from '../../stage/types';
import type { Words } from '../props';
import { parseHex, statementName } from './bytes';

interface EditProps {
  readonly text: string;
  readonly original: string;
  readonly described: Described | null;
  /** Who sends them, by name; none: they can't be sent from here. */
  readonly sender: string | undefined;
  readonly canSend: boolean;
  readonly onText: (text: string) => void;
  readonly onReset: () => void;
  readonly onSend: ((hex: string) => void) | undefined;
  readonly t: Words;
}

export function Edit(props: EditProps) {
  const { text, original, described, sender, canSend, onText, onReset, onSend, t } = props;
  const typed = parseHex(text);
  const hex = 'hex' in typed ? typed.hex : undefined;
  return (
    <div class="edit">
      <label class="field">
        <span class="field-name">{t.view.packet.editLead}</span>
        <textarea
          class="code"
          rows={Math.min(8, Math.max(2, text.split('\n').length))}
          spellcheck={false}
          autocomplete="off"
          value={text}
          aria-invalid={hex === undefined}
          onInput={(event) => onText(event.currentTarget.value)}
        />
      </label>
      <div role="status">
        <Verdict typed={typed} described={described} unchanged={hex === original} t={t} />
      </div>
      <p class="links">
        {onSend && sender !== undefined && (
          <button
            type="button"
            class="button strong"
            disabled={hex === undefined || !canSend}
            onClick={() => hex !== undefined && onSend(hex)}
          >
            {t.packet.resend}
          </button>
        )}
        <button type="button" class="button" disabled={hex === original} onClick={onReset}>
          {t.view.packet.reset}
        </button>
      </p>
      {onSend && sender !== undefined && (
        <p class="soft">{canSend ? t.view.packet.sendAs(sender) : t.view.packet.cannotSend(sender)}</p>
      )}
    </div>
  );
}

interface VerdictProps {
  readonly typed: ReturnType<typeof parseHex>;
  readonly described: Described | null;
  readonly unchanged: boolean;
  readonly t: Words;
}

function Verdict({ typed, described, unchanged, t }: VerdictProps) {
  if ('wrong' in typed) {
    const say = { digit: t.packet.notHex, odd: () => t.view.packet.odd, none: () => t.view.packet.none };
    return <p class="verdict bad">{say[typed.wrong]('position' in typed ? typed.position : 0)}</p>;
  }
  const error = described?.[1];
  if (!error) {
    return (
      <p class="verdict good">
        {t.packet.fine} {unchanged && <span class="soft">{t.view.packet.unchanged}</span>}
      </p>
    );
  }
  const [rule, statement, byte] = error;
  return (
    <p class="verdict bad">
      <strong>{t.view.packet.wrong(byte)}.</strong> {t.view.rule(rule) || rule}{' '}
      <span class="statement">{statementName(statement)}</span>
    </p>
  );
}
