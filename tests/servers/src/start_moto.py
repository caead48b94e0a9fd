"""Starts moto with a key, a bucket, users and roles, and checks every signature and permission from
then on.

What it was made with is printed as one line of JSON. Arguments: port, certificate, key.
"""

import json
import os
import sys

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.iam.models import iam_backends  # noqa: E402
from moto.kms.models import kms_backends  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402
from moto.server import main  # noqa: E402
from moto.sts.models import sts_backends  # noqa: E402

ACCOUNT = "123456789012"
REGION = "eu-central-1"
# Where the bucket is.
BUCKET = "harbour"
BUCKET_REGION = "eu-north-1"
EXTERNAL_ID = "harbour/17"

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


def role(name, actions, trusted="*", condition=None):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": trusted},
        "Action": "sts:AssumeRole",
    }
    if condition:
        statement["Condition"] = condition
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    made = iam.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
    iam.attach_role_policy(allow(f"role-{name}", actions), name)
    return made.arn


# The first role trusts the user `ana` with an external id, and the second its session alone.
def chain():
    arn = f"arn:aws:iam::{ACCOUNT}"
    condition = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
    role("one", ["sts:AssumeRole"], f"{arn}:user/ana", condition)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/one/portolan"
    return role("two", ["s3:*"], session)


def session(role):
    sts = sts_backends[ACCOUNT]["aws"]
    made = sts.assume_role(REGION, "by-hand", role, None, 3600, None)
    return [made.access_key_id, made.secret_access_key, made.session_token]


key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [])
kms.create_alias(key.id, "alias/backups")
made = {
    "key": key.id,
    "arn": key.arn,
    "all": user("all", ["kms:*"]),
    "encrypts": user("encrypts", ["kms:Encrypt"]),
    "assumes": user("assumes", ["sts:*"]),
    "role": role("backup", ["kms:*"]),
    "ana": user("ana", ["s3:PutObject", "s3:GetObject", "sts:AssumeRole"]),
    "ships": user("ships", ["s3:*"]),
    "session": session(chain()),
}
s3_backends[ACCOUNT]["aws"].create_bucket(BUCKET, BUCKET_REGION)
print(json.dumps(made), flush=True)
port, certificate, private_key = sys.argv[1:]
main(["-H", "127.0.0.1", "-p", port, "-c", certificate, "-k", private_key])
