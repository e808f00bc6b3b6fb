import TencentCloudErrors
import XCTest

final class MessageTests: XCTestCase {
    /// A text with where it comes from: seen at the vendor, or written for killd.
    fileprivate enum Expected: Equatable {
        case vendor(String)
        case ours(String)
    }

    struct Row {
        let error: TencentCloudError
        let code: String
        fileprivate let english: Expected
        fileprivate let chinese: Expected

        fileprivate init(_ error: TencentCloudError, _ code: String, _ english: Expected, _ chinese: Expected) {
            self.error = error
            self.code = code
            self.english = english
            self.chinese = chinese
        }
    }

    static let rows =
        [
            Row(
                .signatureFailure, "AuthFailure.SignatureFailure",
                .vendor("The provided credentials could not be validated. Please check your signature is correct."),
                .vendor("请求签名验证失败，请检查您的签名计算是否正确。")),
            Row(
                .requestTooLargeForSignature, "AuthFailure.SignatureFailure",
                .vendor(
                    "The provided credentials could not be validated because of exceeding request size limit, "
                        + "please use new signature method `TC3-HMAC-SHA256`."),
                .ours("请求签名验证失败，请求大小超过限制，请使用新的签名方法 `TC3-HMAC-SHA256`。")),
            Row(
                .ambiguousSignature(parameter: "Info"), "AuthFailure.SignatureFailure",
                .ours(
                    "The provided credentials could not be validated because the parameter `Info` has an `&` in it, which "
                        + "this signature method does not tell from the end of the parameter. Nothing was done, please use "
                        + "new signature method `TC3-HMAC-SHA256`."),
                .ours(
                    "请求签名验证失败：参数 `Info` 含有 `&`，该签名方法无法将其与参数的结尾区分。未执行任何操作，"
                        + "请使用新的签名方法 `TC3-HMAC-SHA256`。")),
            Row(
                .signatureUsed, "AuthFailure.SignatureFailure",
                .ours(
                    "The signature was used already, by this request or by another one of the same second with the same "
                        + "content. Nothing was done for this one, please sign it anew a second later."),
                .ours("该签名已被使用过：本请求，或同一秒内内容相同的另一请求。本次未执行任何操作，请在一秒后重新签名再试。")),
            Row(
                .signatureForgotten(since: 1_706_406_788), "AuthFailure.SignatureExpire",
                .ours(
                    "Signature expired. Which signatures were used before the Unix time `1706406788` is not known any more, "
                        + "so this one may have been. Nothing was done, please sign the request anew with a clock that is "
                        + "right."),
                .ours(
                    "签名已过期。Unix 时间 `1706406788` 之前使用过哪些签名已无记录，该签名可能已被使用过。未执行任何操作，"
                        + "请校准时钟后重新签名再试。")),
            Row(
                .secretIDNotFound, "AuthFailure.SecretIdNotFound",
                .vendor("The SecretId is not found, please ensure that your SecretId is correct."),
                .vendor("SecretId不存在，请输入正确的密钥。")),
            Row(
                .invalidSecretID, "AuthFailure.InvalidSecretId",
                .ours("The SecretId is not that of a cloud API key."), .ours("密钥非法，不是云 API 密钥。")),
            Row(
                .signatureExpired(serverTime: 1_706_406_788), "AuthFailure.SignatureExpire",
                .vendor(
                    "Signature expired. Please use local time and enable NTP service for time synchronization "
                        + "to avoid a deviation between `Timestamp` and the server time 1706406788."),
                .ours("签名已过期。请使用本地时间并启用 NTP 服务同步时间，以免 `Timestamp` 与服务器时间 1706406788 存在偏差。")),
            Row(
                .invalidAuthorization(.service), "AuthFailure.InvalidAuthorization",
                .vendor(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`Service` in Credential not valid."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：Credential 中的 `Service` 无效。")),
            Row(
                .invalidAuthorization(.date), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`Date` in Credential not valid."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：Credential 中的 `Date` 无效。")),
            Row(
                .invalidAuthorization(.unsigned), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "the request is not signed."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：请求未签名。")),
            Row(
                .invalidAuthorization(.algorithm), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "the algorithm must be `TC3-HMAC-SHA256`."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：签名算法必须为 `TC3-HMAC-SHA256`。")),
            Row(
                .invalidAuthorization(.missing(part: "Signature")), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`Signature` is missing: `Credential`, `SignedHeaders` and `Signature` are required, in this "
                        + "order."),
                .ours(
                    "请求头部的 `Authorization` 不符合腾讯云标准：缺少 `Signature`：必须依次包含 `Credential`、`SignedHeaders` 和 `Signature`。")),
            Row(
                .invalidAuthorization(.credential), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`Credential` must be the SecretId, the UTC date, the service and `tc3_request`, with a `/` "
                        + "between them."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：`Credential` 必须为以 `/` 分隔的 SecretId、UTC 日期、服务名和 `tc3_request`。")),
            Row(
                .invalidAuthorization(.signedHeaders), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`SignedHeaders` must be names in lower case and in ascending order, none of them twice."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：`SignedHeaders` 必须为小写、按升序排列且不重复的头部名称。")),
            Row(
                .invalidAuthorization(.signature), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`Signature` must be 64 hexadecimal digits in lower case."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：`Signature` 必须为 64 位小写十六进制数字。")),
            Row(
                .invalidAuthorization(.trailingText), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "nothing may follow `Signature`."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：`Signature` 之后不能有其他内容。")),
            Row(
                .invalidAuthorization(.timestampNotInSeconds), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`X-TC-Timestamp` must be in seconds, not in milliseconds."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：`X-TC-Timestamp` 的单位必须为秒，而不是毫秒。")),
            Row(
                .invalidAuthorization(.notSigned(header: "host")), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "`SignedHeaders` must include `host`."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：`SignedHeaders` 必须包含 `host`。")),
            Row(
                .invalidAuthorization(.absent(header: "content-type")), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "the request has no header `content-type`, which must be there and signed."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：请求缺少头部 `content-type`，该头部必须存在并参与签名。")),
            Row(
                .invalidAuthorization(.repeated(header: "authorization")), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: "
                        + "the request has the header `authorization` more than once."),
                .ours("请求头部的 `Authorization` 不符合腾讯云标准：请求头部 `authorization` 重复。")),
            Row(
                .invalidAuthorization(.unsignedPayload), "AuthFailure.InvalidAuthorization",
                .ours(
                    "The request `Authorization` header does not conform to tencentcloud standards: this account must "
                        + "sign the payload of this action, not `UNSIGNED-PAYLOAD`. Nothing was done."),
                .ours(
                    "请求头部的 `Authorization` 不符合腾讯云标准：该账号调用此接口时必须对请求正文签名，不能使用 "
                        + "`UNSIGNED-PAYLOAD`。未执行任何操作。")),
            Row(
                .tokenFailure, "AuthFailure.TokenFailure",
                .ours("The token is not valid. Please check that your token is correct."),
                .ours("token 无效，请检查您的 token 是否正确。")),
            Row(
                .unauthorizedOperation(
                    requestID: "35bdee09-0000-4000-8000-000000000000", operation: "dbbrain:KillMySqlThreads",
                    resource: "qcs::dbbrain:ap-guangzhou::instance/cdb-1"),
                "AuthFailure.UnauthorizedOperation",
                .vendor(
                    "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are "
                        + "using the correct access keys. [[request id:35bdee09-0000-4000-8000-000000000000]you are not "
                        + "authorized to perform operation (dbbrain:KillMySqlThreads)\nresource "
                        + "(qcs::dbbrain:ap-guangzhou::instance/cdb-1) has no permission\n]"),
                .vendor(
                    "操作未授权，请检查CAM策略。[[request id:35bdee09-0000-4000-8000-000000000000]system policy not verify]")),
            Row(
                .userHasNoStrategy, "OperationDenied.UserHasNoStrategy",
                .ours("The account has no policy that allows this operation."), .ours("该账号没有允许此操作的策略。")),
            Row(
                .unsupportedProtocol(method: "PUT"), "UnsupportedProtocol",
                .ours("The HTTP method `PUT` is not supported, please use GET or POST."),
                .ours("不支持 HTTP 方法 `PUT`，请使用 GET 或 POST。")),
            Row(
                .requestSizeLimitExceeded(limit: 32_768), "RequestSizeLimitExceeded",
                .ours("The request exceeds the size limit of `32768` bytes."), .ours("请求包超过限制大小 `32768` 字节。")),
            Row(
                .noSuchProduct, "NoSuchProduct",
                .ours(
                    "This address answers the API of Alibaba Cloud's DAS, not that of Tencent Cloud. Nothing was done, "
                        + "please check the endpoint and its port."),
                .ours("该地址提供的是阿里云 DAS 的接口，而不是腾讯云的接口。未执行任何操作，请检查接入地址及其端口。")),
            Row(
                .noSuchVersion("2019-07-22", service: "tms"), "NoSuchVersion",
                .vendor("The specified api version=`2019-07-22` does not exist in service=`tms`."),
                .ours("指定的接口版本 version=`2019-07-22` 在 service=`tms` 中不存在。")),
            Row(
                .invalidAction("X", service: "tcb", version: "2018-06-08"), "InvalidAction",
                .vendor("The request action=`X` is invalid or not found in service=`tcb` and version=`2018-06-08`."),
                .ours("请求的接口 action=`X` 无效，或在 service=`tcb`、version=`2018-06-08` 中不存在。")),
            Row(
                .unsupportedAction("CreateSqlFilter"), "UnsupportedOperation",
                .ours("The action `CreateSqlFilter` is not supported."), .ours("不支持接口 `CreateSqlFilter`。")),
            Row(
                .invalidRegion(parameter: "X-TC-Region"), "InvalidParameterValue",
                .vendor("A value specified in `X-TC-Region` is not valid, is unsupported, or cannot be used."),
                .ours("`X-TC-Region` 的取值无效、不受支持或不可用。")),
            Row(
                .unsupportedRegion, "UnsupportedRegion",
                .vendor("The action not support this region."), .ours("接口不支持所传地域。")),
            Row(
                .requestLimitExceeded(count: 21, limit: 20), "RequestLimitExceeded",
                .vendor(
                    "Your current request times equals to `21` in a second, which exceeds the frequency limit `20` "
                        + "for a second. Please reduce the frequency of calls."),
                .vendor("您当前每秒请求 `21` 次，超过了每秒频率上限 `20`，请稍后重试。")),
            Row(
                .malformedJSON(offset: 17), "InvalidParameter",
                .ours("The request body is not valid JSON, see byte offset `17`."),
                .ours("请求内容不是合法的 Json 格式，错误位于字节偏移 `17` 处。")),
            Row(
                .notAJSONObject, "InvalidParameter",
                .ours("The request body is not a JSON object."), .vendor("请求内容不是合法的 Json 格式")),
            Row(
                .malformedPair, "InvalidParameter",
                .vendor("Url key and value should be splited by `=`."), .ours("Url 的键和值应以 `=` 分隔。")),
            Row(
                .malformedEscape(offset: 17), "InvalidParameter",
                .ours("The query or form is not valid URL encoding of UTF-8, see byte offset `17`."),
                .ours("请求参数不是合法的 UTF-8 URL 编码，错误位于字节偏移 `17` 处。")),
            Row(
                .repeatedParameter("Stage"), "InvalidParameter",
                .ours("The parameter `Stage` is specified more than once."), .ours("参数 `Stage` 重复。")),
            Row(
                .unknownParameter("$schema"), "UnknownParameter",
                .vendor("The parameter `$schema` is not recognized."), .vendor("未知参数错误，用户多传未定义的参数会导致错误")),
            Row(
                .missingParameter("Region"), "MissingParameter",
                .vendor("The request is missing a required parameter `Region`."), .ours("请求缺少必要参数 `Region`。")),
            Row(
                .wrongType("InstanceIds.0"), "InvalidParameter",
                .vendor("The value type of parameter `InstanceIds.0` is not valid."),
                .vendor("参数 `InstanceIds.0` 取值类型错误。")),
            Row(
                .invalidValue("[]", of: "Filters"), "InvalidParameterValue",
                .vendor("The value `[]` specified in the parameter `Filters` is not valid."),
                .ours("参数 `Filters` 的取值 `[]` 无效。")),
            Row(
                .conflictingParameters("Info", "Infos"), "InvalidParameterCombination",
                .ours("The parameters `Info` and `Infos` cannot be used together."),
                .ours("参数 `Info` 和 `Infos` 不能同时使用。")),
            Row(
                .unsupportedForm, "UnsupportedOperation",
                .ours(
                    "The HTTP method, the Content-Type and the signature do not go together. Please use POST with "
                        + "`application/json` or GET with `application/x-www-form-urlencoded` for `TC3-HMAC-SHA256`; POST "
                        + "with `application/x-www-form-urlencoded` or GET for a `Signature` of `HmacSHA1` or `HmacSHA256`."
                ),
                .ours(
                    "HTTP 方法、Content-Type 与签名方法不匹配。`TC3-HMAC-SHA256` 请使用 Content-Type 为 `application/json` 的 "
                        + "POST，或 Content-Type 为 `application/x-www-form-urlencoded` 的 GET；`HmacSHA1`、`HmacSHA256` 请使用 "
                        + "Content-Type 为 `application/x-www-form-urlencoded` 的 POST，或 GET。")),
            Row(
                .instanceIDInvalid, "InvalidParameterValue",
                .vendor("InstanceId is invalid"), .ours("InstanceId 无效（InstanceId is invalid）")),
            Row(
                .tooManyThreads(count: 1_001, limit: 1_000), "LimitExceeded",
                .ours("The parameter `Threads` has `1001` elements, which exceeds the limit `1000`."),
                .ours("参数 `Threads` 有 `1001` 个元素，超过了上限 `1000`。")),
            Row(
                .internalError, "InternalError",
                .ours("An internal error occurred, please try again later."), .vendor("内部服务错误，请稍后重试")),
        ] + planRows + failureRows

