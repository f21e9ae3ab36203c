// The page's first script: the Stage's WebAssembly starts on its way here before anything is drawn.

import { keepForLater } from './app/offline';
import { define } from './element';
import { loadStage } from './stage/door';

if (typeof WebAssembly !== 'undefined') void loadStage().catch(() => undefined);
define();

// After the page is there: what is kept for later must not delay what is wanted now.
if (import.meta.env.PROD) addEventListener('load', () => void keepForLater());
