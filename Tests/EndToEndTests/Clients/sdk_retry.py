"""Commits with the official Python SDK's StandardRetryer, by way of an endpoint that loses the first answer.

The retryer does not forget its first failure: it discards the answers to its later attempts, sends the request
again until it has been sent three times, and then raises the error of the first attempt. So one call is three Commits.
"""

import json

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.retry import StandardRetryer
from tencentcloud.dbbrain.v20210527.dbbrain_client import DbbrainClient
from tencentcloud.dbbrain.v20210527.models import KillMySqlThreadsRequest

import official_client
from official_client import report, require


class RecordingRetryer(StandardRetryer):
    """Does not wait between two attempts, and keeps what each of them came to."""

    def __init__(self):
        super().__init__(backoff_fn=lambda attempt: 0)
        self.failures = []
        self.answers = []

    def send_request(self, fn):
        def attempt():
            try:
                response = fn()
            except TencentCloudSDKException as exception:
                self.failures.append(exception.code)
                raise
            self.answers.append(json.loads(response.content)["Response"])
            return response

        return super().send_request(attempt)


def kill_threads(client, **parameters):
    request = KillMySqlThreadsRequest()
    for name, value in parameters.items():
        setattr(request, name, value)
    return client.KillMySqlThreads(request)


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--lossy-endpoint", required=True, help="the same server; its first answer is lost")
    parser.add_argument("--threads", type=int, nargs="+", required=True, help="the thread ids to kill")
    arguments = parser.parse_args()

    client = official_client.dbbrain_client(arguments.endpoint)
    prepared = kill_threads(client, InstanceId=arguments.instance, Stage="Prepare", Threads=arguments.threads)
    commit = {"InstanceId": arguments.instance, "Stage": "Commit", "SqlExecId": prepared.SqlExecId}

    retryer = RecordingRetryer()
    profile = official_client.profile(arguments.lossy_endpoint)
    profile.retryer = retryer
    lossy_client = DbbrainClient(official_client.own_credential(), official_client.REGION, profile)
    try:
        kill_threads(lossy_client, **commit)
    except TencentCloudSDKException as exception:
        require(exception.code == "ClientNetworkError", f"the SDK raised {exception}")
    else:
        raise official_client.Unexpected("the SDK raised nothing: did the endpoint lose no answer?")
    report(failures=retryer.failures, answers=retryer.answers)
    require(retryer.failures == ["ClientNetworkError"], f"the failed attempts are {retryer.failures}")
    require(len(retryer.answers) == 2, f"there were {len(retryer.answers)} answers to later attempts, not 2")

    last = kill_threads(client, **commit)
    for answer in [*retryer.answers, {"Threads": last.Threads, "SqlExecId": last.SqlExecId}]:
        require(sorted(answer.get("Threads", [])) == sorted(arguments.threads), f"one Commit answered {answer}")
        require(answer["SqlExecId"] == prepared.SqlExecId, f"one Commit answered {answer}")
    request_ids = {answer["RequestId"] for answer in retryer.answers} | {last.RequestId}
    require(len(request_ids) == 3, "two answers have the same RequestId")


official_client.run(main)
