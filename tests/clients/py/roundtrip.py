"""paho-mqtt against a running server: python roundtrip.py HOST PORT VERSION (3, 4 or 5).

Subscribes, publishes at every QoS, reads a Retained Message and a Will, and in 5.0 the properties of a message. The
last line is "ok"; anything else is a failure. Every wait ends with an event or after 30 seconds.
"""

import queue
import socket
import sys

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

HOST, PORT, VERSION = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
LIMIT_S = 30


class Client:
    """A client whose callbacks fill queues, so that the story below can wait for them in order."""

    def __init__(self, name, will=None):
        self.connected, self.messages, self.subscribed = queue.Queue(), queue.Queue(), queue.Queue()
        clean = {} if VERSION == 5 else {"clean_session": True}
        self.paho = paho.Client(paho.CallbackAPIVersion.VERSION2, name, protocol=VERSION, **clean)
        self.paho.on_connect = lambda client, data, flags, reason, properties: self.connected.put(reason)
        self.paho.on_message = lambda client, data, message: self.messages.put(message)
        self.paho.on_subscribe = lambda client, data, mid, reasons, properties: self.subscribed.put(reasons)
        if will:
            self.paho.will_set(will, "gone", qos=1)
        self.paho.connect(HOST, PORT)
        self.paho.loop_start()
        assert not self.connected.get(timeout=LIMIT_S).is_failure

    def subscribe(self, topic, qos):
        if VERSION == 5:
            self.paho.subscribe(topic, options=SubscribeOptions(qos=qos))
        else:
            self.paho.subscribe(topic, qos)
        reasons = self.subscribed.get(timeout=LIMIT_S)
        assert [reason.value for reason in reasons] == [qos], reasons

    def publish(self, topic, payload, **more):
        self.paho.publish(topic, payload, **more).wait_for_publish(LIMIT_S)

    def message(self):
        return self.messages.get(timeout=LIMIT_S)

    def leave(self):
        self.paho.disconnect()
        self.paho.loop_stop()


alice = Client("alice")
alice.subscribe("py/#", 2)
for qos in (0, 1, 2):
    alice.publish(f"py/{qos}", f"qos {qos}", qos=qos)
    message = alice.message()
    assert (message.topic, message.payload, message.qos) == (f"py/{qos}", f"qos {qos}".encode(), qos)

large = b"x" * 300_000
alice.publish("py/large", large, qos=2)
assert alice.message().payload == large

alice.publish("py/kept", "still here", qos=1, retain=True)
assert not alice.message().retain
late = Client("late")
late.subscribe("py/kept", 1)
message = late.message()
assert message.retain and message.payload == b"still here"
alice.publish("py/kept", "", qos=1, retain=True)
assert alice.message().payload == b""
late.leave()

dying = Client("dying", will="py/will")
dying.paho.socket().shutdown(socket.SHUT_RDWR)
assert alice.message().payload == b"gone"
dying.paho.loop_stop()

if VERSION == 5:
    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = "text/plain"
    properties.CorrelationData = b"\x00\xff"
    properties.UserProperty = [("b", "1"), ("a", "2"), ("b", "1")]
    alice.publish("py/properties", "x", qos=1, properties=properties)
    got = alice.message().properties
    assert got.ContentType == "text/plain" and got.CorrelationData == b"\x00\xff"
    assert got.UserProperty == [("b", "1"), ("a", "2"), ("b", "1")], got.UserProperty

alice.leave()
print("ok")
