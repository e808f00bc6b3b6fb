"""Calls more often than 20 times a second with the official Python SDK and checks the exceptions it raises.

Every call is one that is refused for a missing parameter if it is not refused for the rate.
"""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import official_client
from official_client import report, require

LIMIT = 20
CALLS = 30
TEXTS = {
    "en-US": re.compile(
        r"Your current request times equals to `(\d+)` in a second, which exceeds the frequency limit `20` for a "
        r"second\. Please reduce the frequency of calls\."),
    "zh-CN": re.compile(r"您当前每秒请求 `(\d+)` 次，超过了每秒频率上限 `20`，请稍后重试。"),
}


def refusal(client):
    try:
        client.call_json("KillMySqlThreads", {})
    except TencentCloudSDKException as exception:
        return exception
    raise official_client.Unexpected("a call without parameters was accepted")


def burst(endpoint):
    """The exceptions of CALLS calls at once, half of them in either language, and the seconds that they took."""
    languages = list(TEXTS) * (CALLS // 2)
    credential = official_client.own_credential()
    clients = [official_client.common_client(endpoint, credential, language=language) for language in languages]
    with ThreadPoolExecutor(CALLS) as pool:
        start = time.monotonic()
        exceptions = list(pool.map(refusal, clients))
        return list(zip(languages, exceptions)), time.monotonic() - start


def main():
    arguments = official_client.options(__doc__).parse_args()

    # On a busy machine the burst may take longer than the second that it is to fit in: then it proves nothing.
    for _ in range(5):
        time.sleep(1.1)
        answers, seconds = burst(arguments.endpoint)
        if seconds < 1:
            break
    else:
        raise official_client.Unexpected(f"{CALLS} calls never took less than a second, the last time {seconds:.1f} s")

    codes = Counter(exception.code for _, exception in answers)
    report(seconds=round(seconds, 3), codes=codes)
    require(
        codes == {"MissingParameter": LIMIT, "RequestLimitExceeded": CALLS - LIMIT},
        f"the codes of {CALLS} calls within a second are {dict(codes)}")

    counts = []
    for language, exception in answers:
        if exception.code == "RequestLimitExceeded":
            match = TEXTS[language].fullmatch(exception.message)
            require(match, f"the message in {language} is {exception.message!r}")
            counts.append(int(match[1]))
    require(sorted(counts) == list(range(LIMIT + 1, CALLS + 1)), f"the messages count {sorted(counts)}")


official_client.run(main)
