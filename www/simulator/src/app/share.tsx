// Giving a scenario away: as a link, a file, a picture, a text or a test.

import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { encodeLink, LINK_BYTES_MAX } from '../stage/permalink';
import { testStub } from '../stage/test-stub';
import type { StageScenario } from '../stage/types';
import { ladderSvg } from '../view/ladder_svg';
import type { Person } from '../view/props';
import { Dialog } from './dialog';
import { Icon } from './icons';
import { href } from './router';
import type { Scene } from './scene';
import { useShell } from './shell';

interface ShareProps {
  readonly scene: Scene;
  readonly people: readonly Person[];
  readonly onClose: () => void;
}

/** Hands a file over as if it had been downloaded. */
function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

type Form = 'link' | 'embed' | 'svg' | 'mermaid' | 'test';

export function Share({ scene, people, onClose }: ShareProps) {
  const { t, language } = useShell();
  const model = scene.model.value;
  const [withCommands, setWithCommands] = useState(true);
  const [form, setForm] = useState<Form>('link');
  const text = useMemo(() => {
    const scenario = JSON.parse(model.scenario(withCommands)) as StageScenario;
    return JSON.stringify({ ...scenario, view: scene.view.value, lang: language });
  }, [model, withCommands, language, scene]);
  const [link, setLink] = useState('');
  useEffect(() => {
    let wanted = true;
    void encodeLink(text).then((made) => wanted && setLink(made));
    return () => {
      wanted = false;
    };
  }, [text]);
  const here = location.href.replace(/[?#].*$/, '');
  const address = `${here}${href.link(link)}`;
  const happened = model.entries.value.slice(0, model.playhead.value.entries);
  const forms: Readonly<Record<Form, string>> = {
    link: t.share.link,
    embed: t.share.embed,
    svg: t.share.svg,
    mermaid: t.share.mermaid,
    test: t.share.test,
  };
  return (
    <Dialog title={t.share.title} onClose={onClose} wide>
      <div class="share">
        <fieldset class="segments share-forms" aria-label={t.share.title}>
          {(Object.entries(forms) as [Form, string][]).map(([one, name]) => (
            <button key={one} type="button" aria-pressed={one === form} onClick={() => setForm(one)}>
              {name}
            </button>
          ))}
        </fieldset>
        {(form === 'link' || form === 'embed') && (
          <label class="check-line">
            <input
              type="checkbox"
              checked={withCommands}
              onChange={(event) => setWithCommands(event.currentTarget.checked)}
            />
            {t.app.withCommands}
          </label>
        )}
        {form === 'link' && link !== '' && <LinkForm address={address} text={text} />}
        {form === 'embed' && link !== '' && (
          <Text
            text={`<iframe src="${here}?embed&lang=${language}${href.link(link)}" width="100%" height="640" title="${t.embed.label}"></iframe>`}
          />
        )}
        {form === 'svg' && <Svg text={ladderSvg(happened, people, t, language)} />}
        {form === 'mermaid' && <Text text={model.mermaid()} file="scenario.mmd" />}
        {form === 'test' && (
          <>
            <p class="soft">{t.share.testHint}</p>
            <Text
              text={testStub(JSON.parse(text) as StageScenario, happened)}
              file="scenario.test.mjs"
              type="text/javascript"
            />
          </>
        )}
      </div>
    </Dialog>
  );
}

function LinkForm({ address, text }: { readonly address: string; readonly text: string }) {
  const { t } = useShell();
  const long = address.length > LINK_BYTES_MAX;
  return (
    <>
      <p class="soft">{long ? t.share.tooLong(Math.ceil(address.length / 1000)) : t.share.linkHint}</p>
      {!long && <Text text={address} short />}
      <p class="row">
        <button type="button" class="button" onClick={() => save('scenario.json', 'application/json', text)}>
          {t.share.file}
        </button>
      </p>
    </>
  );
}

function Svg({ text }: { readonly text: string }) {
  const { t } = useShell();
  const address = useMemo(() => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`, [text]);
  return (
    <>
      <div class="share-picture">
        <img src={address} alt={t.share.svg} />
      </div>
      <Text text={text} file="ladder.svg" type="image/svg+xml" hidden />
    </>
  );
}

interface TextProps {
  readonly text: string;
  readonly file?: string;
  readonly type?: string;
  /** One line is enough. */
  readonly short?: boolean;
  /** Only to be copied and saved. */
  readonly hidden?: boolean;
}

function Text({ text, file, type = 'text/plain', short, hidden }: TextProps) {
  const { t, say } = useShell();
  const id = useId();
  const [state, setState] = useState<'' | 'copied' | 'failed'>('');
  // Another text was not copied yet
  useEffect(() => setState(''), [text]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => {
        setState('copied');
        say(t.copied);
      },
      () => setState('failed'),
    );
  };
  return (
    <div class="share-text">
      {!hidden &&
        (short ? (
          <input
            id={id}
            class="mono"
            readOnly
            value={text}
            aria-label={t.app.address}
            onFocus={(e) => e.currentTarget.select()}
          />
        ) : (
          <textarea id={id} class="mono" readOnly rows={12} value={text} aria-label={t.app.text} spellcheck={false} />
        ))}
      <p class="row">
        <button type="button" class="button button-main" onClick={copy}>
          {state === 'copied' && <Icon name="check" />}
          {state === 'copied' ? t.copied : t.copy}
        </button>
        {file && (
          <button type="button" class="button" onClick={() => save(file, type, text)}>
            {t.share.file}
          </button>
        )}
      </p>
      {state === 'failed' && <p class="note note-bad">{t.app.copyFailed}</p>}
    </div>
  );
}
