"""What the parts of sdk_conformance.py share: calls that must fail, and the tally of what was run."""

import sys
from dataclasses import dataclass

import expected_errors as errors
from conformance_clients import V2021
from official_client import Unexpected, require
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

LANGUAGES = ("zh-CN", "en-US")


@dataclass(frozen=True)
class Refusal:
    """A call that must fail, and how."""

    outcome: str
    action: str
    parameters: dict
    error: errors.ExpectedError
    caller: str = "own"
    version: str = V2021
    clock_error_seconds: int = 0


class Tally:
    """Which combinations were run, and what went wrong."""

    def __init__(self):
        self.run = set()
        self.failures = []

    def check(self, combination, body):
        """Runs one combination; its result, or None if it failed."""
        require(combination not in self.run, f"{combination} was run twice")
        self.run.add(combination)
        try:
            return body()
        except (Unexpected, TencentCloudSDKException, LookupError, TypeError, RuntimeError) as failure:
            self.failures.append(f"{' | '.join(combination)}: {type(failure).__name__}: {failure}")
            return None

    def report(self):
        print("\n".join(self.failures), file=sys.stderr)
        print(
            f"conformance: {len(self.run)} combinations of client, form, language, action and outcome run, "
            f"{len(self.run) - len(self.failures)} passed")
        sys.exit(1 if self.failures else 0)
