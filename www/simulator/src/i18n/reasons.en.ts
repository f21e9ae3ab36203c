// Reason Codes of MQTT 5.0 (section 2.4) with their names in the standard and what they mean to whoever gets one, and the
// Connect Return Codes of 3.1.1 (table 3.1).

export interface Reason {
  readonly name: string;
  readonly says: string;
}

const codes = {
  0x00: { name: 'Success', says: 'It worked.' },
  0x01: { name: 'Granted QoS 1', says: 'The Subscription stands; messages come with QoS 1 at most.' },
  0x02: { name: 'Granted QoS 2', says: 'The Subscription stands; messages come with QoS 2 at most.' },
  0x04: { name: 'Disconnect with Will Message', says: 'The client leaves and wants its Will published.' },
  0x10: { name: 'No matching subscribers', says: 'The message was accepted, but nobody has subscribed to its topic.' },
  0x11: { name: 'No subscription existed', says: 'There was no such Subscription to remove.' },
  0x18: { name: 'Continue authentication', says: 'The login goes on with another step.' },
  0x19: { name: 'Re-authenticate', says: 'The client logs in anew without leaving.' },
  0x80: { name: 'Unspecified error', says: 'It failed, and the other side won’t or can’t say why.' },
  0x81: { name: 'Malformed Packet', says: 'The bytes could not be read as a packet.' },
  0x82: { name: 'Protocol Error', says: 'The packet could be read but breaks a rule at this point.' },
  0x83: { name: 'Implementation specific error', says: 'The packet is right, but this server doesn’t accept it.' },
  0x84: { name: 'Unsupported Protocol Version', says: 'The server doesn’t speak this version of MQTT.' },
  0x85: { name: 'Client Identifier not valid', says: 'The server doesn’t allow this Client Identifier.' },
  0x86: { name: 'Bad User Name or Password', says: 'User name or password is wrong.' },
  0x87: { name: 'Not authorized', says: 'This client may not do that.' },
  0x88: { name: 'Server unavailable', says: 'The server can’t serve at present.' },
  0x89: { name: 'Server busy', says: 'The server has too much to do; try again later.' },
  0x8a: { name: 'Banned', says: 'An administrator locked this client out.' },
  0x8b: { name: 'Server shutting down', says: 'The server is being switched off.' },
  0x8c: {
    name: 'Bad authentication method',
    says: 'The method of authentication is not supported, or not the agreed one.',
  },
  0x8d: { name: 'Keep Alive timeout', says: 'Nothing came for one and a half times the Keep Alive.' },
  0x8e: { name: 'Session taken over', says: 'Another connection with the same Client Identifier came.' },
  0x8f: { name: 'Topic Filter invalid', says: 'The Topic Filter is well formed but not accepted here.' },
  0x90: { name: 'Topic Name invalid', says: 'The Topic Name is well formed but not accepted here.' },
  0x91: { name: 'Packet Identifier in use', says: 'This Packet Identifier is still in use for something else.' },
  0x92: {
    name: 'Packet Identifier not found',
    says: 'Nobody here knows this Packet Identifier; usual after a lost PUBCOMP.',
  },
  0x93: { name: 'Receive Maximum exceeded', says: 'More messages were sent at a time than Receive Maximum allows.' },
  0x94: { name: 'Topic Alias invalid', says: 'The Topic Alias is 0 or larger than was agreed.' },
  0x95: { name: 'Packet too large', says: 'The packet exceeds the Maximum Packet Size.' },
  0x96: { name: 'Message rate too high', says: 'Messages come faster than is accepted.' },
  0x97: { name: 'Quota exceeded', says: 'A limit of the server is used up.' },
  0x98: { name: 'Administrative action', says: 'An administrator closed the connection.' },
  0x99: { name: 'Payload format invalid', says: 'The payload is not what its format indicator says.' },
  0x9a: { name: 'Retain not supported', says: 'The server has no Retained Messages.' },
  0x9b: { name: 'QoS not supported', says: 'The QoS is higher than the server’s Maximum QoS.' },
  0x9c: { name: 'Use another server', says: 'Use another server for now.' },
  0x9d: { name: 'Server moved', says: 'Use another server from now on.' },
  0x9e: { name: 'Shared Subscriptions not supported', says: 'The server has no Shared Subscriptions.' },
  0x9f: { name: 'Connection rate exceeded', says: 'Connections come faster than is accepted.' },
  0xa0: { name: 'Maximum connect time', says: 'The time allowed for one connection is over.' },
  0xa1: { name: 'Subscription Identifiers not supported', says: 'The server has no Subscription Identifiers.' },
  0xa2: { name: 'Wildcard Subscriptions not supported', says: 'The server doesn’t allow wildcards in Topic Filters.' },
};

export type ReasonCode = keyof typeof codes;

export const reasons = {
  codes: codes as { readonly [code in ReasonCode]: Reason },
  /** 0x00 has other names in these packets. */
  normalDisconnection: {
    name: 'Normal disconnection',
    says: 'The client leaves in good order; its Will is deleted.',
  } as Reason,
  grantedQos0: { name: 'Granted QoS 0', says: 'The Subscription stands; messages come with QoS 0.' } as Reason,
  unknown: (code: string) => `${code} is no Reason Code of MQTT 5.0.`,
  /** CONNACK of 3.1 and 3.1.1. */
  returnCodes: [
    { name: 'Connection accepted', says: 'It worked.' },
    { name: 'Unacceptable protocol version', says: 'The server doesn’t speak this version of MQTT.' },
    { name: 'Identifier rejected', says: 'The server doesn’t allow this Client Identifier.' },
    { name: 'Server unavailable', says: 'The server can’t serve at present.' },
    { name: 'Bad user name or password', says: 'User name or password can’t be read.' },
    { name: 'Not authorized', says: 'This client may not connect.' },
  ] as readonly Reason[],
  /** SUBACK of 3.1.1, 0x80. */
  subscriptionFailed: { name: 'Failure', says: 'The Subscription was refused; 3.1.1 can’t say why.' } as Reason,
};
