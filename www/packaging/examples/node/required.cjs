// From CommonJS, in every Node.
import('wasmqtt').then(async ({ Broker }) => {
  const broker = await Broker.create();
  await broker.subscribe('home/#', ({ topic, payload }) => {
    console.log(`${topic}: ${new TextDecoder().decode(payload)}`);
    broker.close();
  });
  broker.publish('home/kitchen', 'hello');
});
