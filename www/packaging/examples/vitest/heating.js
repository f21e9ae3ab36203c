// What is tested: turns the heating on when it is cold.
export function heating(client) {
  client.on('message', (_, payload) => client.publish('home/heating', Number(String(payload)) < 19 ? 'on' : 'off'));
  client.subscribe('home/temperature');
}
