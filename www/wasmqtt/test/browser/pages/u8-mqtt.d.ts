/** As much of u8-mqtt, which has no types, as the tests use. */
declare module 'u8-mqtt' {
  interface Client {
    with_websock(socket: WebSocket | undefined): Client;
    on_topic(route: string, handler: (packet: { topic: string; payload: Uint8Array }) => void): Client;
    connect(packet: object): Promise<unknown>;
    disconnect(): Promise<void>;
    subscribe(topics: { topic: string; opts: { qos: number } }[]): Promise<unknown>;
    publish(packet: object): Promise<unknown>;
    _send(type: string, packet: object): Promise<unknown>;
  }
  export const mqtt_v4: () => Client;
  export const mqtt_v5: () => Client;
}
