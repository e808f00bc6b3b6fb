"""Gives every SDK an endpoint with a slash behind it, which must work, and with a path, which must not seem to work.

The page Clients of killd.docc names the SDKs that cannot have a path: they put it into the header Host.
"""

import asyncio

import das_client
from conformance_clients import CommandLine
from das_client import CoreClient, TeaClient
from official_client import Unexpected, require
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dbbrain.v20210527 import dbbrain_client, dbbrain_client_async, models

LIST = "DescribeMySqlProcessList"


def sync_call(arguments, credential, endpoint, signature="TC3-HMAC-SHA256", method="POST", gateway=False):
    http = HttpProfile(protocol="http", reqMethod=method)
    if gateway:
        http.apigw_endpoint = endpoint
    else:
        http.endpoint = endpoint
    profile = ClientProfile(signMethod=signature, httpProfile=http)
    request = models.DescribeMySqlProcessListRequest()
    request.InstanceId = arguments.instance
    return dbbrain_client.DbbrainClient(credential, "ap-guangzhou", profile).DescribeMySqlProcessList(request)


async def async_call(arguments, credential, endpoint):
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint))
    client = dbbrain_client_async.DbbrainClient(credential, "ap-guangzhou", profile)
    request = models.DescribeMySqlProcessListRequest()
    request.InstanceId = arguments.instance
    try:
        return await client.DescribeMySqlProcessList(request)
    finally:
        await client.close()


def command_line(arguments, credential, endpoint):
    class Settings:
        version, language = "2021-05-27", "en-US"

    Settings.credential, Settings.endpoint = credential, endpoint
    return CommandLine().call(Settings, LIST, {"InstanceId": arguments.instance})


def dbbrain(arguments):
    credential = Credential(das_client.ACCESS_KEY_ID, das_client.ACCESS_KEY_SECRET)
    host = arguments.dbbrain.partition("://")[2]
    for endpoint in (f"{host}/", f"http://{host}/"):
        for signature in ("TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"):
            for method in ("POST", "GET"):
                answer = sync_call(arguments, credential, endpoint, signature, method)
                require(answer.ProcessList, f"{signature} {method} {endpoint}: {answer}")
        require(sync_call(arguments, credential, endpoint, gateway=True).ProcessList, f"gateway {endpoint}")
    require(asyncio.run(async_call(arguments, credential, f"{host}/")).ProcessList, "async")
    require(command_line(arguments, credential, f"http://{host}/")["ProcessList"], "tccli")

    for name, call in {
        "python": lambda: sync_call(arguments, credential, f"{host}/dbbrain"),
        "async": lambda: asyncio.run(async_call(arguments, credential, f"{host}/dbbrain")),
        "tccli": lambda: command_line(arguments, credential, f"http://{host}/dbbrain"),
    }.items():
        try:
            answer = call()
        except (TencentCloudSDKException, RuntimeError):
            continue
        raise Unexpected(f"{name} with a path answered {answer}")


def das(arguments):
    host = arguments.das.partition("://")[2]
    keys = das_client.ACCESS_KEY_ID, das_client.ACCESS_KEY_SECRET
    core = CoreClient(f"http://{host}/", *keys)
    clients = {
        "tea-v3": TeaClient(arguments.das, *keys, spelled=f"{host}/"),
        "tea-v3-scheme": TeaClient(arguments.das, *keys, spelled=f"http://{host}/"),
        "tea-v1": TeaClient(arguments.das, *keys, spelled=f"{host}/", signature_algorithm="v2"),
        "core": core, "core-get": CoreClient(f"http://{host}/", *keys, method="GET"),
    }
    for name, client in clients.items():
        require(das_client.list_sessions(client, arguments.instance), f"{name} lists nobody")
    for name, client in {
        "tea-v3": TeaClient(arguments.das, *keys, spelled=f"{host}/das"),
        "tea-v1": TeaClient(arguments.das, *keys, spelled=f"{host}/das", signature_algorithm="v2"),
        "core": CoreClient(f"http://{host}/das", *keys),
    }.items():
        try:
            answer = client.call("GetMySQLAllSessionAsync", InstanceId=arguments.instance)
        except das_client.Refused:
            continue
        raise Unexpected(f"{name} with a path answered {answer}")


def main():
    arguments = das_client.options_of_both(__doc__).parse_args()
    dbbrain(arguments)
    das(arguments)


das_client.run(main)
