// <wasmqtt-sim>: the simulator as one element. With the attribute `app` it is the whole page, led by the address; without
// it is one scenario inside somebody else's page:
//
//   <wasmqtt-sim scenario='{"v":1,...}' view="ladder" controls="transport" lang="ko" step="3"></wasmqtt-sim>
//
// `scenario`: JSON, a link's part behind #s=, or lesson:first-message. `controls`: none, transport or full. `step`: how
// many steps have happened when it is first seen. It tells what happens by the events `ready`, `step` and `passed`.

import { effect } from '@preact/signals';
import { render } from 'preact';
import { App, Frame } from './app/app';
import { Embedded } from './app/embedded';
import { browserLanguage, followTheme, settings } from './app/settings';
import type { Report } from './app/shell';
import type { Language } from './i18n/text';
import css from './style/app.css?inline';
import tokens from './style/tokens.css?inline';
import view from './view/view.css?inline';

let sheets: CSSStyleSheet[] | undefined;

function styles(): CSSStyleSheet[] {
  sheets ??= [tokens, view, css].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return sheets;
}

function asLanguage(text: string | null): Language | null {
  return text === 'ko' || text === 'en' ? text : null;
}

export class WasmqttSim extends HTMLElement {
  static readonly observedAttributes = ['scenario', 'view', 'controls', 'lang', 'step'];
  readonly #root = this.attachShadow({ mode: 'open' });
  #stops: (() => void)[] = [];
  readonly #report = (report: Report) => this.#tell(report);

  connectedCallback(): void {
    this.#root.adoptedStyleSheets = styles();
    this.#stops.push(followTheme(this, this.hasAttribute('app')));
    this.#stops.push(effect(() => this.#draw()));
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    render(null, this.#root);
  }

  attributeChangedCallback(): void {
    if (this.#stops.length > 0) this.#draw();
  }

  #draw(): void {
    const app = this.hasAttribute('app');
    const asked = new URLSearchParams(app ? location.search : '');
    const own = app ? asked.get('lang') : this.getAttribute('lang');
    const chosen = settings.value.language;
    // A reader's own choice wins over the address in the page; an element says itself what it is.
    const language = (app ? (chosen ?? asLanguage(own)) : (asLanguage(own) ?? chosen)) ?? browserLanguage();
    const embedded = !app || asked.has('embed');
    if (app) document.documentElement.lang = language;
    render(
      <Frame language={language} embedded={embedded} root={this.#root} report={this.#report}>
        {app ? (
          <App embedded={embedded} />
        ) : (
          <Embedded
            key={`${this.getAttribute('scenario')} ${this.getAttribute('step')}`}
            scenario={this.getAttribute('scenario') ?? ''}
            view={this.getAttribute('view')}
            controls={this.getAttribute('controls')}
            step={Number(this.getAttribute('step') ?? 0)}
          />
        )}
      </Frame>,
      this.#root,
    );
  }

  #tell(report: Report): void {
    this.dispatchEvent(new CustomEvent(report.event, { detail: report, bubbles: true, composed: true }));
    if (this.hasAttribute('app') && window.parent !== window && new URLSearchParams(location.search).has('embed')) {
      // Nothing in it is secret, and any course system may want it.
      window.parent.postMessage({ source: 'wasmqtt-sim', ...report }, '*');
    }
  }
}

export function define(): void {
  if (!customElements.get('wasmqtt-sim')) customElements.define('wasmqtt-sim', WasmqttSim);
}
