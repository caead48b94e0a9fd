"""Produces or reads with librdkafka; the wish and the answer are JSON."""

import json
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

wanted = json.loads(sys.argv[1])
errors = []
settings = dict(wanted["settings"], error_cb=lambda error: errors.append(str(error)))
if wanted["token"]:
    settings["oauth_cb"] = lambda _: (wanted["token"], time.time() + 300, "ada", {})


def produce():
    delivered = 0

    def done(error, _):
        nonlocal delivered
        if error is None:
            delivered += 1
        else:
            errors.append(str(error))

    producer = Producer(settings)
    for number in range(wanted["count"]):
        producer.produce(
            wanted["topic"],
            key=f"key-{number % 20}",
            value=f"value-{number}-{time.monotonic_ns()}",
            headers=[("from", b"foreign")],
            callback=done,
        )
        producer.poll(wanted["pause"])
        if wanted["pause"]:
            time.sleep(wanted["pause"])
    producer.flush(8)
    return {"delivered": delivered, "errors": sorted(set(errors))}


def consume():
    for name in ("acks", "message.timeout.ms", "linger.ms", "topic.metadata.propagation.max.ms"):
        settings.pop(name, None)
    consumer = Consumer(dict(settings, **{"group.id": "none", "enable.auto.commit": False}))
    parts = range(wanted["partitions"])
    consumer.assign([TopicPartition(wanted["topic"], part, 0) for part in parts])
    values = []
    end = time.time() + 15
    while len(values) < wanted["count"] and time.time() < end:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            values.append(message.value().decode())
    return {"values": values, "errors": errors}


print(json.dumps(produce() if wanted["do"] == "produce" else consume()))
# What is under way is given up: without this the client waits for brokers that are gone.
sys.stdout.flush()
import os

os._exit(0)
