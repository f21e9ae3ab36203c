const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["./tab-_vl7v1lv.js","./dom-5U5unddP.js","./tab-DumRckaa.js","./mqtt.esm-CuK8QYLD.js","./chunk-7PVK35US-wT9lHOTu.js","./chunk-BYEM5RLH-BEyqmd_P.js","./chunk-G2SGB6Z5-Chqt-Aav.js","./preload-helper-DclECHGd.js","./dist-CIFDF8oC.js","./packets-EFFUuLEA.js","./moments-_1L8q0TX.js","./tabs-pafV8h9d.js","./chunk-ITJKIQQQ-go5hNs8S.js","./chunk-IRZGWZ3D-Dv9dWcsj.js","./storage-DyS52L2W.js"])))=>i.map(i=>d[i]);
/* empty css             */import{n as e,r as t}from"./dom-5U5unddP.js";import{t as n}from"./preload-helper-DclECHGd.js";(function(){let e=document.createElement(`link`).relList;if(e&&e.supports&&e.supports(`modulepreload`))return;for(let e of document.querySelectorAll(`link[rel="modulepreload"]`))n(e);new MutationObserver(e=>{for(let t of e)if(t.type===`childList`)for(let e of t.addedNodes)e.tagName===`LINK`&&e.rel===`modulepreload`&&n(e)}).observe(document,{childList:!0,subtree:!0});function t(e){let t={};return e.integrity&&(t.integrity=e.integrity),e.referrerPolicy&&(t.referrerPolicy=e.referrerPolicy),t.credentials=e.crossOrigin===`use-credentials`?`include`:e.crossOrigin===`anonymous`?`omit`:`same-origin`,t}function n(e){if(e.ep)return;e.ep=!0;let n=t(e);fetch(e.href,n)}})();var r=Object.assign({"./snippets/moments.js":`import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';

// Time stands still until it is moved; all luck comes from the seed.
export const broker = await Broker.create({ clock: 'manual', seed: 7 });

// A guest comes and goes; the Session is kept for an hour.
const guest = await mqtt.connectAsync('ws://home.invalid/mqtt', {
  clientId: 'guest',
  createWebsocket: broker.createWebsocket,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600 },
});
await guest.subscribeAsync('door/#', { qos: 1 });
await guest.endAsync();

export const knock = () => broker.publish('door/front', 'knock', { qos: 1 });
export const wait = (/** @type {number} */ minutes) => broker.advance(minutes * 60_000);
export const save = () => broker.snapshot();
export const goBack = (/** @type {Uint8Array} */ snapshot) => broker.restore(snapshot);
`,"./snippets/packets.js":`import { broker } from './tab.js';

// Every packet with its bytes, and why each Session does or does not get a message.
export const stream = broker.trace();

export async function follow(/** @type {(traced: import('wasmqtt').TraceEvent) => void} */ show) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    show(value);
  }
}
`,"./snippets/storage.js":`import { Broker } from 'wasmqtt';

const storage = 'idb:examples';

// What lasts is in IndexedDB before a client hears that it is kept.
export const broker = await Broker.create({ storage });
export const opened = /** @type {Promise<import('wasmqtt').StorageEvent>} */ (
  new Promise((resolve) => broker.on('storage', resolve))
);

export const note = (/** @type {string} */ text) =>
  broker.publish(\`notes/\${Date.now()}\`, text, { qos: 1, retain: true });

export const notes = () => broker.inspect().retained.filter(({ topic }) => topic.startsWith('notes/'));

// The file is all that the broker keeps: \`Broker.create({ storage: 'idb:other', import: file })\`.
export const save = () => broker.export();

export async function forget() {
  await broker.close();
  await Broker.destroy(storage);
}
`,"./snippets/tab.js":`import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';

export const broker = await Broker.create();

// MQTT.js as it is; only its socket leads into the broker in this page.
export const connect = (/** @type {string} */ clientId) =>
  mqtt.connectAsync('ws://home.invalid/mqtt', {
    clientId,
    createWebsocket: broker.createWebsocket,
    clean: clientId !== 'phone', // the phone's Session waits for it while it is away
    reconnectPeriod: 0,
  });
`,"./snippets/tabs.js":`import mqtt from 'mqtt';
import { SharedBroker } from 'wasmqtt/shared';

// The first tab starts it, in a SharedWorker; every other tab finds it.
export const broker = await SharedBroker.connect({ name: 'examples' });

// Each tab is a client of its own. If it dies, its Will says so.
export const clientId = \`tab-\${crypto.randomUUID().slice(0, 4)}\`;
export const client = await mqtt.connectAsync('ws://tabs.invalid/mqtt', {
  clientId,
  createWebsocket: broker.createWebsocket,
  will: { topic: \`tabs/\${clientId}\`, payload: '', qos: 0, retain: true },
});
await client.publishAsync(\`tabs/\${clientId}\`, 'here', { retain: true });
await client.subscribeAsync(['tabs/+', 'lamp/brightness']);

export const dim = (/** @type {number} */ percent) =>
  client.publish('lamp/brightness', String(percent), { retain: true });
`}),i=/(?<comment>\/\/[^\n]*)|(?<string>'[^'\n]*'|`[^`]*`)|(?<keyword>\b(?:import|from|export|const|async|await|function|return|for|if|new)\b)|(?<number>\b\d[\d_]*\b)/g;function a(e){let n=[],r=0;for(let a of e.matchAll(i)){let[i]=Object.entries(a.groups??{}).find(([,e])=>e!==void 0)??[];n.push(e.slice(r,a.index),t(`span`,{class:`t-${i}`},a[0])),r=a.index+a[0].length}return[...n,e.slice(r)]}function o(e){return e.replace(/\/\*\* @type .*?\*\/ \(\n *(.*?)\n\)/gs,`$1`).replace(/\/\*\* @type .*?\*\/ /g,``).trimEnd()}function s(e){let n=o(r[`./snippets/${e}`]??``),i=t(`button`,{type:`button`,class:`copy`},`Copy`);i.addEventListener(`click`,async()=>{try{await navigator.clipboard.writeText(n),i.textContent=`Copied`}catch{getSelection()?.selectAllChildren(s),i.textContent=`Selected`}});let s=t(`code`,{},...a(n)),c=t(`figcaption`,{},t(`span`,{},e),i);return t(`figure`,{class:`code`},c,t(`pre`,{},s))}var c={tab:()=>n(()=>import(`./tab-_vl7v1lv.js`),__vite__mapDeps([0,1,2,3,4,5,6,7,8]),import.meta.url),packets:()=>n(()=>import(`./packets-EFFUuLEA.js`),__vite__mapDeps([9,1,2,3,4,5,6,7,8]),import.meta.url),moments:()=>n(()=>import(`./moments-_1L8q0TX.js`),__vite__mapDeps([10,1,3,4,5,6,7,8]),import.meta.url),tabs:()=>n(()=>import(`./tabs-pafV8h9d.js`),__vite__mapDeps([11,1,3,12,4,5,6,7,13]),import.meta.url),storage:()=>n(()=>import(`./storage-DyS52L2W.js`),__vite__mapDeps([14,1,7]),import.meta.url)};for(let e of document.querySelectorAll(`.demo`))e.append(s(e.dataset.code??``));await Promise.all(Object.entries(c).map(async([n,r])=>{let i=e(document,`#${n}`);try{await(await r()).start(i),i.dataset.started=``}catch(n){e(i,`.card`).append(t(`p`,{class:`wrong`,role:`alert`},String(n)))}})),document.documentElement.dataset.ready=``;