    /// What the responses about kill plans say.
    private static let planRows = [
        Row(
            .planNotFound, "ResourceNotFound",
            .ours("The SqlExecId is not found, please ensure that it is correct and belongs to the InstanceId."),
            .ours("SqlExecId 不存在，请确认其正确且属于该 InstanceId。")),
        Row(
            .planNameNotFound, "ResourceNotFound",
            .ours("The PlanName is not found, please ensure that it is correct."),
            .ours("PlanName 不存在，请确认其正确。")),
        Row(
            .duplicatedKillTask, "UnsupportedOperation.HasDuplicatedTask",
            .ours("The instance has a running kill task already. Please cancel it first, or wait for its end."),
            .ours("该实例已有正在运行的终止任务。请先取消该任务，或等待其结束。")),
        Row(
            .unknownConnection(3_221_562_906), "InvalidParameterValue",
            .ours(
                "The id `3221562906` in `Threads` belongs to no thread of the proxy and to none of its connections to "
                    + "database servers. Nothing was planned."),
            .ours("`Threads` 中的 ID `3221562906` 既不是该代理的线程，也不是该代理到数据库服务器的连接。未生成终止计划。")),
        Row(
            .threadNotPinnable(7), "OperationDenied",
            .ours(
                "The thread `7` has not reached a database server yet, so nothing tells it from a later thread with "
                    + "the same id. Nothing was planned, please prepare again in a moment."),
            .ours("线程 `7` 尚未连接到数据库服务器，无法与之后使用相同 ID 的线程区分。未生成终止计划，请稍后重新执行 Prepare。")),
        Row(
            .differentLengths("Threads", "Numbers"), "InvalidParameterCombination",
            .ours("The parameters `Threads` and `Numbers` must have the same number of elements."),
            .ours("参数 `Threads` 和 `Numbers` 的元素个数必须相同。")),
        Row(
            .proxyParameter("Numbers"), "InvalidParameter",
            .ours("The parameter `Numbers` can be used for an OceanBase Database Proxy only."),
            .ours("参数 `Numbers` 只能用于 OceanBase 数据库代理（ODP）。")),
        Row(
            .killTaskNotFound, "ResourceNotFound",
            .ours("The instance has no running kill task. Nothing was cancelled."),
            .ours("该实例没有正在运行的终止任务。未取消任何任务。")),
        Row(
            .operationDenied(.expired(since: "2026-11-25T10:00:00Z")), "OperationDenied",
            .ours(
                "The kill plan has expired: it could be committed until `2026-11-25T10:00:00Z`. Nothing was killed, "
                    + "please prepare again."),
            .ours("终止计划已过期：最晚可在 `2026-11-25T10:00:00Z` 之前执行 Commit。未终止任何线程，请重新执行 Prepare。")),
        Row(
            .operationDenied(.approvalsTooLate(since: "2026-11-25T10:00:00Z")), "OperationDenied",
            .ours(
                "The kill plan has expired: it could be approved until `2026-11-25T10:00:00Z`. Nothing was killed, "
                    + "please prepare again."),
            .ours("终止计划已过期：最晚可在 `2026-11-25T10:00:00Z` 之前批准。未终止任何线程，请重新执行 Prepare。")),
        Row(
            .operationDenied(.decided(state: "rejected", since: "2026-11-25T10:00:00Z", by: "bob")), "OperationDenied",
            .ours("The kill plan is `rejected` since `2026-11-25T10:00:00Z`, by `bob`. This request changed nothing."),
            .ours("终止计划自 `2026-11-25T10:00:00Z` 起状态为 `rejected`，操作人：`bob`。本次请求未做任何更改。")),
        Row(
            .operationDenied(.decided(state: "committing", since: "2026-11-25T10:00:00Z", by: nil)), "OperationDenied",
            .ours("The kill plan is `committing` since `2026-11-25T10:00:00Z`. This request changed nothing."),
            .ours("终止计划自 `2026-11-25T10:00:00Z` 起状态为 `committing`。本次请求未做任何更改。")),
        Row(
            .operationDenied(.serverRestarted(mayHaveKilled: false)), "OperationDenied",
            .ours(
                "The kill plan is stale: the database server was restarted since Prepare, so the thread ids may belong "
                    + "to others now. Nothing was killed, please prepare again."),
            .ours("终止计划已失效：数据库服务器在 Prepare 之后重启过，线程 ID 可能已属于其他连接。未终止任何线程，请重新执行 Prepare。")),
        Row(
            .operationDenied(.serverReplaced(mayHaveKilled: true)), "OperationDenied",
            .ours(
                "The kill plan is stale: another database server answers than the one that it was prepared for. "
                    + "This request killed nothing, but a Commit that was interrupted before it may have."),
            .ours("终止计划已失效：当前应答的数据库服务器不是 Prepare 时的服务器。本次请求未终止任何线程，但之前被中断的 Commit 可能已终止部分线程。")),
        Row(
            .operationDenied(.serverReplaced(mayHaveKilled: false)), "OperationDenied",
            .ours(
                "The kill plan is stale: another database server answers than the one that it was prepared for. "
                    + "Nothing was killed, please prepare again."),
            .ours("终止计划已失效：当前应答的数据库服务器不是 Prepare 时的服务器。未终止任何线程，请重新执行 Prepare。")),
        Row(
            .operationDenied(.configurationChanged), "OperationDenied",
            .ours(
                """
                The configuration was changed while the request waited, and does not permit it as it was begun. \
                This request killed nothing, please commit again.
                """),
            .ours("等待期间配置已更改，不再允许按原有方式执行。本次请求未终止任何线程，请重新执行 Commit。")),
        Row(
            .operationDenied(
                .notYetApproved(
                    MissingApprovals(
                        plan: "plan-a", required: 2, approvedBy: ["alice"], couldApprove: ["bob", "carol"],
                        until: "2026-11-25T10:00:00Z"))), "OperationDenied",
            .ours(
                "The kill plan `plan-a` needs `1` more of `2` approvals until `2026-11-25T10:00:00Z`. Approved by: "
                    + "`alice`. Can approve: `bob, carol`. Nothing was killed. To approve: killd approve `plan-a`"),
            .ours(
                "终止计划 `plan-a` 需要 `2` 个批准，还缺 `1` 个，截止时间为 `2026-11-25T10:00:00Z`。已批准：`alice`。"
                    + "可批准：`bob, carol`。未终止任何线程。批准命令：killd approve `plan-a`")),
        Row(
            .operationDenied(
                .notYetApproved(
                    MissingApprovals(
                        plan: "plan-a", required: 1, approvedBy: [], couldApprove: [], until: "2026-11-25T10:00:00Z"))),
            "OperationDenied",
            .ours(
                "The kill plan `plan-a` needs `1` more of `1` approvals until `2026-11-25T10:00:00Z`. Approved by: "
                    + "`nobody`. Can approve: `nobody`. Nothing was killed. To approve: killd approve `plan-a`"),
            .ours(
                "终止计划 `plan-a` 需要 `1` 个批准，还缺 `1` 个，截止时间为 `2026-11-25T10:00:00Z`。已批准：`无`。"
                    + "可批准：`无`。未终止任何线程。批准命令：killd approve `plan-a`")),
        Row(
            .operationDenied(.riskRose(mayHaveKilled: false)), "OperationDenied",
            .ours(
                "The kill plan is stale: its threads would cost more to kill now than what was approved. Nothing was "
                    + "killed, please prepare again."),
            .ours("终止计划已失效：当前终止这些线程的代价高于已批准的风险等级。未终止任何线程，请重新执行 Prepare。")),
        Row(
            .operationDenied(.ownPlan), "OperationDenied",
            .ours("Nobody approves a kill plan of their own, by no account. This request changed nothing."),
            .ours("不能批准自己的终止计划，使用其他账号也不行。本次请求未做任何更改。")),
        Row(
            .operationDenied(.requestedByYou), "OperationDenied",
            .ours("The kill plan was prepared for you: somebody else has to approve it. This request changed nothing."),
            .ours("该终止计划是应您的请求而准备的，须由其他人批准。本次请求未做任何更改。")),
        Row(
            .operationDenied(.alreadyApproved), "OperationDenied",
            .ours("You have approved the kill plan already: nobody counts twice. This request changed nothing."),
            .ours("您已批准过该终止计划，每人只计一次。本次请求未做任何更改。")),
        Row(
            .operationDenied(.otherDigest), "OperationDenied",
            .ours(
                "The `Digest` is not that of the kill plan: something else was looked at. This request changed nothing, "
                    + "please look at the plan again: killd show"),
            .ours("`Digest` 与终止计划不符：所查看的并非该计划。本次请求未做任何更改，请重新查看计划：killd show")),
        Row(
            .operationDenied(.decided(state: "committed", since: nil, by: nil)), "OperationDenied",
            .ours("The kill plan is `committed`. This request changed nothing."),
            .ours("终止计划的状态为 `committed`。本次请求未做任何更改。")),
        Row(
            .operationDenied(.notYourPlan), "OperationDenied",
            .ours("Only the account that prepared the kill plan can do this. This request changed nothing."),
            .ours("只有准备该终止计划的账号才能执行此操作。本次请求未做任何更改。")),
        Row(
            .operationDenied(.nothingToReview), "OperationDenied",
            .ours(
                "There is nothing to approve or to review: the kill plan needs no approval, or no glass was broken for "
                    + "it. This request changed nothing."),
            .ours("无需批准或复核：该终止计划不需要批准，或并非紧急强制执行。本次请求未做任何更改。")),
        Row(
            .operationDenied(.approvalsAskedFor), "OperationDenied",
            .ours(
                "The instance asks for approvals, so nothing is killed there by a rule: nobody could approve beforehand "
                    + "whom it meets. Nothing was done, please use `KillMySqlThreads`."),
            .ours("该实例要求批准，因此不能按规则终止线程：无法事先批准规则命中的对象。未执行任何操作，请使用 `KillMySqlThreads`。")),
        Row(
            .emptyValue(of: "Reason"), "InvalidParameterValue", .ours("The parameter `Reason` must not be empty."),
            .ours("参数 `Reason` 不能为空。")),
        Row(
            .tooLong("Reason", limit: 1_024), "InvalidParameterValue",
            .ours("The parameter `Reason` has more bytes than the limit `1024`."),
            .ours("参数 `Reason` 的字节数超过了上限 `1024`。")),
        Row(
            .tooShort("BreakGlassReason", least: 10), "InvalidParameterValue",
            .ours("The parameter `BreakGlassReason` must have at least `10` characters."),
            .ours("参数 `BreakGlassReason` 至少需要 `10` 个字符。")),
        Row(
            .hiddenCharacter(in: "Reason"), "InvalidParameterValue",
            .ours(
                "The parameter `Reason` has a control character, or one that changes the direction of the text. Please "
                    + "leave it out."),
            .ours("参数 `Reason` 含有控制字符或会改变文字方向的字符，请去除后重试。")),
        Row(
            .historyNeeded, "InvalidParameterValue",
            .ours(
                "The kill plan needs approvals, and nobody can approve what is not recorded: `RecordHistory` must not be "
                    + "false. Nothing was planned."),
            .ours("该终止计划需要批准，未记录的计划无法被批准：`RecordHistory` 不能为 false。未生成终止计划。")),
    ]

