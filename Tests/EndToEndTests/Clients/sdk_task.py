"""Creates and cancels a kill task with the official Python SDK, and meets the errors that belong to it."""

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.dbbrain.v20210527.models import CancelKillTaskRequest, CreateKillTaskRequest

import time
from types import SimpleNamespace
from unittest import mock

import official_client
from official_client import report, require

clock = {"ahead": 0}


def pass_a_second():
    """TC3 signs no nonce: the same call twice in a second is one call to killd. This client's clock goes on at once."""
    clock["ahead"] += 1


def request(kind, **parameters):
    filled = kind()
    for name, value in parameters.items():
        setattr(filled, name, value)
    return filled


def require_refusal(code, call):
    try:
        call()
    except TencentCloudSDKException as exception:
        report(code=exception.code, message=exception.message)
        require(exception.code == code, f"the code is {exception.code}, not {code}")
        return
    raise official_client.Unexpected(f"was answered, not refused with {code}")


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--user", required=True, help="whose sessions the task ends")
    arguments = parser.parse_args()
    client = official_client.dbbrain_client(arguments.endpoint)
    instance = {"InstanceId": arguments.instance, "Product": "mysql"}
    cancellation = request(CancelKillTaskRequest, **instance)
    sdk_time = SimpleNamespace(time=lambda: time.time() + clock["ahead"])
    mock.patch("tencentcloud.common.abstract_client.time", sdk_time).start()

    require_refusal("ResourceNotFound", lambda: client.CancelKillTask(cancellation))

    both = request(CreateKillTaskRequest, **instance, Duration=60, Info="SELECT", Infos=["a"])
    require_refusal("InvalidParameterCombination", lambda: client.CreateKillTask(both))

    creation = request(
        CreateKillTaskRequest, **instance, Duration=-1, User=arguments.user, Command="Sleep,Query", Time=0)
    created = client.CreateKillTask(creation)
    report(Status=created.Status, RequestId=created.RequestId)
    require(created.Status == 1, f"CreateKillTask answered Status {created.Status}, not 1")
    pass_a_second()
    require_refusal("UnsupportedOperation.HasDuplicatedTask", lambda: client.CreateKillTask(creation))

    pass_a_second()
    cancelled = client.CancelKillTask(cancellation)
    report(Status=cancelled.Status, RequestId=cancelled.RequestId)
    require(cancelled.Status == 1, f"CancelKillTask answered Status {cancelled.Status}, not 1")

    # An action that the SDK does not know.
    tasks = client.call_json("DescribeKillTasks", {"InstanceId": arguments.instance})["Response"]["Tasks"]
    require([task["State"] for task in tasks] == ["cancelled"], f"the tasks are {tasks}")


official_client.run(main)
