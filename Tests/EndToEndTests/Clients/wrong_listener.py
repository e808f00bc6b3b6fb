"""Points every SDK at the listener of the other vendor: what it raises must not look like a success."""

import asyncio

import das_client
from conformance_clients import CommandLine
from das_client import Refused
from official_client import Unexpected, require
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dbbrain.v20210527 import dbbrain_client, dbbrain_client_async, models

LIST = "GetMySQLAllSessionAsync"
KILL = "CreateKillInstanceSessionTask"


def das_clients(arguments):
    """The SDKs of Alibaba Cloud at DBbrain's port."""
    calls = {
        LIST: {"InstanceId": arguments.instance},
        KILL: {
            "InstanceId": arguments.instance, "DbUser": "u", "DbUserPassword": "p", "KillAllSessions": False,
            "SessionIds": "[1]"},
        "GetKillInstanceSessionTaskResult": {"InstanceId": arguments.instance, "TaskId": "0"},
    }
    for name, client in das_client.clients(arguments.dbbrain).items():
        for action, parameters in calls.items():
            try:
                answer = client.call(action, **parameters)
            except Refused as refused:
                require(
                    (refused.status, refused.code) == (404, "InvalidProduct.NotFound"), f"{name}: {action}: {refused}")
            else:
                raise Unexpected(f"{name}: {action} answered {answer}")


def kill_request(arguments):
    request = models.KillMySqlThreadsRequest()
    request.InstanceId, request.Stage, request.Threads = arguments.instance, "Prepare", [1]
    return request


def expect(name, call):
    try:
        answer = call()
    except TencentCloudSDKException as refused:
        require(refused.get_code() == "NoSuchProduct", f"{name}: {refused}")
        require(len(refused.get_request_id()) == 36, f"{name}: {refused}")
    else:
        raise Unexpected(f"{name} answered {answer}")


def dbbrain_clients(arguments):
    """The SDKs of Tencent Cloud at DAS's port."""
    credential = Credential(das_client.ACCESS_KEY_ID, das_client.ACCESS_KEY_SECRET)
    host = arguments.das.partition("://")[2]
    for signature in ("TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"):
        for method in ("POST", "GET"):
            for endpoint in (host, arguments.das):
                http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method)
                profile = ClientProfile(signMethod=signature, httpProfile=http)
                client = dbbrain_client.DbbrainClient(credential, "ap-guangzhou", profile)
                expect(f"{signature} {method}", lambda: client.KillMySqlThreads(kill_request(arguments)))
    http = HttpProfile(protocol="http", endpoint=host)

    async def call():
        client = dbbrain_client_async.DbbrainClient(credential, "ap-guangzhou", ClientProfile(httpProfile=http))
        try:
            return await client.KillMySqlThreads(kill_request(arguments))
        finally:
            await client.close()

    expect("async", lambda: asyncio.run(call()))

    class Settings:
        version, language, endpoint = "2021-05-27", "en-US", arguments.das

    Settings.credential = credential
    expect("tccli", lambda: CommandLine().call(
        Settings, "KillMySqlThreads", {"InstanceId": arguments.instance, "Stage": "Prepare", "Threads": [1]}))


def main():
    arguments = das_client.options_of_both(__doc__).parse_args()
    das_clients(arguments)
    dbbrain_clients(arguments)


das_client.run(main)