    private static let failureRows = [
        Row(
            .failedOperation(.storeUnavailable), "FailedOperation",
            .ours("The operation could not be recorded, so this request killed nothing."),
            .ours("无法写入操作记录，因此本次请求未终止任何线程。")),
        Row(
            .failedOperation(.serverUnreachable(words: "connecting to db:1 as k: refused (111)")), "FailedOperation",
            .ours("The database server of the instance cannot be reached: connecting to db:1 as k: refused (111)"),
            .ours("无法连接实例的数据库服务器：connecting to db:1 as k: refused (111)")),
        Row(
            .failedOperation(.resultTooLarge), "FailedOperation",
            .ours(
                "The database server of the instance answered with more than the service reads at a time. This request "
                    + "killed nothing."),
            .ours("实例的数据库服务器返回的数据超出了服务单次读取的上限。本次请求未终止任何线程。")),
        Row(
            .failedOperation(.privilegeMissing("CONNECTION_ADMIN")), "FailedOperation",
            .ours("The service's account on the database server lacks the privilege `CONNECTION_ADMIN`."),
            .ours("服务在数据库服务器上的账号缺少权限 `CONNECTION_ADMIN`。")),
        Row(
            .failedOperation(.tlsUnavailable(words: "SSL error (2026)")), "FailedOperation",
            .ours(
                "TLS is required for the connection to the database server, but could not be established: SSL error "
                    + "(2026)"),
            .ours("连接数据库服务器要求使用 TLS，但无法建立 TLS 连接：SSL error (2026)")),
        Row(
            .failedOperation(.unexpectedServerKind), "FailedOperation",
            .ours(
                "The database server is of another kind than the configuration of the instance says. This request "
                    + "killed nothing."),
            .ours("数据库服务器的类型与实例的配置不符。本次请求未终止任何线程。")),
        Row(
            .failedOperation(.serverFull(words: "Too many connections (1040)")), "FailedOperation",
            .ours(
                "The database server of the instance has no connection left. This request killed nothing. It said: "
                    + "Too many connections (1040)"),
            .ours("实例的数据库服务器连接数已满。本次请求未终止任何线程。服务器返回：Too many connections (1040)")),
        Row(
            .failedOperation(.loginRefused(words: "Access denied (1045)")), "FailedOperation",
            .ours(
                "The database server of the instance refused the service's account. This request killed nothing. It "
                    + "said: Access denied (1045)"),
            .ours("实例的数据库服务器拒绝了服务账号的登录。本次请求未终止任何线程。服务器返回：Access denied (1045)")),
        Row(
            .failedOperation(.callerLoginRefused), "FailedOperation",
            .ours("The database server of the instance refused the login: please check `User` and `Password`."),
            .ours("实例的数据库服务器拒绝了该账号的登录，请检查 `User` 和 `Password`。")),
        Row(
            .failedOperation(.behindProxy), "FailedOperation",
            .ours(
                "A proxy stands before the database server, so thread ids cannot be relied on. This request killed nothing."
            ),
            .ours("数据库服务器前有代理，线程 ID 不可靠。本次请求未终止任何线程。")),
        Row(
            .failedOperation(.serverJustStarted(wait: 2)), "FailedOperation",
            .ours(
                "The database server was started a moment ago, and nothing would tell if it were started again. This "
                    + "request killed nothing, please repeat it in 2 seconds."),
            .ours("数据库服务器刚刚启动，尚无法识别其是否再次重启。本次请求未终止任何线程，请在 2 秒后重试。")),
        Row(
            .failedOperation(.planAltered), "FailedOperation",
            .ours("The stored kill plan is not what was prepared. This request killed nothing, please prepare again."),
            .ours("存储的终止计划与所准备的内容不一致。本次请求未终止任何线程，请重新执行 Prepare。")),
        Row(
            .failedOperation(.beingCommitted), "FailedOperation",
            .ours("Another process is carrying out the kill plan, please commit again in a moment."),
            .ours("另一个进程正在执行该终止计划，请稍后重新执行 Commit。")),
        Row(
            .failedOperation(.outcomesNotStored), "FailedOperation",
            .ours(
                "Threads were being killed, but the outcome could not be recorded. Please commit again to hear it."),
            .ours("已开始终止线程，但结果无法写入。请重新执行 Commit 以获取结果。")),
        Row(
            .failedOperation(.cancellationNotStored), "FailedOperation",
            .ours(
                "The kill task was stopped, but its cancellation could not be recorded: if the service is restarted "
                    + "now, the task goes on. Please cancel it again."),
            .ours("终止任务已停止，但无法写入取消记录：如果服务此时重启，该任务将继续运行。请重新取消。")),
        Row(
            .failedOperation(.refusedByServer(words: "a query: Unknown command (1047)")), "FailedOperation",
            .ours("The database server refused the operation: a query: Unknown command (1047)"),
            .ours("数据库服务器拒绝了该操作：a query: Unknown command (1047)")),
        Row(
            .failedOperation(.serverUnusable(words: "its answer makes no sense")), "FailedOperation",
            .ours("The database server cannot be used: its answer makes no sense"),
            .ours("无法使用数据库服务器：its answer makes no sense")),
    ]

