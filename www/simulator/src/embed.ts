// The element for other people's pages: <script type="module" src=".../wasmqtt-sim.js"></script>.

import { define } from './element';

define();
