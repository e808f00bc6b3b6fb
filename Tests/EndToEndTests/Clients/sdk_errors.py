"""Provokes errors with the official Python SDK and checks the exceptions that it raises, in both languages.

The texts are the vendor's, to the letter, where they are publicly known; elsewhere only the language is checked.
The account of KILLD_UNAUTHORIZED_SECRET_ID and KILLD_UNAUTHORIZED_SECRET_KEY must not be allowed to prepare.
"""

import os
import re
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Optional, Union
from unittest import mock

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import official_client
from official_client import VERSION, report, require

Text = Union[str, re.Pattern, None]


@dataclass(frozen=True)
class Case:
    """A call that must fail, and how. A text of None is the server's own: only its language is checked."""

    name: str
    code: str
    parameters: dict
    english: Text = None
    chinese: Text = None
    action: str = "KillMySqlThreads"
    version: str = VERSION
    credential: Optional[Credential] = None
    clock_error_seconds: int = 0
    unsigned: bool = False


def missing(name):
    return {"code": "MissingParameter", "english": f"The request is missing a required parameter `{name}`."}


def invalid_value(value, name):
    return {
        "code": "InvalidParameterValue",
        "english": f"The value `{value}` specified in the parameter `{name}` is not valid.",
    }


def invalid_type(name):
    # Both forms are in use at the vendor: that of 2022, and that of 2024, which adds the expected type.
    english = f"The value type of parameter `{name}` is not valid"
    chinese = f"参数 `{name}` 取值类型错误。"
    return {
        "code": "InvalidParameter",
        "english": re.compile(re.escape(english) + r"(\.|, input type should be `\w+` )"),
        "chinese": re.compile(re.escape(chinese) + r"(参数类型应为 `\w+`)?"),
    }


def unknown_action(action, version):
    return {
        "action": action,
        "version": version,
        "code": "InvalidAction",
        "english": f"The request action=`{action}` is invalid or not found in service=`dbbrain` and "
        f"version=`{version}`.",
    }


def cases(instance, live_thread):
    """All cases. The live thread must survive every one of them."""
    own = official_client.own_credential()
    unauthorized = Credential(
        os.environ["KILLD_UNAUTHORIZED_SECRET_ID"], os.environ["KILLD_UNAUTHORIZED_SECRET_KEY"])
    prepare = {"InstanceId": instance, "Stage": "Prepare", "Threads": [live_thread]}
    commit = {"InstanceId": instance, "Stage": "Commit", "SqlExecId": "AEnnKexGijsX"}

    def without(parameters, name):
        return {key: value for key, value in parameters.items() if key != name}

    def threads(*ids):
        return prepare | {"Threads": list(ids)}

    signature_failure = {
        "code": "AuthFailure.SignatureFailure",
        "english": "The provided credentials could not be validated. Please check your signature is correct.",
        "chinese": "请求签名验证失败，请检查您的签名计算是否正确。",
    }
    signature_expired = {
        "code": "AuthFailure.SignatureExpire",
        "english": re.compile(
            r"Signature expired\. Please use local time and enable NTP service for time synchronization to avoid a "
            r"deviation between `Timestamp` and the server time \d{10}\."),
    }
    not_authorized = {
        "code": "AuthFailure.UnauthorizedOperation",
        "english": re.compile(
            r"You are not authorized to perform this operation\. Check your CAM policies, and ensure that you are "
            r"using the correct access keys\..*", re.DOTALL),
        "chinese": re.compile(r"操作未授权，请检查CAM策略。.*", re.DOTALL),
    }
    unknown_instance = {"code": "InvalidParameterValue", "english": "InstanceId is invalid"}
    unknown_parameter = {
        "code": "UnknownParameter",
        "english": "The parameter `Force` is not recognized.",
        "chinese": "未知参数错误，用户多传未定义的参数会导致错误",
    }
    unknown_secret_id = {
        "code": "AuthFailure.SecretIdNotFound",
        "english": "The SecretId is not found, please ensure that your SecretId is correct.",
        "chinese": "SecretId不存在，请输入正确的密钥。",
    }
    unknown_version = {
        "code": "NoSuchVersion",
        "english": "The specified api version=`2000-01-01` does not exist in service=`dbbrain`.",
    }

    return [
        # Who calls
        Case("unknown SecretId", parameters=prepare, credential=Credential("AKIDnobody", "x"), **unknown_secret_id),
        Case("wrong SecretKey", parameters=prepare, credential=Credential(own.secret_id, "x"), **signature_failure),
        Case("no signature", "AuthFailure.InvalidAuthorization", prepare, unsigned=True),
        Case("clock 301 s behind", parameters=prepare, clock_error_seconds=-301, **signature_expired),
        Case("clock 310 s ahead", parameters=prepare, clock_error_seconds=310, **signature_expired),
        Case("Prepare without the right", parameters=prepare, credential=unauthorized, **not_authorized),
        Case("Commit without the right", parameters=commit, credential=unauthorized, **not_authorized),
        # What is called
        Case("unknown action", parameters=prepare, **unknown_action("KillEverything", VERSION)),
        Case("action of another version", parameters=prepare, **unknown_action("KillMySqlThreads", "2019-10-16")),
        Case("unknown version", parameters=prepare, version="2000-01-01", **unknown_version),
        # The parameters of both stages
        Case("no parameters", "MissingParameter", {}),
        Case("no InstanceId", parameters=without(prepare, "InstanceId"), **missing("InstanceId")),
        Case("no Stage", parameters=without(prepare, "Stage"), **missing("Stage")),
        Case("unknown Stage", parameters=prepare | {"Stage": "Kill"}, **invalid_value("Kill", "Stage")),
        Case("Stage in small letters", parameters=prepare | {"Stage": "prepare"}, **invalid_value("prepare", "Stage")),
        Case("Stage is a number", parameters=prepare | {"Stage": 1}, **invalid_type("Stage")),
        Case("unknown instance", parameters=prepare | {"InstanceId": "cdb-nowhere"}, **unknown_instance),
        Case("unknown parameter", parameters=prepare | {"Force": True}, **unknown_parameter),
        Case("unknown Product", parameters=prepare | {"Product": "oracle"}, **invalid_value("oracle", "Product")),
        Case(
            "another instance's Product at Prepare", parameters=prepare | {"Product": "cynosdb"},
            **invalid_value("cynosdb", "Product")),
        Case(
            "another instance's Product at Commit", parameters=commit | {"Product": "cynosdb"},
            **invalid_value("cynosdb", "Product")),
        Case(
            "RecordHistory is a text", parameters=prepare | {"RecordHistory": "yes"},
            **invalid_type("RecordHistory")),
        # Threads
        Case("Prepare without Threads", parameters=without(prepare, "Threads"), **missing("Threads")),
        Case("no threads", parameters=threads(), **invalid_value("[]", "Threads")),
        Case("Threads is a number", parameters=prepare | {"Threads": live_thread}, **invalid_type("Threads")),
        Case("id 0", parameters=threads(0), **invalid_value("0", "Threads.0")),
        Case("negative id", parameters=threads(-1), **invalid_value("-1", "Threads.0")),
        Case(
            "id that MySQL would cut to the live thread's", parameters=threads(live_thread, 2**32 + live_thread),
            **invalid_value(2**32 + live_thread, "Threads.1")),
        Case("id is a text", parameters=threads(str(live_thread)), **invalid_type("Threads.0")),
        Case("id is a fraction", parameters=threads(live_thread, 1.5), **invalid_type("Threads.1")),
        Case("1,001 ids", "LimitExceeded", threads(*range(1, 1002))),
        # SqlExecId
        Case("Commit without SqlExecId", parameters=without(commit, "SqlExecId"), **missing("SqlExecId")),
        Case("unknown SqlExecId", "ResourceNotFound", commit),
    ]


