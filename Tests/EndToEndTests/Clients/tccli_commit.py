"""Commits an approved plan with tccli as it is: who commits needs nothing that the vendor's client does not have."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import official_client
from official_client import report, require

TCCLI = Path(sys.executable).with_name("tccli")


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--ticket", required=True, help="the SqlExecId to commit")
    parser.add_argument("--threads", type=int, nargs="*", required=True, help="those that must be ended; none: refused")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        finished = subprocess.run(
            [sys.executable, TCCLI, "dbbrain", "KillMySqlThreads", "--version", official_client.VERSION,
             "--region", official_client.REGION, "--endpoint", arguments.endpoint, "--cli-unfold-argument",
             "--InstanceId", arguments.instance, "--Stage", "Commit", "--SqlExecId", arguments.ticket],
            env=os.environ | {"HOME": home}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=official_client.TIMEOUT_SECONDS)
    report(status=finished.returncode, output=finished.stdout, error=finished.stderr)
    if not arguments.threads:
        require(
            "code:OperationDenied" in finished.stderr, f"tccli did not tell what is missing: {finished.stderr}")
        require("killd approve" in finished.stderr, f"tccli did not tell how to approve: {finished.stderr}")
        return
    require(finished.returncode == 0, f"tccli exited with {finished.returncode}: {finished.stderr}")
    require(json.loads(finished.stdout)["Threads"] == arguments.threads, f"tccli told {finished.stdout}")


official_client.run(main)
