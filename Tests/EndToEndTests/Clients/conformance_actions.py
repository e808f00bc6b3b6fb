"""The part of sdk_conformance.py that is about the actions beside KillMySqlThreads and the plain process list."""

import itertools
import re
import threading
import time

import expected_errors as errors
from conformance import Refusal
from conformance_clients import V2019, V2021
from official_client import require
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

DUPLICATED_TASK = errors.ExpectedError(
    "UnsupportedOperation.HasDuplicatedTask",
    "The instance has a running kill task already. Please cancel it first, or wait for its end.",
    "该实例已有正在运行的终止任务。请先取消该任务，或等待其结束。")
NO_TASK = errors.ExpectedError(
    "ResourceNotFound", "The instance has no running kill task. Nothing was cancelled.",
    "该实例没有正在运行的终止任务。未取消任何任务。")
LOGIN_REFUSED = errors.ExpectedError(
    "FailedOperation",
    "The database server of the instance refused the login: please check `User` and `Password`.",
    "实例的数据库服务器拒绝了该账号的登录，请检查 `User` 和 `Password`。")
INSTANCES = {"IsSupported": True, "Product": "mysql", "Offset": 0, "Limit": 20}
# One at a time: an instance has one kill task at most.
task_lock = threading.Lock()
durations = itertools.count(60)


def refusals(instance):
    of = {"InstanceId": instance}
    account = of | {"User": "app", "Password": "no, it is not"}
    task = of | {"Duration": 60, "Info": "/* nobody's */"}

    def without(parameters, name):
        return {key: value for key, value in parameters.items() if key != name}

    def unsupported(action, version):
        return Refusal("not served", action, of, errors.unsupported_action(action), version=version)

    def instances(outcome, parameters, error, **more):
        return Refusal(outcome, "DescribeDiagDBInstances", parameters, error, **more)

    return [
        unsupported("DescribeSlowLogs", V2021), unsupported("CreateProxySessionKillTask", V2021),
        unsupported("DescribeHealthScore", V2019),
        Refusal(
            "action of another version", "CreateKillTask", task, errors.invalid_action("CreateKillTask", V2019),
            version=V2019),
        *[
            instances(f"no {name}", without(INSTANCES, name), errors.missing(name), version=version)
            for name in ("Product", "Limit") for version in (V2021, V2019)
        ],
        instances("Limit 101", INSTANCES | {"Limit": 101}, errors.invalid_value(101, "Limit")),
        instances("wrong key", INSTANCES, errors.SIGNATURE_FAILURE, caller="wrong key"),
        Refusal("no InstanceIds", "DescribeDBInstances", {}, errors.missing("InstanceIds")),
        Refusal("wrong password", "VerifyUserAccount", account, LOGIN_REFUSED),
        Refusal("no Password", "VerifyUserAccount", without(account, "Password"), errors.missing("Password")),
        Refusal(
            "unknown instance", "VerifyUserAccount", account | {"InstanceId": "cdb-nowhere"}, errors.INSTANCE_UNKNOWN),
        Refusal("no Duration", "CreateKillTask", without(task, "Duration"), errors.missing("Duration")),
        Refusal("Duration 0", "CreateKillTask", task | {"Duration": 0}, errors.invalid_value(0, "Duration")),
        Refusal("Info and Infos", "CreateKillTask", task | {"Infos": ["a", "b"]}, errors.conflict("Info", "Infos")),
        Refusal("unknown instance", "CreateKillTask", task | {"InstanceId": "cdb-nowhere"}, errors.INSTANCE_UNKNOWN),
        *[
            Refusal("without the right", action, parameters, errors.unauthorized(action, instance), caller="reader")
            for action, parameters in (("CreateKillTask", task), ("CancelKillTask", of))
        ],
        # Not with the content of another call in the same second.
        Refusal("unknown instance", "CancelKillTask", {"InstanceId": "cdb-nothing"}, errors.INSTANCE_UNKNOWN),
    ]


