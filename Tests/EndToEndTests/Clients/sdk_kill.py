"""Kills threads in the two stages with the official Python SDK, commits a second time, and looks at the plan."""

import re

from tencentcloud.dbbrain.v20210527.models import KillMySqlThreadsRequest

import official_client
from official_client import report, require


def kill_threads(client, **parameters):
    request = KillMySqlThreadsRequest()
    for name, value in parameters.items():
        setattr(request, name, value)
    answer = client.KillMySqlThreads(request)
    report(stage=parameters["Stage"], Threads=answer.Threads, SqlExecId=answer.SqlExecId, RequestId=answer.RequestId)
    return answer


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--gateway", action="store_true", help="sign the vendor's host, connect to the endpoint")
    parser.add_argument("--threads", type=int, nargs="+", required=True, help="the thread ids to prepare")
    parser.add_argument("--killed", type=int, nargs="*", help="those that Commit must report; all, if not given")
    arguments = parser.parse_args()
    killed = arguments.threads if arguments.killed is None else arguments.killed
    client = official_client.dbbrain_client(arguments.endpoint, arguments.gateway)

    prepared = kill_threads(client, InstanceId=arguments.instance, Stage="Prepare", Threads=arguments.threads)
    require(prepared.Threads == [], f"Prepare answered Threads {prepared.Threads}, not []")
    require(
        re.fullmatch("[A-Za-z0-9]{12}", prepared.SqlExecId or ""),
        f"Prepare answered SqlExecId {prepared.SqlExecId!r}, not 12 letters and digits")

    commit = {"InstanceId": arguments.instance, "Stage": "Commit", "SqlExecId": prepared.SqlExecId}
    first = kill_threads(client, **commit)
    require(sorted(first.Threads) == sorted(killed), f"Commit answered Threads {first.Threads}, not {killed}")
    require(first.SqlExecId == prepared.SqlExecId, f"Commit answered another SqlExecId: {first.SqlExecId!r}")

    second = kill_threads(client, **commit)
    require(
        (second.Threads, second.SqlExecId) == (first.Threads, first.SqlExecId),
        f"the second Commit answered {second.Threads} under {second.SqlExecId!r}, not what the first one did")
    require(
        len({prepared.RequestId, first.RequestId, second.RequestId}) == 3, "two answers have the same RequestId")

    # An action that the SDK does not know.
    described = client.call_json("DescribeKillPlan", {"SqlExecId": prepared.SqlExecId})["Response"]["Plan"]
    require(described["State"] == "committed", f"the plan is {described['State']}, not committed")
    outcomes = {thread["Id"]: thread["Outcome"] for thread in described["Threads"]}
    wanted = {thread: "killed" if thread in killed else "gone" for thread in arguments.threads}
    require(outcomes == wanted, f"the outcomes are {outcomes}, not {wanted}")


official_client.run(main)
