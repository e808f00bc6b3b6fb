"""What the client programs beside this file share: their options, their SDK client, their checks.

Credentials and region come from the environment variables that Tencent's own tools read:
TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_REGION. KILLD_CA is the PEM file of who certifies an
https endpoint; the SDK looks at no variable for that.
"""

import argparse
import json
import os
import sys

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dbbrain.v20210527.dbbrain_client import DbbrainClient

VERSION = "2021-05-27"
REGION = os.environ.get("TENCENTCLOUD_REGION", "ap-guangzhou")
TIMEOUT_SECONDS = 30

# The server under test is on this machine: a proxy named in the environment must not come between.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


class Unexpected(Exception):
    """The server answered something else than the API promises."""


def options(description):
    """The options that every client program takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--endpoint", required=True, help="the server under test, http(s)://127.0.0.1:PORT")
    parser.add_argument("--instance", required=True, help="the InstanceId to work on")
    return parser


def own_credential():
    return Credential(os.environ["TENCENTCLOUD_SECRET_ID"], os.environ["TENCENTCLOUD_SECRET_KEY"])


def profile(endpoint, language=None, gateway=False):
    """A profile for the endpoint. In gateway mode the SDK signs the vendor's host and connects to the endpoint."""
    http = HttpProfile(
        protocol=endpoint.split("://")[0], reqTimeout=TIMEOUT_SECONDS, certification=os.environ.get("KILLD_CA"))
    if gateway:
        http.apigw_endpoint = endpoint
    else:
        http.endpoint = endpoint
    return ClientProfile(httpProfile=http) if language is None else ClientProfile(httpProfile=http, language=language)


def dbbrain_client(endpoint, gateway=False):
    """The SDK's typed client."""
    return DbbrainClient(own_credential(), REGION, profile(endpoint, gateway=gateway))


def common_client(endpoint, credential, version=VERSION, language=None):
    """The SDK's untyped client, which sends any action with any parameters."""
    return CommonClient("dbbrain", version, credential, REGION, profile(endpoint, language=language))


def require(condition, explanation):
    if not condition:
        raise Unexpected(explanation)


def report(**fields):
    """One JSON line for the test that started this program."""
    print(json.dumps(fields, ensure_ascii=False), flush=True)


def run(main):
    """Runs the program: exit status 0, or 1 with the reason on standard error."""
    try:
        main()
    except (Unexpected, TencentCloudSDKException) as unexpected:
        sys.exit(f"unexpected: {unexpected}")
