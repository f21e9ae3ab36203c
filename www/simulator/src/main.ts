// The page's first script: the Stage's WebAssembly starts on its way here before anything is drawn.

import { define } from './element';
import { loadStage } from './stage/door';

if (typeof WebAssembly !== 'undefined') void loadStage().catch(() => undefined);
define();

if (import.meta.env.PROD && 'serviceWorker' in navigator && isSecureContext) {
  // After the page is there: what is kept for later must not delay what is wanted now.
  addEventListener('load', () => {
    navigator.serviceWorker.register('./sw.js').catch(() => undefined);
  });
}
