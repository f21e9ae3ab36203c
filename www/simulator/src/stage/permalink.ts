// A scenario as a link: a version, and the scenario's JSON compressed, in letters that every program leaves alone:
//
//   #s=1.<base64url of deflate-raw of UTF-8>
//
// A version that was ever given out is read for ever (test/permalinks.json holds one of each kind).

const VERSION = '1';
/** No scenario that a person made is larger; what a hostile link unpacks to may be. */
export const SCENARIO_BYTES_MAX = 1 << 20;
/** Longer links are cut off by many programs. */
export const LINK_BYTES_MAX = 8_000;

export type LinkFault =
  | { readonly kind: 'not_a_link' }
  | { readonly kind: 'version'; readonly found: string; readonly known: string }
  /** Counted from 1, in the part behind #s=. */
  | { readonly kind: 'cut_off'; readonly position: number }
  | { readonly kind: 'too_large' };

export class LinkError extends Error {
  readonly fault: LinkFault;

  constructor(fault: LinkFault) {
    super(`the link can’t be read: ${fault.kind}`);
    this.fault = fault;
  }
}

function base64url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function bytesOf(text: string, offset: number): Uint8Array<ArrayBuffer> {
  const wrong = /[^A-Za-z0-9_-]/.exec(text);
  if (wrong) throw new LinkError({ kind: 'cut_off', position: offset + wrong.index + 1 });
  // Four letters are three bytes; one letter alone is none.
  if (text.length % 4 === 1) throw new LinkError({ kind: 'cut_off', position: offset + text.length });
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

async function throughStream(bytes: Uint8Array<ArrayBuffer>, stream: GenericTransformStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const writer = stream.writable.getWriter();
  // A failure shows at the reading end too, and is handled there.
  const written = writer.write(bytes).then(() => writer.close());
  written.catch(() => undefined);
  const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > SCENARIO_BYTES_MAX) {
      await reader.cancel();
      throw new LinkError({ kind: 'too_large' });
    }
    parts.push(value);
  }
  await written;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What stands behind `#s=`. */
export async function encodeLink(scenario: string): Promise<string> {
  const bytes = new TextEncoder().encode(scenario);
  return `${VERSION}.${base64url(await throughStream(bytes, new CompressionStream('deflate-raw')))}`;
}

/** The scenario's JSON, of which nothing is checked yet. @throws LinkError */
export async function decodeLink(link: string): Promise<string> {
  const [, version, body] = /^(\d{1,9})\.(.*)$/s.exec(link) ?? [];
  if (version === undefined || body === undefined) throw new LinkError({ kind: 'not_a_link' });
  if (version !== VERSION) throw new LinkError({ kind: 'version', found: version, known: VERSION });
  if (body === '') throw new LinkError({ kind: 'cut_off', position: link.length });
  const bytes = bytesOf(body, version.length + 1);
  try {
    const plain = await throughStream(bytes, new DecompressionStream('deflate-raw'));
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError({ kind: 'cut_off', position: link.length });
  }
}
