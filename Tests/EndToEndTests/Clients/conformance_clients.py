"""The official clients in every form of request that they have, behind one function: `call`.

`call(action, parameters)` returns what stands in `Response`, or raises the SDK's exception.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dbbrain.v20191016 import dbbrain_client as typed_2019
from tencentcloud.dbbrain.v20191016 import dbbrain_client_async as async_2019
from tencentcloud.dbbrain.v20191016 import models as models_2019
from tencentcloud.dbbrain.v20210527 import dbbrain_client as typed_2021
from tencentcloud.dbbrain.v20210527 import dbbrain_client_async as async_2021
from tencentcloud.dbbrain.v20210527 import models as models_2021

from official_client import REGION, TIMEOUT_SECONDS

TC3 = "TC3-HMAC-SHA256"
V2019 = "2019-10-16"
V2021 = "2021-05-27"
MODELS = {V2021: models_2021, V2019: models_2019}


@dataclass(frozen=True)
class Form:
    """How a request is sent and signed."""

    name: str
    signature: str
    method: str
    unsigned_payload: bool = False
    # Sign the vendor's host, connect to the endpoint.
    gateway: bool = False

    def profile(self, endpoint, language, authority):
        protocol, host = endpoint.split("://")
        http = HttpProfile(
            protocol=protocol, reqMethod=self.method, reqTimeout=TIMEOUT_SECONDS, certification=authority)
        if self.gateway:
            http.apigw_endpoint = host
        else:
            http.endpoint = host
        profile = ClientProfile(signMethod=self.signature, httpProfile=http, language=language)
        profile.unsignedPayload = self.unsigned_payload
        return profile


FORMS = (
    Form("TC3 POST", TC3, "POST"),
    Form("TC3 GET", TC3, "GET"),
    Form("TC3 POST, unsigned payload", TC3, "POST", unsigned_payload=True),
    Form("TC3 POST, gateway", TC3, "POST", gateway=True),
    Form("HmacSHA1 POST", "HmacSHA1", "POST"),
    Form("HmacSHA1 GET", "HmacSHA1", "GET"),
    Form("HmacSHA256 POST", "HmacSHA256", "POST"),
    Form("HmacSHA256 GET", "HmacSHA256", "GET"),
    Form("HmacSHA256 GET, gateway", "HmacSHA256", "GET", gateway=True),
)


@dataclass(frozen=True)
class Settings:
    """Who calls, and how; a client is made for each once."""

    form: Form
    endpoint: str
    credential: object
    language: str = "zh-CN"
    version: str = V2021
    clock_error_seconds: int = 0


def shifted_clock(module, seconds):
    """Makes the SDK sign with a clock that is so many seconds ahead."""
    return mock.patch(f"tencentcloud.common.{module}.time", SimpleNamespace(time=lambda: time.time() + seconds))


class SDKClient:
    """What the three clients of the Python SDK share."""

    name = ""
    module = "abstract_client"
    # The PEM file of who certifies an https endpoint.
    authority = os.environ.get("KILLD_CA")

    def __init__(self):
        self._clients = {}

    def has(self, action, version):
        return True

    def sends(self, form, parameters):
        return True

    def call(self, settings, action, parameters):
        if settings not in self._clients:
            self._clients[settings] = self.make(settings)
        with shifted_clock(self.module, settings.clock_error_seconds):
            return self.send(self._clients[settings], settings, action, parameters)

    def profile(self, settings):
        return settings.form.profile(settings.endpoint, settings.language, self.authority)

    def close(self):
        """Ends the connections."""


class Common(SDKClient):
    """The untyped client."""

    name = "common client"

    def make(self, settings):
        profile = self.profile(settings)
        return CommonClient("dbbrain", settings.version, settings.credential, REGION, profile)

    def send(self, client, settings, action, parameters):
        return client.call_json(action, parameters)["Response"]


class Typed(SDKClient):
    """The typed client, whose requests and answers are models."""

    name = "typed client"
    modules = {V2021: typed_2021, V2019: typed_2019}

    def has(self, action, version):
        return hasattr(MODELS.get(version, models_2021), action + "Request")

    def make(self, settings):
        profile = self.profile(settings)
        module = self.modules.get(settings.version, self.modules[V2021])
        client = module.DbbrainClient(settings.credential, REGION, profile)
        client._apiVersion = settings.version
        return client

    def request(self, settings, action, parameters):
        request = getattr(MODELS.get(settings.version, models_2021), action + "Request")()
        # Not by from_json_string, which drops what the model does not know.
        for name, value in parameters.items():
            setattr(request, "_" + name, value)
        return request

    def send(self, client, settings, action, parameters):
        answer = getattr(client, action)(self.request(settings, action, parameters))
        return answer._serialize(allow_none=True)


class Async(Typed):
    """The typed client on asyncio."""

    name = "async client"
    module = "abstract_client_async"
    # What it is given there it takes for a client's certificate; httpx looks at SSL_CERT_FILE.
    authority = None
    modules = {V2021: async_2021, V2019: async_2019}

    def __init__(self):
        super().__init__()
        self._loop = asyncio.new_event_loop()

    def sends(self, form, parameters):
        # In gateway mode it connects to the vendor all the same, and a boolean in a query of version 1 is signed as
        # False and sent as false.
        has_boolean = any(isinstance(value, bool) for value in parameters.values())
        return not form.gateway and not (form.method == "GET" and form.signature != TC3 and has_boolean)

    def send(self, client, settings, action, parameters):
        answer = self._loop.run_until_complete(getattr(client, action)(self.request(settings, action, parameters)))
        return answer._serialize(allow_none=True)

    def close(self):
        for client in self._clients.values():
            self._loop.run_until_complete(client.close())
        self._loop.close()


class CommandLine:
    """tccli, which is a process for each call and has one form."""

    name = "tccli"
    _program = Path(sys.executable).with_name("tccli")
    _error = re.compile(r"\[TencentCloudSDKException\] code:(\S+) message:(.*) requestId:(\S+)\s*", re.DOTALL)

    def sends(self, form, parameters):
        return True

    def call(self, settings, action, parameters):
        command = [
            sys.executable, self._program, "dbbrain", action, "--version", settings.version, "--region", REGION,
            "--endpoint", settings.endpoint, "--language", settings.language, "--cli-unfold-argument",
        ]
        for name, value in parameters.items():
            command.append(f"--{name}")
            command += [str(element) for element in (value if isinstance(value, list) else [value])]
        # An empty home: no profile of the person who runs the tests is read, and none is written.
        with tempfile.TemporaryDirectory() as home:
            environment = os.environ | {
                "HOME": home, "TENCENTCLOUD_SECRET_ID": settings.credential.secret_id,
                "TENCENTCLOUD_SECRET_KEY": settings.credential.secret_key,
            }
            finished = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=TIMEOUT_SECONDS)
        if finished.returncode == 0:
            return json.loads(finished.stdout)
        error = self._error.fullmatch(finished.stderr.lstrip())
        if finished.returncode == 255 and error:
            raise TencentCloudSDKException(*error.groups())
        raise RuntimeError(f"tccli exited with {finished.returncode}: {finished.stderr}")
