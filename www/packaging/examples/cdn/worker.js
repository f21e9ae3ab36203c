// All that a SharedWorker of one's own origin needs.
import 'https://cdn.example/wasmqtt@0.1.0/dist/shared-worker.js';
