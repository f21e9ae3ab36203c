import '../../../src/shared-worker.js';