def exception_of(case, client):
    """The exception that the SDK raises for the case."""
    clock = SimpleNamespace(time=lambda: time.time() + case.clock_error_seconds)
    with mock.patch("tencentcloud.common.abstract_client.time", clock):
        try:
            answer = client.call_json(case.action, case.parameters, options={"SkipSign": case.unsigned})
        except TencentCloudSDKException as exception:
            return exception
    raise official_client.Unexpected(f"no exception was raised; the answer was {answer}")


def check_text(text, message, language):
    if isinstance(text, re.Pattern):
        require(text.fullmatch(message), f"the message is {message!r}, which {text.pattern!r} does not match")
    elif text is not None:
        require(message == text, f"the message is {message!r}, not {text!r}")
    elif language == "zh-CN":
        require(re.search("[\u4e00-\u9fff]", message), f"the message is not in Chinese: {message!r}")
    else:
        require(message and message.isascii(), f"the message is not in English: {message!r}")


def check(case, language, endpoint):
    credential = case.credential or official_client.own_credential()
    client = official_client.common_client(endpoint, credential, case.version, language)
    exception = exception_of(case, client)
    report(case=case.name, language=language, code=exception.code, message=str(exception.message))
    require(exception.code == case.code, f"the code is {exception.code!r}, not {case.code!r}: {exception.message!r}")
    check_text(case.chinese if language == "zh-CN" else case.english, exception.message, language)
    require(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", exception.requestId),
        f"the RequestId is {exception.requestId!r}, not a UUID of version 4 in small letters")


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--live-thread", type=int, required=True, help="the id of a thread that must survive")
    arguments = parser.parse_args()

    mismatches = []
    for case in cases(arguments.instance, arguments.live_thread):
        for language in ("en-US", "zh-CN"):
            # Fewer than 20 calls in any second, so that none is refused for the rate.
            time.sleep(0.06)
            try:
                check(case, language, arguments.endpoint)
            except official_client.Unexpected as unexpected:
                mismatches.append(f"{case.name} ({language}): {unexpected}")
    require(not mismatches, "\n".join([f"{len(mismatches)} mismatches", *mismatches]))


official_client.run(main)
