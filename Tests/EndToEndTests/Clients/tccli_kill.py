"""Kills threads in the two stages with the official command line client, tccli, and provokes an error with it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import official_client
from official_client import report, require

TCCLI = Path(sys.executable).with_name("tccli")


def tccli(arguments, *parameters):
    """Runs `tccli dbbrain KillMySqlThreads` and returns what it printed and its exit status."""
    command = [
        sys.executable, TCCLI, "dbbrain", "KillMySqlThreads", "--version", official_client.VERSION,
        "--region", official_client.REGION, "--endpoint", arguments.endpoint,
        "--cli-unfold-argument", "--InstanceId", arguments.instance, *parameters,
    ]
    # An empty home: no profile of the person who runs the tests is read, and none is written.
    with tempfile.TemporaryDirectory() as home:
        finished = subprocess.run(
            command, env=os.environ | {"HOME": home}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=official_client.TIMEOUT_SECONDS)
    report(parameters=parameters, status=finished.returncode, output=finished.stdout, error=finished.stderr)
    return finished


def answer(arguments, *parameters):
    finished = tccli(arguments, *parameters)
    require(finished.returncode == 0, f"tccli exited with {finished.returncode}: {finished.stderr}")
    return json.loads(finished.stdout)


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--threads", nargs="+", required=True, help="the thread ids to prepare")
    arguments = parser.parse_args()

    prepared = answer(arguments, "--Stage", "Prepare", "--Threads", *arguments.threads)
    require(prepared["Threads"] == [], f"Prepare answered Threads {prepared['Threads']}, not []")

    committed = answer(arguments, "--Stage", "Commit", "--SqlExecId", prepared["SqlExecId"])
    require(
        sorted(committed["Threads"]) == sorted(map(int, arguments.threads)),
        f"Commit answered Threads {committed['Threads']}, not {arguments.threads}")

    refused = tccli(arguments, "--Stage", "Commit", "--SqlExecId", "AEnnKexGijsX")
    require(refused.returncode == 255, f"tccli exited with {refused.returncode} for an unknown SqlExecId, not 255")
    require(
        "[TencentCloudSDKException] code:ResourceNotFound message:" in refused.stderr,
        f"tccli did not tell the error: {refused.stderr!r}")


official_client.run(main)
