/// A code and what it says, once in each language. A text is put together when
/// it is asked for: most responses need one of the two, and the log only the code.
struct Message {
    let code: ErrorCode
    let english: () -> Wording
    let chinese: () -> Wording

    init(
        _ code: ErrorCode, _ english: @escaping @autoclosure () -> Wording,
        _ chinese: @escaping @autoclosure () -> Wording
    ) {
        self.code = code
        self.english = english
        self.chinese = chinese
    }

    func wording(in language: Language) -> Wording {
        switch language {
        case .english: english()
        case .chinese: chinese()
        }
    }
}

extension TencentCloudError {
    /// The table of all messages. The vendor's texts are kept as they are, with
    /// their spelling and with or without a full stop.
    var message: Message {
        switch self {
        case .signatureFailure:
            Message(
                .authFailureSignatureFailure,
                .vendor(
                    """
                    The provided credentials could not be validated. Please check your signature is correct.
                    """),
                .vendor("请求签名验证失败，请检查您的签名计算是否正确。"))
        case .requestTooLargeForSignature:
            Message(
                .authFailureSignatureFailure,
                .vendor(
                    """
                    The provided credentials could not be validated because of exceeding request size limit, \
                    please use new signature method `TC3-HMAC-SHA256`.
                    """),
                .ours("请求签名验证失败，请求大小超过限制，请使用新的签名方法 `TC3-HMAC-SHA256`。"))
        case .ambiguousSignature(let parameter):
            Message(
                .authFailureSignatureFailure,
                .ours(
                    """
                    The provided credentials could not be validated because the parameter `\(parameter)` has an `&` \
                    in it, which this signature method does not tell from the end of the parameter. Nothing was done, \
                    please use new signature method `TC3-HMAC-SHA256`.
                    """),
                .ours(
                    """
                    请求签名验证失败：参数 `\(parameter)` 含有 `&`，该签名方法无法将其与参数的结尾区分。未执行任何操作，\
                    请使用新的签名方法 `TC3-HMAC-SHA256`。
                    """))
        case .signatureUsed:
            Message(
                .authFailureSignatureFailure,
                .ours(
                    """
                    The signature was used already, by this request or by another one of the same second with the same \
                    content. Nothing was done for this one, please sign it anew a second later.
                    """),
                .ours(
                    """
                    该签名已被使用过：本请求，或同一秒内内容相同的另一请求。本次未执行任何操作，请在一秒后重新签名再试。
                    """))
        case .signatureForgotten(let since):
            Message(
                .authFailureSignatureExpire,
                .ours(
                    """
                    Signature expired. Which signatures were used before the Unix time `\(since)` is not known any more, \
                    so this one may have been. Nothing was done, please sign the request anew with a clock that is right.
                    """),
                .ours(
                    """
                    签名已过期。Unix 时间 `\(since)` 之前使用过哪些签名已无记录，该签名可能已被使用过。未执行任何操作，\
                    请校准时钟后重新签名再试。
                    """))
        case .secretIDNotFound:
            Message(
                .authFailureSecretIDNotFound,
                .vendor("The SecretId is not found, please ensure that your SecretId is correct."),
                .vendor("SecretId不存在，请输入正确的密钥。"))
        case .invalidSecretID:
            Message(
                .authFailureInvalidSecretID,
                .ours("The SecretId is not that of a cloud API key."),
                .ours("密钥非法，不是云 API 密钥。"))
        case .signatureExpired(let serverTime):
            Message(
                .authFailureSignatureExpire,
                .vendor(
                    """
                    Signature expired. Please use local time and enable NTP service for time synchronization to avoid \
                    a deviation between `Timestamp` and the server time \(serverTime).
                    """),
                .ours("签名已过期。请使用本地时间并启用 NTP 服务同步时间，以免 `Timestamp` 与服务器时间 \(serverTime) 存在偏差。"))
        case .invalidAuthorization(let defect):
            defect.message
        case .tokenFailure:
            Message(
                .authFailureTokenFailure,
                .ours("The token is not valid. Please check that your token is correct."),
                .ours("token 无效，请检查您的 token 是否正确。"))
        case .unauthorizedOperation(let requestID, let operation, let resource):
            Message(
                .authFailureUnauthorizedOperation,
                .vendor(
                    """
                    You are not authorized to perform this operation. Check your CAM policies, and ensure that you \
                    are using the correct access keys. [[request id:\(requestID)]you are not authorized to perform \
                    operation (\(operation))\nresource (\(resource)) has no permission\n]
                    """),
                .vendor("操作未授权，请检查CAM策略。[[request id:\(requestID)]system policy not verify]"))
        case .userHasNoStrategy:
            Message(
                .operationDeniedUserHasNoStrategy,
                .ours("The account has no policy that allows this operation."),
                .ours("该账号没有允许此操作的策略。"))
        case .unsupportedProtocol(let method):
            Message(
                .unsupportedProtocol,
                .ours("The HTTP method `\(method)` is not supported, please use GET or POST."),
                .ours("不支持 HTTP 方法 `\(method)`，请使用 GET 或 POST。"))
        case .unsupportedForm:
            Message(
                .unsupportedOperation,
                .ours(
                    """
                    The HTTP method, the Content-Type and the signature do not go together. Please use POST with \
                    `application/json` or GET with `application/x-www-form-urlencoded` for `TC3-HMAC-SHA256`; POST \
                    with `application/x-www-form-urlencoded` or GET for a `Signature` of `HmacSHA1` or `HmacSHA256`.
                    """),
                .ours(
                    """
                    HTTP 方法、Content-Type 与签名方法不匹配。`TC3-HMAC-SHA256` 请使用 Content-Type 为 `application/json` 的 \
                    POST，或 Content-Type 为 `application/x-www-form-urlencoded` 的 GET；`HmacSHA1`、`HmacSHA256` 请使用 \
                    Content-Type 为 `application/x-www-form-urlencoded` 的 POST，或 GET。
                    """))
        case .requestSizeLimitExceeded(let limit):
            Message(
                .requestSizeLimitExceeded,
                .ours("The request exceeds the size limit of `\(limit)` bytes."),
                .ours("请求包超过限制大小 `\(limit)` 字节。"))
        case .noSuchProduct:
            Message(
                .noSuchProduct,
                .ours(
                    """
                    This address answers the API of Alibaba Cloud's DAS, not that of Tencent Cloud. Nothing was done, \
                    please check the endpoint and its port.
                    """),
                .ours("该地址提供的是阿里云 DAS 的接口，而不是腾讯云的接口。未执行任何操作，请检查接入地址及其端口。"))
        case .noSuchVersion(let version, let service):
            Message(
                .noSuchVersion,
                .vendor("The specified api version=`\(version)` does not exist in service=`\(service)`."),
                .ours("指定的接口版本 version=`\(version)` 在 service=`\(service)` 中不存在。"))
        case .invalidAction(let action, let service, let version):
            Message(
                .invalidAction,
                .vendor(
                    """
                    The request action=`\(action)` is invalid or not found in service=`\(service)` and \
                    version=`\(version)`.
                    """),
                .ours("请求的接口 action=`\(action)` 无效，或在 service=`\(service)`、version=`\(version)` 中不存在。"))
        case .unsupportedAction(let action):
            Message(
                .unsupportedOperation,
                .ours("The action `\(action)` is not supported."),
                .ours("不支持接口 `\(action)`。"))
        case .invalidRegion(let parameter):
            Message(
                .invalidParameterValue,
                .vendor("A value specified in `\(parameter)` is not valid, is unsupported, or cannot be used."),
                .ours("`\(parameter)` 的取值无效、不受支持或不可用。"))
        case .unsupportedRegion:
            Message(
                .unsupportedRegion,
                .vendor("The action not support this region."),
                .ours("接口不支持所传地域。"))
        case .requestLimitExceeded(let count, let limit):
            Message(
                .requestLimitExceeded,
                .vendor(
                    """
                    Your current request times equals to `\(count)` in a second, which exceeds the frequency limit \
                    `\(limit)` for a second. Please reduce the frequency of calls.
                    """),
                .vendor("您当前每秒请求 `\(count)` 次，超过了每秒频率上限 `\(limit)`，请稍后重试。"))
        case .malformedJSON(let offset):
            // The Chinese text begins with the vendor's, which gives no position.
            Message(
                .invalidParameter,
                .ours("The request body is not valid JSON, see byte offset `\(offset)`."),
                .ours("请求内容不是合法的 Json 格式，错误位于字节偏移 `\(offset)` 处。"))
        case .notAJSONObject:
            Message(
                .invalidParameter,
                .ours("The request body is not a JSON object."),
                .vendor("请求内容不是合法的 Json 格式"))
        case .malformedPair:
            Message(
                .invalidParameter,
                .vendor("Url key and value should be splited by `=`."),
                .ours("Url 的键和值应以 `=` 分隔。"))
        case .malformedEscape(let offset):
            Message(
                .invalidParameter,
                .ours("The query or form is not valid URL encoding of UTF-8, see byte offset `\(offset)`."),
                .ours("请求参数不是合法的 UTF-8 URL 编码，错误位于字节偏移 `\(offset)` 处。"))
        case .repeatedParameter(let name):
            Message(
                .invalidParameter,
                .ours("The parameter `\(name)` is specified more than once."),
                .ours("参数 `\(name)` 重复。"))
        case .unknownParameter(let name):
            Message(
                .unknownParameter,
                .vendor("The parameter `\(name)` is not recognized."),
                .vendor("未知参数错误，用户多传未定义的参数会导致错误"))
        case .missingParameter(let name):
            Message(
                .missingParameter,
                .vendor("The request is missing a required parameter `\(name)`."),
                .ours("请求缺少必要参数 `\(name)`。"))
        case .wrongType(let name):
            Message(
                .invalidParameter,
                .vendor("The value type of parameter `\(name)` is not valid."),
                .vendor("参数 `\(name)` 取值类型错误。"))
        case .invalidValue(let value, let name):
            Message(
                .invalidParameterValue,
                .vendor("The value `\(value)` specified in the parameter `\(name)` is not valid."),
                .ours("参数 `\(name)` 的取值 `\(value)` 无效。"))
        case .emptyValue(let name):
            Message(
                .invalidParameterValue,
                .ours("The parameter `\(name)` must not be empty."),
                .ours("参数 `\(name)` 不能为空。"))
        case .tooLong(let name, let limit):
            Message(
                .invalidParameterValue,
                .ours("The parameter `\(name)` has more bytes than the limit `\(limit)`."),
                .ours("参数 `\(name)` 的字节数超过了上限 `\(limit)`。"))
        case .tooShort(let name, let least):
            Message(
                .invalidParameterValue,
                .ours("The parameter `\(name)` must have at least `\(least)` characters."),
                .ours("参数 `\(name)` 至少需要 `\(least)` 个字符。"))
        case .hiddenCharacter(let name):
            Message(
                .invalidParameterValue,
                .ours(
                    """
                    The parameter `\(name)` has a control character, or one that changes the direction of the text. \
                    Please leave it out.
                    """),
                .ours("参数 `\(name)` 含有控制字符或会改变文字方向的字符，请去除后重试。"))
        case .historyNeeded:
            Message(
                .invalidParameterValue,
                .ours(
                    """
                    The kill plan needs approvals, and nobody can approve what is not recorded: `RecordHistory` must \
                    not be false. Nothing was planned.
                    """),
                .ours("该终止计划需要批准，未记录的计划无法被批准：`RecordHistory` 不能为 false。未生成终止计划。"))
        case .conflictingParameters(let first, let second):
            Message(
                .invalidParameterCombination,
                .ours("The parameters `\(first)` and `\(second)` cannot be used together."),
                .ours("参数 `\(first)` 和 `\(second)` 不能同时使用。"))
        case .instanceIDInvalid:
            // A client in use looks for the English words whatever language it asked for.
            Message(
                .invalidParameterValue,
                .vendor("InstanceId is invalid"),
                .ours("InstanceId 无效（InstanceId is invalid）"))
        case .tooManyThreads(let count, let limit):
            Message(
                .limitExceeded,
                .ours("The parameter `Threads` has `\(count)` elements, which exceeds the limit `\(limit)`."),
                .ours("参数 `Threads` 有 `\(count)` 个元素，超过了上限 `\(limit)`。"))
        case .differentLengths(let first, let second):
            Message(
                .invalidParameterCombination,
                .ours("The parameters `\(first)` and `\(second)` must have the same number of elements."),
                .ours("参数 `\(first)` 和 `\(second)` 的元素个数必须相同。"))
        case .proxyParameter(let name):
            Message(
                .invalidParameter,
                .ours("The parameter `\(name)` can be used for an OceanBase Database Proxy only."),
                .ours("参数 `\(name)` 只能用于 OceanBase 数据库代理（ODP）。"))
        case .unknownConnection(let id):
            Message(
                .invalidParameterValue,
                .ours(
                    """
                    The id `\(id)` in `Threads` belongs to no thread of the proxy and to none of its connections to \
                    database servers. Nothing was planned.
                    """),
                .ours("`Threads` 中的 ID `\(id)` 既不是该代理的线程，也不是该代理到数据库服务器的连接。未生成终止计划。"))
        case .threadNotPinnable(let id):
            Message(
                .operationDenied,
                .ours(
                    """
                    The thread `\(id)` has not reached a database server yet, so nothing tells it from a later thread \
                    with the same id. Nothing was planned, please prepare again in a moment.
                    """),
                .ours("线程 `\(id)` 尚未连接到数据库服务器，无法与之后使用相同 ID 的线程区分。未生成终止计划，请稍后重新执行 Prepare。"))
        case .planNotFound:
            Message(
                .resourceNotFound,
                .ours("The SqlExecId is not found, please ensure that it is correct and belongs to the InstanceId."),
                .ours("SqlExecId 不存在，请确认其正确且属于该 InstanceId。"))
        case .planNameNotFound:
            Message(
                .resourceNotFound,
                .ours("The PlanName is not found, please ensure that it is correct."),
                .ours("PlanName 不存在，请确认其正确。"))
        case .duplicatedKillTask:
            Message(
                .unsupportedOperationHasDuplicatedTask,
                .ours("The instance has a running kill task already. Please cancel it first, or wait for its end."),
                .ours("该实例已有正在运行的终止任务。请先取消该任务，或等待其结束。"))
        case .killTaskNotFound:
            Message(
                .resourceNotFound,
                .ours("The instance has no running kill task. Nothing was cancelled."),
                .ours("该实例没有正在运行的终止任务。未取消任何任务。"))
        case .operationDenied(let reason):
            reason.message
        case .failedOperation(let reason):
            reason.message
        case .internalError:
            Message(
                .internalError,
                .ours("An internal error occurred, please try again later."),
                .vendor("内部服务错误，请稍后重试"))
        }
    }
}
