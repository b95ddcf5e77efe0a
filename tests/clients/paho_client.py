"""Subscribes, publishes with every QoS and prints what it heard, a line of JSON for each message.

usage: paho_client.py tcp|websockets PORT 3|5 TOPIC [CA CERTIFICATE KEY]
"""

import json
import sys
import threading

import paho.mqtt.client as mqtt

DEADLINE_S = 20
transport, port, version, topic, *certificate = sys.argv[1:]

# Paho 2 asks which callbacks are meant; Paho 1 has only these.
first = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(
    *first,
    client_id=f"paho-{transport}-{version}",
    protocol=mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311,
    transport=transport,
)
if transport == "websockets":
    client.ws_set_options(path="/mqtt")
if certificate:
    client.tls_set(*certificate)

connected, subscribed, done = threading.Event(), threading.Event(), threading.Event()
heard = []


def on_message(_client, _userdata, message):
    text = message.payload.decode()
    heard.append({"qos": message.qos, "length": len(text), "end": text[-4:]})
    if len(heard) == 3:
        done.set()


client.on_connect = lambda *_: connected.set()
client.on_subscribe = lambda *_: subscribed.set()
client.on_message = on_message
client.connect("127.0.0.1", int(port), keepalive=30)
client.loop_start()
if not connected.wait(DEADLINE_S):
    sys.exit("not connected")
client.subscribe(topic, qos=2)
if not subscribed.wait(DEADLINE_S):
    sys.exit("not subscribed")
for qos in range(3):
    text = "x" * (qos * 60_000)
    published = client.publish(topic, json.dumps({"s": text, "v": qos}), qos=qos)
    published.wait_for_publish(DEADLINE_S)
    if not published.is_published():
        sys.exit(f"QoS {qos} is not acknowledged")
if not done.wait(DEADLINE_S):
    sys.exit(f"heard only {heard}")
client.disconnect()
client.loop_stop()
for message in heard:
    print(json.dumps(message))