class Answers:
    """What one client in one form is answered."""

    def __init__(self, conformance, client, form):
        self.conformance, self.client, self.form = conformance, client, form
        self.instance = conformance.instance

    def check(self, action, outcome, parameters, look, version=V2021, language="zh-CN"):
        """`look` gets the answer, or the exception if the outcome is an error's code."""
        if not self.client.sends(self.form, parameters):
            return

        def body():
            settings = self.conformance.settings(self.form, language, version)
            look(self.client.call(settings, action, parameters))

        combination = (self.client.name, self.form.name, language, f"{action} {version}", outcome)
        self.conformance.tally.check(combination, body)

    def check_refused(self, action, outcome, parameters, error, language):
        def body():
            try:
                answer = self.client.call(self.conformance.settings(self.form, language), action, parameters)
            except TencentCloudSDKException as exception:
                return error.check(exception, language)
            raise TypeError(f"no exception was raised; the answer was {answer}")

        combination = (self.client.name, self.form.name, language, f"{action} {V2021}", f"{error.code}, {outcome}")
        self.conformance.tally.check(combination, body)

    def check_statistics(self):
        """The statement of the tagged session begins with a comment like that of the vendor's example."""

        def look(answer):
            statistics = answer["Statistics"]
            require([one["Dimension"] for one in statistics] == ["SqlTag"], f"the Statistics are {statistics}")
            data = {one["Name"]: one for one in statistics[0]["Data"]}
            require(set(data) == {"f=abd,p=7351"}, f"the names are {set(data)}")
            require(data["f=abd,p=7351"]["Count"] == 1, f"the data are {data}")

        dimension = {"Dimension": "SqlTag", "Data": ["p=7351", "f=abd"]}
        parameters = {"InstanceId": self.instance, "StatDimensions": [dimension]}
        self.check("DescribeMySqlProcessList", "with StatDimensions", parameters, look)

    def check_instances(self):
        def look(answer):
            ids = [item["InstanceId"] for item in answer["Items"]]
            require(ids == [self.instance], f"the ids are {ids}")
            require(answer.get("TotalCount", 1) == 1, f"TotalCount is {answer.get('TotalCount')}")

        for version in (V2021, V2019):
            self.check("DescribeDiagDBInstances", "the instance", INSTANCES, look, version=version)
        self.check(
            "DescribeDBInstances", "one known, one unknown", {"InstanceIds": ["cdb-nowhere", self.instance]}, look)

    def check_account(self, user, password):
        def look(answer):
            require(re.fullmatch(r"\S+", answer["SessionToken"] or ""), "there is no SessionToken")

        parameters = {"InstanceId": self.instance, "User": user, "Password": password}
        self.check("VerifyUserAccount", "right password", parameters, look)

    def check_task(self, victim=None, text="/* nobody's */"):
        """Creates a task, creates another in vain, waits for the victim's end, cancels, cancels in vain."""
        of = {"InstanceId": self.instance}
        # TC3 signs no nonce, so of the same call twice in a second killd makes one.
        create, again = (of | {"Duration": next(durations), "Info": text} for _ in range(2))

        def is_done(answer):
            require(answer["Status"] == 1, f"Status is {answer['Status']}")

        def ended(answer):
            deadline = time.monotonic() + 20
            while answer["ProcessList"]:
                require(time.monotonic() < deadline, f"{answer['ProcessList']} was not ended")
                time.sleep(0.2)
                answer = self.client.call(
                    self.conformance.settings(self.form), "DescribeMySqlProcessList", of | {"ID": victim})

        with task_lock:
            self.check("CreateKillTask", "created", create, is_done)
            self.check_refused("CreateKillTask", "a second one", again, DUPLICATED_TASK, "en-US")
            if victim is not None:
                self.check(
                    "DescribeMySqlProcessList", "the task ends the victim", of | {"ID": victim}, ended)
            # With another content than the other calls about the instance, and each in a second of its own.
            cancel = of | {"Product": "mysql"}
            time.sleep(1 - time.time() % 1)
            self.check("CancelKillTask", "cancelled", cancel, is_done)
            time.sleep(1 - time.time() % 1)
            self.check_refused("CancelKillTask", "no task", cancel, NO_TASK, "zh-CN")
