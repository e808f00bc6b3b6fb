"""Provokes errors with every official SDK of Alibaba Cloud, and looks at what the SDK raises."""

import concurrent.futures
import os

from alibabacloud_tea_openapi.exceptions import ThrottlingException
from aliyunsdkcore.request import CommonRequest

import das_client
from das_client import ACCESS_KEY_ID, ACCESS_KEY_SECRET, Refused, Unexpected, require, until

LIST = "GetMySQLAllSessionAsync"
KILL = "CreateKillInstanceSessionTask"
PASSWORD = "hunter2 *~+:é"


def refusal(name, client, action, **parameters):
    """The error of a call; what is refused for its rate is tried again, as clients do."""

    def attempt():
        try:
            answer = client.call(action, **parameters)
        except Refused as refused:
            return None if refused.code == "Throttling.User" else refused
        raise Unexpected(f"{name}: {action} {parameters} answered {answer}")

    return until("a call within the rate", attempt)


def expect(name, client, status, code, action, **parameters):
    refused = refusal(name, client, action, **parameters)
    require((refused.status, refused.code) == (status, code), f"{name}: expected {status} {code}, got {refused}")
    require(len(refused.request_id) == 36, f"{name}: the request id is {refused.request_id!r}")
    return refused


def main():
    arguments = das_client.options(__doc__).parse_args()
    instance, endpoint = arguments.instance, arguments.endpoint
    kill = {
        "InstanceId": instance, "DbUser": "u", "DbUserPassword": PASSWORD, "KillAllSessions": False,
        "SessionIds": "[1]"}

    for name, client in das_client.clients(endpoint).items():
        expect(name, client, 400, "InvalidParams", LIST, InstanceId="rm-unknown")
        expect(name, client, 400, "MissingInstanceId", LIST, InstanceId="")
        expect(name, client, 404, "ResultNotFound", LIST, InstanceId=instance, ResultId="async_0")
        expect(name, client, 404, "TaskNotFound", "GetKillInstanceSessionTaskResult", InstanceId=instance, TaskId="0")
        expect(name, client, 400, "MissingDbUser", KILL, **{**kill, "DbUser": ""})

    for name, client in das_client.clients(endpoint, key_id="AKIDstranger").items():
        expect(name, client, 404, "InvalidAccessKeyId.NotFound", LIST, InstanceId=instance)

    reader = os.environ["KILLD_UNAUTHORIZED_ACCESS_KEY_ID"], os.environ["KILLD_UNAUTHORIZED_ACCESS_KEY_SECRET"]
    for name, client in das_client.clients(endpoint, *reader).items():
        expect(name, client, 403, "NoPermission", KILL, **kill)

    # The core SDK compares the string to sign with its own, and then says that the secret is wrong.
    for name, client in das_client.clients(endpoint, secret="wrong").items():
        diagnosed = "InvalidAccessKeySecret" if name.startswith("core") else "SignatureDoesNotMatch"
        expect(name, client, 400, diagnosed, LIST, InstanceId=instance)
        refused = expect(name, client, 400, "SignatureDoesNotMatch", KILL, **kill)
        require("string to sign is:" in refused.message, f"{name}: {refused}")
        for word in ("hunter2", "%25C3%25A9"):
            require(word not in refused.message, f"{name}: the password is in {refused.message}")

    sm3 = das_client.TeaClient(
        endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET, signature_algorithm="ACS3-HMAC-SM3")
    expect("sm3", sm3, 400, "InvalidSignatureMethod", LIST, InstanceId=instance)

    # Without an accept format the core SDK sends Format=None; do_action hands on what comes.
    core = das_client.CoreClient(endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    for form, beginning in [(None, b'{"Code":200,'), ("XML", b"<?xml version='1.0'")]:
        request = CommonRequest(domain=core.endpoint, version="2020-01-16", action_name=LIST)
        request.set_method("POST")
        request.set_accept_format(form)
        request.add_query_param("NodeId", "")
        # In a form: signed together with the query.
        request.add_body_params("InstanceId", instance)
        answer = core.client.do_action(request)
        require(answer.startswith(beginning), f"Format {form}: {answer}")

    throttling(arguments)


def throttling(arguments):
    """Twenty calls a second: the 21st at the latest within the same second."""
    tea = das_client.TeaClient(arguments.endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET)

    def poll(_):
        try:
            tea.call("GetKillInstanceSessionTaskResult", InstanceId=arguments.instance, TaskId="0")
        except Refused as refused:
            return refused

    # Several at once, for a slow machine's sake.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        refusals = list(pool.map(poll, range(200)))
    codes = {refused.code for refused in refusals}
    require(codes == {"TaskNotFound", "Throttling.User"}, f"the polls were answered {codes}")
    throttled = next(refused for refused in refusals if refused.code == "Throttling.User")
    require(throttled.status == 400, f"{throttled}")
    require(isinstance(throttled.raised, ThrottlingException), f"raised as {type(throttled.raised)}")
    require(throttled.raised.retry_after == 1000, f"to be tried again after {throttled.raised.retry_after} ms")


das_client.run(main)
