"""Lists sessions and kills some with every official SDK of Alibaba Cloud, each with sessions of its own."""

import das_client
from das_client import kill, list_sessions, require


def main():
    parser = das_client.options(__doc__)
    parser.add_argument("--user", required=True, help="the database account that kills")
    parser.add_argument("--threads", type=int, nargs="+", required=True, help="the thread ids to kill, one a client")
    parser.add_argument("--ignored-user", required=True, help="whose sessions are spared when all are killed")
    arguments = parser.parse_args()
    clients = das_client.clients(arguments.endpoint)
    require(len(arguments.threads) == len(clients), f"expected {len(clients)} threads")
    absent = 4000000000

    for thread, (name, client) in zip(arguments.threads, clients.items()):
        sessions = list_sessions(client, arguments.instance)
        require(thread in sessions, f"{name}: {thread} is not among {sorted(sessions)}")
        require(":" not in sessions[thread]["Client"], f"{name}: a client with a port: {sessions[thread]}")

        result = kill(
            client, arguments.instance, arguments.user, KillAllSessions=False, SessionIds=f"[{thread},{absent}]")
        require(result["TaskState"] == "SUCCESS", f"{name}: {result}")
        require(result["KillSuccessCount"] == 1 and result["KillFailCount"] == 0, f"{name}: {result}")
        reasons = {session["Id"]: session["Reason"] for session in result["Result"]}
        require(
            reasons == {thread: "SESSION_KILLED", absent: "SESSION_EXPIRED"}, f"{name}: the reasons are {reasons}")
        require(thread not in list_sessions(client, arguments.instance), f"{name}: {thread} is still there")

    # The same with all sessions but those of some users, in either spelling of a list. Everybody else is gone already,
    # so this shows who is spared.
    for name, ignored in [("tea-v3", "['%s','root']"), ("tea-v1", '["%s","root"]'), ("core", "['%s','root']")]:
        result = kill(
            clients[name], arguments.instance, arguments.user, KillAllSessions=True,
            IgnoredUsers=ignored % arguments.ignored_user)
        require(result["TaskState"] == "SUCCESS", f"{name}: {result}")
        require(result["IgnoredUserSessionCount"] >= 10 and result["KillFailCount"] == 0, f"{name}: {result}")
        spared = [session for session in result["Result"] if session["User"] == arguments.ignored_user]
        require(
            {session["Reason"] for session in spared} == {"SESSION_IGNORED_USER"}, f"{name}: spared as {spared}")
        if name == "tea-v3":
            require(result["KillSuccessCount"] == 1, f"{name}: {result['KillSuccessCount']} were killed, not 1")


das_client.run(main)
