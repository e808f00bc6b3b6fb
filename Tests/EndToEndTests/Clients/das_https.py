"""Kills a session over HTTPS with the Tea SDK, which must trust the authority that it is given and no other."""

from darabonba.exceptions import UnretryableException

import das_client
from das_client import ACCESS_KEY_ID, ACCESS_KEY_SECRET, kill, list_sessions, require


def main():
    parser = das_client.options(__doc__)
    parser.add_argument("--ca", required=True, help="the PEM file of who certifies the endpoint")
    parser.add_argument("--user", required=True, help="the database account that kills")
    parser.add_argument("--thread", type=int, required=True, help="the thread id to kill")
    arguments = parser.parse_args()

    stranger = das_client.TeaClient(arguments.endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    try:
        stranger.call("GetMySQLAllSessionAsync", InstanceId=arguments.instance)
    except UnretryableException as error:
        require("CERTIFICATE_VERIFY_FAILED" in str(error), f"another error: {error}")
    else:
        raise das_client.Unexpected("a certificate of nobody was trusted")

    client = das_client.TeaClient(arguments.endpoint, ACCESS_KEY_ID, ACCESS_KEY_SECRET, ca=arguments.ca)
    result = kill(
        client, arguments.instance, arguments.user, KillAllSessions=False, SessionIds=f"[{arguments.thread}]")
    require(result["KillSuccessCount"] == 1, f"the result is {result}")
    require(arguments.thread not in list_sessions(client, arguments.instance), "the session is still there")


das_client.run(main)
