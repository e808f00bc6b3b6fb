"""What the client programs for DAS share: one interface to the SDKs of Alibaba Cloud, their options, their checks.

The credentials come from the environment variables that Alibaba Cloud's own tools read,
ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; KILLD_DATABASE_PASSWORD is the password of --user.
"""

import argparse
import json
import os
import re
import sys
import time

import requests
from alibabacloud_das20200116 import models
from alibabacloud_das20200116.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkdas.request.v20200116.CreateKillInstanceSessionTaskRequest import CreateKillInstanceSessionTaskRequest
from aliyunsdkdas.request.v20200116.GetKillInstanceSessionTaskResultRequest import (
    GetKillInstanceSessionTaskResultRequest)
from aliyunsdkdas.request.v20200116.GetMySQLAllSessionAsyncRequest import GetMySQLAllSessionAsyncRequest

# The server under test is on this machine: a proxy named in the environment must not come between.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

ACCESS_KEY_ID = os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]
ACCESS_KEY_SECRET = os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]


class Unexpected(Exception):
    """The server answered something else than the API promises."""


class Refused(Exception):
    """An error as an SDK raises it."""

    def __init__(self, status, code, message, request_id, raised):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.request_id, self.raised = status, code, message, request_id, raised


class TeaClient:
    """alibabacloud_das20200116, with the signature in a header (version 3) or as a parameter ("v2" in its words)."""

    REQUESTS = {
        "GetMySQLAllSessionAsync": ("get_my_sqlall_session_async", models.GetMySQLAllSessionAsyncRequest),
        "CreateKillInstanceSessionTask": (
            "create_kill_instance_session_task", models.CreateKillInstanceSessionTaskRequest),
        "GetKillInstanceSessionTaskResult": (
            "get_kill_instance_session_task_result", models.GetKillInstanceSessionTaskResultRequest),
    }

    def __init__(self, endpoint, key_id, secret, spelled=None, **configuration):
        scheme, _, host = endpoint.partition("://")
        self.client = Client(Config(
            access_key_id=key_id, access_key_secret=secret, protocol=scheme, endpoint=spelled or host,
            **configuration))

    def call(self, action, **parameters):
        method, request = self.REQUESTS[action]
        try:
            answer = getattr(self.client, method)(request().from_map(parameters))
        except AlibabaCloudException as error:
            raise Refused(error.status_code, error.code, error.message, error.request_id, error) from error
        return answer.body.to_map()


class CoreClient:
    """aliyun-python-sdk-core with aliyun-python-sdk-das: the signature as a parameter."""

    REQUESTS = {
        "GetMySQLAllSessionAsync": GetMySQLAllSessionAsyncRequest,
        "CreateKillInstanceSessionTask": CreateKillInstanceSessionTaskRequest,
        "GetKillInstanceSessionTaskResult": GetKillInstanceSessionTaskResultRequest,
    }

    def __init__(self, endpoint, key_id, secret, method="POST"):
        self.endpoint, self.method = endpoint.partition("://")[2], method
        self.client = AcsClient(key_id, secret, "cn-shanghai")

    def call(self, action, **parameters):
        request = self.REQUESTS[action]()
        request.set_endpoint(self.endpoint)
        request.set_accept_format("json")
        request.set_method(self.method)
        for name, value in parameters.items():
            getattr(request, f"set_{name}")(value)
        try:
            return json.loads(self.client.do_action_with_exception(request))
        except ServerException as error:
            raise Refused(
                error.http_status, error.error_code, error.message, error.request_id, error) from error


def clients(endpoint, key_id=ACCESS_KEY_ID, secret=ACCESS_KEY_SECRET):
    """Every SDK in every form that changes what it sends."""
    host = endpoint.partition("://")[2]
    tea = {
        "tea-v3": {}, "tea-v1": {"signature_algorithm": "v2"},
        # Then the SDK sends and signs these words as Host.
        "tea-v3-scheme": {"spelled": endpoint}, "tea-v3-slash": {"spelled": f"{host}/"},
        "tea-v1-scheme": {"spelled": endpoint, "signature_algorithm": "v2"},
        "tea-v1-slash": {"spelled": f"{host}/", "signature_algorithm": "v2"},
    }
    named = {name: TeaClient(endpoint, key_id, secret, **form) for name, form in tea.items()}
    named["core"] = CoreClient(endpoint, key_id, secret)
    named["core-get"] = CoreClient(endpoint, key_id, secret, method="GET")
    return named


def options(description):
    """The options that every client program takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--endpoint", required=True, help="the DAS listener under test, http://127.0.0.1:PORT")
    parser.add_argument("--instance", required=True, help="the InstanceId to work on")
    return parser


def options_of_both(description):
    """The options of a client program that speaks to both listeners."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dbbrain", required=True, help="the listener of DBbrain's API, http://127.0.0.1:PORT")
    parser.add_argument("--das", required=True, help="the listener of DAS's API, http://127.0.0.1:PORT")
    parser.add_argument("--instance", required=True, help="an InstanceId")
    return parser


def require(condition, explanation):
    if not condition:
        raise Unexpected(explanation)


def until(what, attempt, seconds=20):
    """The first result of attempt() that is not None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = attempt()
        if result is not None:
            return result
        time.sleep(0.1)
    raise Unexpected(f"{what} did not come within {seconds} s")


def list_sessions(client, instance):
    """The ids of all sessions, by the two calls that it takes."""
    first = client.call("GetMySQLAllSessionAsync", InstanceId=instance)
    require(first["Code"] == 200 and first["Success"] is True, f"the first call answered {first}")
    data = first["Data"]
    require(data["IsFinish"] is False and data["State"] == "RUNNING", f"the first call answered {data}")

    def finished():
        answer = client.call("GetMySQLAllSessionAsync", InstanceId=instance, ResultId=data["ResultId"])["Data"]
        return answer if answer["IsFinish"] else None

    result = until("the list of sessions", finished)
    require(result["State"] == "SUCCESS" and not result["Fail"], f"the list is {result}")
    return {session["SessionId"]: session for session in result["SessionData"]["SessionList"]}


def kill(client, instance, user, **parameters):
    """The result of a task, once it has ended."""
    created = client.call(
        "CreateKillInstanceSessionTask", InstanceId=instance, DbUser=user,
        DbUserPassword=os.environ["KILLD_DATABASE_PASSWORD"], **parameters)
    require(created["Code"] == 200 and created["Success"] is True, f"Create answered {created}")
    task = created["Data"]
    require(re.fullmatch("[0-9a-f]{32}", task), f"Create answered {task!r}, not 32 digits")

    def ended():
        answer = client.call("GetKillInstanceSessionTaskResult", InstanceId=instance, TaskId=task)["Data"]
        return answer if answer["TaskState"] != "RUNNING" else None

    result = until("the end of the task", ended)
    require(result["TaskId"] == task and result["InstanceId"] == instance, f"another task's result: {result}")
    return result


def run(main):
    """Runs the program: exit status 0, or 1 with the reason on standard error."""
    try:
        main()
    except (Unexpected, Refused, requests.RequestException) as unexpected:
        sys.exit(f"unexpected: {unexpected}")
