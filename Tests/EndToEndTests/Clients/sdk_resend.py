"""Creates a kill task with the official Python SDK's StandardRetryer, by way of an endpoint that loses the first answer.

As in sdk_retry.py one call is three requests. With TC3 those of the same second are the same bytes.
"""

import json
import time
from types import SimpleNamespace
from unittest import mock

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.retry import StandardRetryer
from tencentcloud.dbbrain.v20210527.dbbrain_client import DbbrainClient
from tencentcloud.dbbrain.v20210527.models import CancelKillTaskRequest, CreateKillTaskRequest

import official_client
from official_client import report, require

clock = {"now": int(time.time())}


class RecordingRetryer(StandardRetryer):
    """Does not wait between two attempts; the client's clock goes on before the last one."""

    def __init__(self):
        super().__init__(backoff_fn=lambda attempt: 0)
        self.attempts = 0
        self.answers = []

    def send_request(self, fn):
        def attempt():
            self.attempts += 1
            if self.attempts == 3:
                clock["now"] += 1
            response = fn()
            self.answers.append(json.loads(response.content)["Response"])
            return response

        return super().send_request(attempt)


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--lossy-endpoint", required=True, help="the same server; its first answer is lost")
    arguments = parser.parse_args()
    creation = CreateKillTaskRequest()
    creation.InstanceId, creation.Duration, creation.User = arguments.instance, -1, "nobody"
    cancellation = CancelKillTaskRequest()
    cancellation.InstanceId = arguments.instance

    retryer = RecordingRetryer()
    profile = official_client.profile(arguments.lossy_endpoint)
    profile.retryer = retryer
    client = DbbrainClient(official_client.own_credential(), official_client.REGION, profile)
    with mock.patch("tencentcloud.common.abstract_client.time", SimpleNamespace(time=lambda: clock["now"])):
        try:
            client.CreateKillTask(creation)
        except TencentCloudSDKException as exception:
            # That of the last attempt, of which it is all there is; had it gone well, the SDK would raise the first's.
            require(exception.code == "UnsupportedOperation.HasDuplicatedTask", f"the SDK raised {exception}")
        else:
            raise official_client.Unexpected("the SDK raised nothing: was the request not signed anew?")
    report(answers=retryer.answers)
    require(retryer.attempts == 3, f"there were {retryer.attempts} attempts, not 3")
    require(len(retryer.answers) == 1, f"{len(retryer.answers)} attempts went well, not the second alone")
    require(retryer.answers[0].get("Status") == 1, f"the same request again answered {retryer.answers[0]}")
    official_client.dbbrain_client(arguments.endpoint).CancelKillTask(cancellation)


official_client.run(main)
