"""Runs the official clients against the server: client × form of request × language × action × outcome.

The clients are the Python SDK's typed, async and untyped ones, in every form of request and signature that each has,
and tccli. The last line printed says how many of these combinations were run and how many passed.

Each victim is killed by one client in one form. The account of KILLD_UNAUTHORIZED_SECRET_ID and
KILLD_UNAUTHORIZED_SECRET_KEY may only list. KILLD_DATABASE_PASSWORD is that of the database user app. One session runs
/* p = 7351 , f=abd */ SELECT SLEEP(600).
"""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import conformance_actions
import expected_errors as errors
import official_client
from conformance import LANGUAGES, Refusal, Tally
from conformance_clients import FORMS, V2019, V2021, Async, CommandLine, Common, Settings, Typed
from official_client import Unexpected, require

# What the statement of the sleeping session has in it, and lists are filtered by: no client escapes it like another.
# Not the text of ClientRequestTests, whose session may still sleep on the same server.
TEXT = "/* c+d~中文 */"
LIMIT = 20


class Conformance:
    def __init__(self, arguments):
        self.arguments = arguments
        self.instance = arguments.instance
        self.endpoint = arguments.endpoint
        self.limited_endpoint = arguments.limited_endpoint
        self.victims = list(arguments.victims)
        self.task_victims = list(enumerate(arguments.task_victims))
        own = official_client.own_credential()
        self.credentials = {
            "own": own,
            "wrong key": Credential(own.secret_id, own.secret_key + "x"),
            "nobody": Credential("AKIDnobody", own.secret_key),
            "reader": Credential(
                os.environ["KILLD_UNAUTHORIZED_SECRET_ID"], os.environ["KILLD_UNAUTHORIZED_SECRET_KEY"]),
        }
        self.tally = Tally()
        self.bursts = 0
        self.last_burst = {}

    def settings(self, form, language="zh-CN", version=V2021):
        return Settings(form, self.endpoint, self.credentials["own"], language, version)

    # What must be refused

    def refusals(self):
        live = self.arguments.live_thread
        prepare = {"InstanceId": self.instance, "Stage": "Prepare", "Threads": [live]}
        commit = {"InstanceId": self.instance, "Stage": "Commit", "SqlExecId": "AEnnKexGijsX"}
        listing = {"InstanceId": self.instance}

        def without(parameters, name):
            return {key: value for key, value in parameters.items() if key != name}

        def kill(outcome, parameters, error, **more):
            return Refusal(outcome, "KillMySqlThreads", parameters, error, **more)

        def list_(outcome, parameters, error, **more):
            return Refusal(outcome, "DescribeMySqlProcessList", parameters, error, **more)

        def for_both(make, parameters, version=V2021):
            return [
                make("wrong key", parameters, errors.SIGNATURE_FAILURE, caller="wrong key", version=version),
                make("unknown SecretId", parameters, errors.SECRET_ID_NOT_FOUND, caller="nobody", version=version),
                make(
                    "unknown instance", parameters | {"InstanceId": "cdb-nowhere"}, errors.INSTANCE_UNKNOWN,
                    version=version),
                make("no InstanceId", without(parameters, "InstanceId"), errors.missing("InstanceId"), version=version),
                make(
                    "unknown parameter", parameters | {"Force": "yes"}, errors.unknown_parameter("Force"),
                    version=version),
            ]

        return [
            *for_both(kill, prepare), *for_both(list_, listing), *for_both(list_, listing, V2019),
            kill("clock behind", prepare, errors.SIGNATURE_EXPIRED, clock_error_seconds=-310),
            kill("clock ahead", prepare, errors.SIGNATURE_EXPIRED, clock_error_seconds=310),
            kill(
                "Prepare without the right", prepare, errors.unauthorized("KillMySqlThreads", self.instance),
                caller="reader"),
            kill(
                "Commit without the right", commit, errors.unauthorized("KillMySqlThreads", self.instance),
                caller="reader"),
            kill("no Stage", without(prepare, "Stage"), errors.missing("Stage")),
            kill("no Threads", without(prepare, "Threads"), errors.missing("Threads")),
            kill("no SqlExecId", without(commit, "SqlExecId"), errors.missing("SqlExecId")),
            kill("unknown SqlExecId", commit, errors.PLAN_NOT_FOUND),
            kill("unknown Stage", prepare | {"Stage": "Kill"}, errors.invalid_value("Kill", "Stage")),
            kill("another Product", prepare | {"Product": "cynosdb"}, errors.invalid_value("cynosdb", "Product")),
            kill("id 0", prepare | {"Threads": [live, 0]}, errors.invalid_value("0", "Threads.1")),
            kill(
                "id that MySQL would cut to the live thread's", prepare | {"Threads": [2**32 + live]},
                errors.invalid_value(2**32 + live, "Threads.0")),
            kill("id is a text", prepare | {"Threads": ["x"]}, errors.wrong_type("Threads.0")),
            kill("RecordHistory is a text", prepare | {"RecordHistory": "yes"}, errors.wrong_type("RecordHistory")),
            list_("Limit is a text", listing | {"Limit": "many"}, errors.wrong_type("Limit")),
            kill("unknown version", prepare, errors.no_such_version("2000-01-01"), version="2000-01-01"),
            kill(
                "action of another version", prepare, errors.invalid_action("KillMySqlThreads", V2019), version=V2019),
            Refusal("unknown action", "KillEverything", prepare, errors.invalid_action("KillEverything", V2021)),
            *conformance_actions.refusals(self.instance),
        ]

    def check_refusal(self, client, form, language, refusal):
        def body():
            settings = replace(
                self.settings(form, language, refusal.version), credential=self.credentials[refusal.caller],
                clock_error_seconds=refusal.clock_error_seconds)
            try:
                answer = client.call(settings, refusal.action, refusal.parameters)
            except TencentCloudSDKException as exception:
                return refusal.error.check(exception, language)
            raise Unexpected(f"no exception was raised; the answer was {answer}")

        outcome = f"{refusal.error.code}, {refusal.outcome}"
        self.tally.check((client.name, form.name, language, f"{refusal.action} {refusal.version}", outcome), body)

    # What must be done

    def check_kill(self, client, form):
        """Kills one victim in the two stages, and commits again."""
        settings = self.settings(form)
        victim = self.victims.pop()
        combination = (client.name, form.name, "zh-CN", f"KillMySqlThreads {V2021}")

        def stage(outcome, parameters, threads):
            def body():
                answer = client.call(settings, "KillMySqlThreads", {"InstanceId": self.instance} | parameters)
                require(answer["Threads"] == threads, f"Threads is {answer['Threads']}, not {threads}")
                require(
                    re.fullmatch("[A-Za-z0-9]{12}", answer["SqlExecId"]), f"SqlExecId is {answer['SqlExecId']!r}")
                require(re.fullmatch(errors.UUID, answer["RequestId"]), f"RequestId is {answer['RequestId']!r}")
                return answer

            return self.tally.check((*combination, outcome), body)

        prepare = {"Stage": "Prepare", "Threads": [victim, 4_000_000_000], "RecordHistory": True}
        if not client.sends(form, prepare):
            del prepare["RecordHistory"]
        prepared = stage("Prepare", prepare, [])
        if prepared:
            commit = {"Stage": "Commit", "SqlExecId": prepared["SqlExecId"]}
            first = stage("Commit ends the victim", commit, [victim])
            second = stage("Commit again ends nothing", commit, [victim])
            if first and second:
                require(first["SqlExecId"] == second["SqlExecId"] == prepared["SqlExecId"], "another SqlExecId")
                require(first["RequestId"] != second["RequestId"], "the same RequestId twice")

    def check_list(self, client, form, version, outcome, parameters, threads):
        def body():
            answer = client.call(
                self.settings(form, version=version), "DescribeMySqlProcessList",
                {"InstanceId": self.instance} | parameters)
            for process in answer["ProcessList"]:
                for name in ("ID", "User", "Host", "DB", "State", "Command", "Time", "Info"):
                    require(isinstance(process[name], str), f"{name} of {process} is no text")
            ids = [process["ID"] for process in answer["ProcessList"]]
            require(
                ids == [str(thread) for thread in threads] if threads else str(self.arguments.live_thread) in ids,
                f"the ids are {ids}")
            require(answer.get("Statistics") is None, "there are Statistics that nobody asked for")

        self.tally.check((client.name, form.name, "zh-CN", f"DescribeMySqlProcessList {version}", outcome), body)

    def check_lists(self, client, form):
        live, sleeping = self.arguments.live_thread, self.arguments.sleeping_thread
        for version in (V2021, V2019):
            self.check_list(client, form, version, "the list", {"Limit": 2_000}, None)
            self.check_list(client, form, version, "by ID", {"ID": live, "Limit": 10}, [live])
            self.check_list(client, form, version, "by Info", {"Info": TEXT}, [sleeping])

    def check_actions(self, client, form, kills):
        """The other actions; with `kills` the kill task has a victim, whose statement ends in its number."""
        answers = conformance_actions.Answers(self, client, form)
        answers.check_instances()
        answers.check_account("app", os.environ["KILLD_DATABASE_PASSWORD"])
        if client.name != CommandLine.name:
            answers.check_statistics()
        if kills:
            number, victim = self.task_victims.pop()
            answers.check_task(victim, f"SELECT SLEEP(600) /* doomed {number} */")
        else:
            answers.check_task()

    # The rate limit

    def check_rate_limit(self, client, form):
        """Twenty calls in a second are served, those beyond are not."""
        # Each account and action has a limit of its own, so that one need not wait for the second of another.
        actions = ("KillMySqlThreads", "DescribeMySqlProcessList")
        bucket = (("own", "reader")[self.bursts % 2], actions[self.bursts // 2 % 2])
        self.bursts += 1
        caller, action = bucket

        def refusal(language):
            settings = Settings(form, self.limited_endpoint, self.credentials[caller], language)
            try:
                client.call(settings, action, {})
            except TencentCloudSDKException as exception:
                return exception
            raise Unexpected("a call without parameters was accepted")

        def body():
            # On a busy machine twenty calls may take longer than the second: then they prove nothing.
            for _ in range(5):
                time.sleep(max(0, self.last_burst.get(bucket, 0) + 1.1 - time.monotonic()))
                start = time.monotonic()
                served = [refusal("zh-CN").code for _ in range(LIMIT)]
                refused = {language: refusal(language) for language in LANGUAGES}
                self.last_burst[bucket] = time.monotonic()
                if self.last_burst[bucket] - start < 1:
                    break
            require(set(served) == {"MissingParameter"}, f"the codes of {LIMIT} calls within a second are {served}")
            for language, exception in refused.items():
                errors.RATE_EXCEEDED.check(exception, language)

        self.tally.check((client.name, form.name, "both", f"{action} {V2021}", "RequestLimitExceeded"), body)

    # All of it

    def run_sdk(self, client):
        refusals = self.refusals()
        for index, form in enumerate(FORMS):
            if not client.sends(form, {}):
                continue
            self.check_kill(client, form)
            self.check_lists(client, form)
            self.check_actions(client, form, kills=form == FORMS[0])
            if client.name == Common.name or form == FORMS[0]:
                self.check_rate_limit(client, form)
            for position, refusal in enumerate(refusals):
                if client.has(refusal.action, refusal.version) and client.sends(form, refusal.parameters):
                    # In the first form both languages; in the others one, the other in the next form.
                    for language in LANGUAGES if index == 0 else [LANGUAGES[(index + position) % 2]]:
                        self.check_refusal(client, form, language, refusal)
        client.close()

    def run_command_line(self):
        """A second or more for each call: what tccli itself does differently, and one error of each kind."""
        client, form = CommandLine(), FORMS[0]
        outcomes = {
            ("zh-CN", "wrong key", V2021), ("en-US", "unknown SecretId", V2021), ("zh-CN", "unknown instance", V2019),
            ("en-US", "Prepare without the right", V2021), ("en-US", "unknown SqlExecId", V2021),
            ("zh-CN", "id 0", V2021),
        }
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(self.check_kill, client, form)]
            jobs.append(pool.submit(self.check_actions, client, form, kills=True))
            for version in (V2021, V2019):
                sleeping = [self.arguments.sleeping_thread]
                jobs.append(
                    pool.submit(self.check_list, client, form, version, "by Info", {"Info": TEXT}, sleeping))
            for refusal in self.refusals():
                for language in LANGUAGES:
                    if (language, refusal.outcome, refusal.version) in outcomes:
                        jobs.append(pool.submit(self.check_refusal, client, form, language, refusal))
                        outcomes.remove((language, refusal.outcome, refusal.version))
            for job in jobs:
                job.result()
        require(not outcomes, f"there are no such outcomes: {outcomes}")


def main():
    parser = official_client.options(__doc__)
    parser.add_argument("--limited-endpoint", required=True, help="a server with a limit of 20 requests a second")
    parser.add_argument("--live-thread", type=int, required=True, help="the id of a thread that must survive")
    parser.add_argument("--sleeping-thread", type=int, required=True, help=f"one whose statement has {TEXT} in it")
    parser.add_argument("--victims", type=int, nargs="+", required=True, help="the ids of the threads to kill")
    parser.add_argument(
        "--task-victims", type=int, nargs="+", required=True,
        help="those that kill tasks are to end: number N from 0 runs SELECT SLEEP(600) /* doomed N */")
    arguments = parser.parse_args()

    # The SDK looks for the endpoint as a whole in this list.
    hosts = [endpoint.split("://")[1] for endpoint in (arguments.endpoint, arguments.limited_endpoint)]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(["127.0.0.1", *hosts])

    conformance = Conformance(arguments)
    with ThreadPoolExecutor(1) as pool:
        # tccli trusts no other authorities than certifi's.
        others = [] if "KILLD_CA" in os.environ else [pool.submit(conformance.run_command_line)]
        for client in (Common(), Typed(), Async()):
            conformance.run_sdk(client)
        for other in others:
            other.result()
    require(not conformance.victims + conformance.task_victims, "there are victims left")
    conformance.tally.report()


official_client.run(main)
