/**
 * Names at the core's door. The core says `{ client_identifier: ... }` and `QueueFull`; JavaScript people expect
 * `clientIdentifier` and `queue-full`. The change is mechanical, so that what is new in the core needs nothing here.
 */

/** `client_identifier` as `clientIdentifier`. */
export const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `clientIdentifier` as `client_identifier`. */
export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `QueueFull` as `queue-full`. */
export const kebab = (name: string): string => name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();

/** A value of the core with the names of JavaScript: enums become `type` and fields, or a plain string. */
export function fromCore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromCore);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return fields(value as Record<string, unknown>);
}

/** The fields of a struct; those that the core leaves out stay out. */
export function fields(value: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [camel(name), fromCore(field)]));
}

/** An enum's variant: its name and what it carries. */
export function variant(value: unknown): [name: string, content: Record<string, unknown>] {
  if (typeof value === 'string') return [value, {}];
  const [name, content] = Object.entries(value as object)[0] as [string, unknown];
  return [name, typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : { content }];
}
