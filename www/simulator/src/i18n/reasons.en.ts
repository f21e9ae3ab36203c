// Reason Codes of MQTT 5.0 (section 2.4) with their names in the standard and what they mean to whoever gets one, and the
// Connect Return Codes of 3.1.1 (table 3.1).

export interface Reason {
  readonly name: string;
  readonly says: string;
}

const codes = {
  0: { name: 'Success', says: 'It worked.' },
  1: { name: 'Granted QoS 1', says: 'The Subscription stands; messages come with QoS 1 at most.' },
  2: { name: 'Granted QoS 2', says: 'The Subscription stands; messages come with QoS 2 at most.' },
  4: { name: 'Disconnect with Will Message', says: 'The client leaves and wants its Will published.' },
  16: { name: 'No matching subscribers', says: 'The message was accepted, but nobody has subscribed to its topic.' },
  17: { name: 'No subscription existed', says: 'There was no such Subscription to remove.' },
  24: { name: 'Continue authentication', says: 'The login goes on with another step.' },
  25: { name: 'Re-authenticate', says: 'The client logs in anew without leaving.' },
  128: { name: 'Unspecified error', says: 'It failed, and the other side won’t or can’t say why.' },
  129: { name: 'Malformed Packet', says: 'The bytes could not be read as a packet.' },
  130: { name: 'Protocol Error', says: 'The packet could be read but breaks a rule at this point.' },
  131: { name: 'Implementation specific error', says: 'The packet is right, but this server doesn’t accept it.' },
  132: { name: 'Unsupported Protocol Version', says: 'The server doesn’t speak this version of MQTT.' },
  133: { name: 'Client Identifier not valid', says: 'The server doesn’t allow this Client Identifier.' },
  134: { name: 'Bad User Name or Password', says: 'User name or password is wrong.' },
  135: { name: 'Not authorized', says: 'This client may not do that.' },
  136: { name: 'Server unavailable', says: 'The server can’t serve at present.' },
  137: { name: 'Server busy', says: 'The server has too much to do; try again later.' },
  138: { name: 'Banned', says: 'An administrator locked this client out.' },
  139: { name: 'Server shutting down', says: 'The server is being switched off.' },
  140: {
    name: 'Bad authentication method',
    says: 'The method of authentication is not supported, or not the agreed one.',
  },
  141: { name: 'Keep Alive timeout', says: 'Nothing came for one and a half times the Keep Alive.' },
  142: { name: 'Session taken over', says: 'Another connection with the same Client Identifier came.' },
  143: { name: 'Topic Filter invalid', says: 'The Topic Filter is well formed but not accepted here.' },
  144: { name: 'Topic Name invalid', says: 'The Topic Name is well formed but not accepted here.' },
  145: { name: 'Packet Identifier in use', says: 'This Packet Identifier is still in use for something else.' },
  146: {
    name: 'Packet Identifier not found',
    says: 'Nobody here knows this Packet Identifier; usual after a lost PUBCOMP.',
  },
  147: { name: 'Receive Maximum exceeded', says: 'More messages were sent at a time than Receive Maximum allows.' },
  148: { name: 'Topic Alias invalid', says: 'The Topic Alias is 0 or larger than was agreed.' },
  149: { name: 'Packet too large', says: 'The packet exceeds the Maximum Packet Size.' },
  150: { name: 'Message rate too high', says: 'Messages come faster than is accepted.' },
  151: { name: 'Quota exceeded', says: 'A limit of the server is used up.' },
  152: { name: 'Administrative action', says: 'An administrator closed the connection.' },
  153: { name: 'Payload format invalid', says: 'The payload is not what its format indicator says.' },
  154: { name: 'Retain not supported', says: 'The server has no Retained Messages.' },
  155: { name: 'QoS not supported', says: 'The QoS is higher than the server’s Maximum QoS.' },
  156: { name: 'Use another server', says: 'Use another server for now.' },
  157: { name: 'Server moved', says: 'Use another server from now on.' },
  158: { name: 'Shared Subscriptions not supported', says: 'The server has no Shared Subscriptions.' },
  159: { name: 'Connection rate exceeded', says: 'Connections come faster than is accepted.' },
  160: { name: 'Maximum connect time', says: 'The time allowed for one connection is over.' },
  161: { name: 'Subscription Identifiers not supported', says: 'The server has no Subscription Identifiers.' },
  162: { name: 'Wildcard Subscriptions not supported', says: 'The server doesn’t allow wildcards in Topic Filters.' },
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
