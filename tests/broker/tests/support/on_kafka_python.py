"""Produces one message with AWS_MSK_IAM; the wish and the answer are JSON."""

import json
import logging
import os
import sys

from kafka import KafkaProducer

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
wanted = json.loads(sys.argv[1])
delivered = False
try:
    producer = KafkaProducer(
        bootstrap_servers=wanted["bootstrap"],
        security_protocol="SASL_SSL",
        ssl_cafile=wanted["trusted"],
        sasl_mechanism="AWS_MSK_IAM",
        acks="all",
        enable_idempotence=False,
        bootstrap_timeout_ms=3000,
        max_block_ms=3000,
        request_timeout_ms=3000,
        delivery_timeout_ms=4000,
    )
    producer.send(wanted["topic"], b"value").get(timeout=5)
    delivered = True
except Exception as error:
    print(repr(error), file=sys.stderr)
print(json.dumps({"delivered": delivered}))
sys.stdout.flush()
os._exit(0)