    private func expected(_ wording: Wording) -> Expected {
        switch wording.source {
        case .vendor: .vendor(wording.text)
        case .ours: .ours(wording.text)
        }
    }

    func testEveryMessageIsToTheLetterAndSaysWhoseTextItIs() {
        for row in Self.rows {
            XCTAssertEqual(row.error.code.rawValue, row.code, "\(row.error)")
            XCTAssertEqual(expected(row.error.wording(in: .english)), row.english, "\(row.error)")
            XCTAssertEqual(expected(row.error.wording(in: .chinese)), row.chinese, "\(row.error)")
        }
    }

    func testTheMessageIsTheTextOfTheWording() {
        for row in Self.rows {
            for language in Language.allCases {
                XCTAssertEqual(row.error.message(in: language), row.error.wording(in: language).text)
            }
        }
    }

    func testChineseIsChineseAndEnglishIsEnglish() {
        for row in Self.rows {
            XCTAssertTrue(row.error.message(in: .chinese).contains(/\p{Han}/), "\(row.error)")
            XCTAssertTrue(row.error.message(in: .english).allSatisfy(\.isASCII), "\(row.error)")
        }
    }

    /// A client in use takes both words for a lost SessionToken.
    func testTextsAboutPlansAndServersDoNotMentionSessionsOrTokens() {
        for row in Self.planRows + Self.failureRows {
            for language in Language.allCases {
                let message = row.error.message(in: language)
                XCTAssertFalse(message.contains(/(?i)session|token|会话|令牌/), message)
            }
        }
    }

    func testTheRegionOfASignatureOfVersion1IsNamedAsItsParameter() {
        XCTAssertEqual(
            TencentCloudError.invalidRegion(parameter: "Region").message(in: .english),
            "A value specified in `Region` is not valid, is unsupported, or cannot be used.")
    }

    func testXTCLanguageChoosesTheLanguage() {
        XCTAssertEqual(Language(requested: "zh-CN"), .chinese)
        for other in ["en-US", "zh-TW", "", "zh", "fr-FR"] {
            XCTAssertEqual(Language(requested: other), .english, other)
        }
        XCTAssertEqual(Language(requested: nil), .english)
    }
}
