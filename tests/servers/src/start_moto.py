"""Starts moto with a key, users and a role, and checks every signature and permission from then on.

What it was made with is printed as one line of JSON. Arguments: port, certificate, key.
"""

import json
import os
import sys

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.iam.models import iam_backends  # noqa: E402
from moto.kms.models import kms_backends  # noqa: E402
from moto.server import main  # noqa: E402

ACCOUNT = "123456789012"
REGION = "eu-central-1"

iam = iam_backends[ACCOUNT]["aws"]
kms = kms_backends[ACCOUNT][REGION]


def allow(name, actions):
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
    return iam.create_policy("", "/", json.dumps(document), name, []).arn


def user(name, actions):
    iam.create_user(REGION, name)
    iam.attach_user_policy(allow(f"user-{name}", actions), name)
    key = iam.create_access_key(name)
    return [key.access_key_id, key.secret_access_key]


def role(name, actions):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        ],
    }
    made = iam.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
    iam.attach_role_policy(allow(f"role-{name}", actions), name)
    return made.arn


key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [])
kms.create_alias(key.id, "alias/backups")
made = {
    "key": key.id,
    "arn": key.arn,
    "all": user("all", ["kms:*"]),
    "encrypts": user("encrypts", ["kms:Encrypt"]),
    "assumes": user("assumes", ["sts:*"]),
    "role": role("backup", ["kms:*"]),
}
print(json.dumps(made), flush=True)
port, certificate, private_key = sys.argv[1:]
main(["-H", "127.0.0.1", "-p", port, "-c", certificate, "-k", private_key])
