"""The errors that the client programs beside this file expect, with their texts in both languages.

The vendor's texts are those that are publicly known; the others are killd's own.
"""

import re
from dataclasses import dataclass
from typing import Union

from official_client import require

Text = Union[str, re.Pattern]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@dataclass(frozen=True)
class ExpectedError:
    """A code and what it says in each language."""

    code: str
    english: Text
    chinese: Text

    def check(self, exception, language):
        """Compares with an exception of the SDK."""
        code, message = exception.code, str(exception.message)
        require(code == self.code, f"the code is {code!r}, not {self.code!r}: {message!r}")
        text = self.chinese if language == "zh-CN" else self.english
        if isinstance(text, re.Pattern):
            require(text.fullmatch(message), f"the message is {message!r}, which {text.pattern!r} does not match")
        else:
            require(message == text, f"the message is {message!r}, not {text!r}")
        require(re.fullmatch(UUID, str(exception.requestId)), f"the RequestId is {exception.requestId!r}")


SIGNATURE_FAILURE = ExpectedError(
    "AuthFailure.SignatureFailure",
    "The provided credentials could not be validated. Please check your signature is correct.",
    "请求签名验证失败，请检查您的签名计算是否正确。")
SECRET_ID_NOT_FOUND = ExpectedError(
    "AuthFailure.SecretIdNotFound",
    "The SecretId is not found, please ensure that your SecretId is correct.",
    "SecretId不存在，请输入正确的密钥。")
SIGNATURE_EXPIRED = ExpectedError(
    "AuthFailure.SignatureExpire",
    re.compile(
        r"Signature expired\. Please use local time and enable NTP service for time synchronization to avoid a "
        r"deviation between `Timestamp` and the server time \d{10}\."),
    re.compile(r"签名已过期。请使用本地时间并启用 NTP 服务同步时间，以免 `Timestamp` 与服务器时间 \d{10} 存在偏差。"))
INSTANCE_UNKNOWN = ExpectedError(
    # A client in use looks for the English words whatever language it asked for.
    "InvalidParameterValue", "InstanceId is invalid", re.compile(r".*InstanceId is invalid.*[）]"))
PLAN_NOT_FOUND = ExpectedError(
    "ResourceNotFound",
    "The SqlExecId is not found, please ensure that it is correct and belongs to the InstanceId.",
    "SqlExecId 不存在，请确认其正确且属于该 InstanceId。")
RATE_EXCEEDED = ExpectedError(
    "RequestLimitExceeded",
    re.compile(
        r"Your current request times equals to `2[1-9]` in a second, which exceeds the frequency limit `20` for a "
        r"second\. Please reduce the frequency of calls\."),
    re.compile(r"您当前每秒请求 `2[1-9]` 次，超过了每秒频率上限 `20`，请稍后重试。"))


def unauthorized(action, instance):
    return ExpectedError(
        "AuthFailure.UnauthorizedOperation",
        re.compile(
            r"You are not authorized to perform this operation\. Check your CAM policies, and ensure that you are "
            rf"using the correct access keys\. \[\[request id:{UUID}\]you are not authorized to perform operation "
            rf"\(dbbrain:{action}\)\nresource \(qcs::dbbrain:[^()]*{re.escape(instance)}\) has no permission\n\]"),
        re.compile(rf"操作未授权，请检查CAM策略。\[\[request id:{UUID}\]system policy not verify\]"))


def missing(name):
    return ExpectedError(
        "MissingParameter", f"The request is missing a required parameter `{name}`.", f"请求缺少必要参数 `{name}`。")


def unknown_parameter(name):
    return ExpectedError(
        "UnknownParameter", f"The parameter `{name}` is not recognized.", "未知参数错误，用户多传未定义的参数会导致错误")


def wrong_type(name):
    return ExpectedError(
        "InvalidParameter", f"The value type of parameter `{name}` is not valid.", f"参数 `{name}` 取值类型错误。")


def invalid_value(value, name):
    return ExpectedError(
        "InvalidParameterValue", f"The value `{value}` specified in the parameter `{name}` is not valid.",
        f"参数 `{name}` 的取值 `{value}` 无效。")


def conflict(first, second):
    return ExpectedError(
        "InvalidParameterCombination", f"The parameters `{first}` and `{second}` cannot be used together.",
        f"参数 `{first}` 和 `{second}` 不能同时使用。")


def invalid_action(action, version):
    return ExpectedError(
        "InvalidAction",
        f"The request action=`{action}` is invalid or not found in service=`dbbrain` and version=`{version}`.",
        f"请求的接口 action=`{action}` 无效，或在 service=`dbbrain`、version=`{version}` 中不存在。")


def unsupported_action(action):
    return ExpectedError("UnsupportedOperation", f"The action `{action}` is not supported.", f"不支持接口 `{action}`。")


def no_such_version(version):
    return ExpectedError(
        "NoSuchVersion", f"The specified api version=`{version}` does not exist in service=`dbbrain`.",
        f"指定的接口版本 version=`{version}` 在 service=`dbbrain` 中不存在。")
