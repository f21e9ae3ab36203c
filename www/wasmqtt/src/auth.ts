/**
 * Questions of the core about clients, as `auth` sees them, and answers as the core has them.
 */
import { reason } from './core.js';
import { versionOf } from './events.js';
import { type ConnectInfo, type ConnectVerdict, permissionsOf, whole, wrong } from './options.js';

/** What subscriptions of the page may: everything, whatever `auth` and `permissions` say. */
export const OWN_VERDICT: ConnectVerdict = { allow: true, permissions: { publish: { allow: true } } };

/** Who asks to come in, or goes on with an exchange. */
export function infoOf(kind: string, what: Record<string, unknown>): ConnectInfo {
  const goesOn = kind === 'Authenticate';
  const [method, data] = goesOn ? [what.method, what.data] : ((what.authentication ?? []) as unknown[]);
  const peer = what.peer as { transport: string; address: string } | undefined;
  return {
    clientIdentifier: what.client_identifier as string,
    version: goesOn ? '5.0' : versionOf(what.version),
    userName: what.user_name as string | undefined,
    password: what.password as Uint8Array | undefined,
    authentication:
      method === undefined ? undefined : { method: method as string, data: data as Uint8Array | undefined },
    again: what.again === true,
    transport: peer?.transport === 'WebSocket' ? 'network' : 'page',
    address: peer?.address ?? '',
  };
}

/** Without `auth` everybody may connect who does not want to be authenticated in a way that nobody here knows. */
export const openTo = ({ authentication }: ConnectInfo): ConnectVerdict =>
  authentication === undefined || { allow: false, reason: 0x8c };

/** A Reason Code that refuses, as the core has it. @throws TypeError that names the option if there is none of this number. */
export function reasonOf(option: string, found: unknown): unknown {
  const known = reason(whole(option, found, 0x80, 0xff));
  if (known === undefined) throw wrong(option, found, 'a Reason Code of MQTT 5.0');
  return known;
}

/** A refusal with a Reason Code. */
export function refusal(code: number, reason_string?: string): unknown {
  return { Refuse: { reason: reasonOf('auth.reason', code), reason_string, server_reference: undefined } };
}

/** A verdict as the core has it. @throws TypeError that names what is wrong. */
export function verdictOf(verdict: ConnectVerdict): unknown {
  if (verdict === true) return { Allow: { user: undefined, permissions: undefined, authentication_data: undefined } };
  if (verdict === false) return refusal(0x87);
  if (typeof verdict !== 'object' || verdict === null) throw wrong('auth', verdict, 'true, false or a verdict');
  if ('continue' in verdict) return { Continue: { data: verdict.continue } };
  if (verdict.allow === true) {
    const permissions = verdict.permissions && permissionsOf('auth.permissions', verdict.permissions);
    return { Allow: { user: verdict.user, permissions, authentication_data: verdict.data } };
  }
  return refusal(verdict.reason ?? 0x87, verdict.reasonString);
}
