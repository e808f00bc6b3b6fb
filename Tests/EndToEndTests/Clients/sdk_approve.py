"""Approves a plan with the official Python SDK's call_json, which knows no such action, and meets its errors."""

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import official_client
from official_client import report, require


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--plan", required=True, help="the name of the plan to approve")
    parser.add_argument("--approvals", nargs="+", required=True, help="the persons who have approved it then")
    parser.add_argument("--state", required=True, help="its state then")
    parser.add_argument("--method", default="POST", help="the HTTP method")
    parser.add_argument("--sign", default="TC3-HMAC-SHA256", help="how requests are signed")
    arguments = parser.parse_args()
    profile = official_client.profile(arguments.endpoint)
    profile.signMethod, profile.httpProfile.reqMethod = arguments.sign, arguments.method
    client = CommonClient(
        "dbbrain", official_client.VERSION, official_client.own_credential(), official_client.REGION, profile)

    def call(action, **parameters):
        answer = client.call_json(action, parameters)["Response"]
        report(action=action, answer=answer)
        return answer

    digest = call("DescribeKillPlan", PlanName=arguments.plan)["Plan"]["Digest"]
    try:
        call("ApproveKillPlan", PlanName=arguments.plan, Digest="0" * 64)
        raise official_client.Unexpected("another digest was approved")
    except TencentCloudSDKException as exception:
        require(exception.code == "OperationDenied", f"the code is {exception.code}")
    approved = call("ApproveKillPlan", PlanName=arguments.plan, Digest=digest, Comment="看过了 ✓")
    require(approved["Approvals"] == arguments.approvals, f"approved by {approved['Approvals']}")
    require(approved["State"] == arguments.state, f"the plan is {approved['State']}, not {arguments.state}")
    again = call("ApproveKillPlan", PlanName=arguments.plan, Digest=digest, Comment="看过了 ✓")
    require(again["Audit"] == approved["Audit"], "the second answer has another entry of the audit")


official_client.run(main)
