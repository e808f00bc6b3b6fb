// The rows of the table whose case has a reason of its own.
//
// Texts about plans avoid the words "session" and "token": a client in use takes
// either for a lost SessionToken and starts over.

extension AuthorizationDefect {
    var message: Message {
        let english = "The request `Authorization` header does not conform to tencentcloud standards:"
        let chinese = "请求头部的 `Authorization` 不符合腾讯云标准："
        return switch self {
        case .unsigned:
            Message(
                .authFailureInvalidAuthorization, .ours("\(trusted: english) the request is not signed."),
                .ours("\(trusted: chinese)请求未签名。"))
        case .algorithm:
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) the algorithm must be `TC3-HMAC-SHA256`."),
                .ours("\(trusted: chinese)签名算法必须为 `TC3-HMAC-SHA256`。"))
        case .missing(let part):
            Message(
                .authFailureInvalidAuthorization,
                .ours(
                    """
                    \(trusted: english) `\(part)` is missing: `Credential`, `SignedHeaders` and `Signature` are \
                    required, in this order.
                    """),
                .ours("\(trusted: chinese)缺少 `\(part)`：必须依次包含 `Credential`、`SignedHeaders` 和 `Signature`。"))
        case .credential:
            Message(
                .authFailureInvalidAuthorization,
                .ours(
                    """
                    \(trusted: english) `Credential` must be the SecretId, the UTC date, the service and \
                    `tc3_request`, with a `/` between them.
                    """),
                .ours("\(trusted: chinese)`Credential` 必须为以 `/` 分隔的 SecretId、UTC 日期、服务名和 `tc3_request`。"))
        case .signedHeaders:
            Message(
                .authFailureInvalidAuthorization,
                .ours(
                    """
                    \(trusted: english) `SignedHeaders` must be names in lower case and in ascending order, none of \
                    them twice.
                    """),
                .ours("\(trusted: chinese)`SignedHeaders` 必须为小写、按升序排列且不重复的头部名称。"))
        case .signature:
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) `Signature` must be 64 hexadecimal digits in lower case."),
                .ours("\(trusted: chinese)`Signature` 必须为 64 位小写十六进制数字。"))
        case .trailingText:
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) nothing may follow `Signature`."),
                .ours("\(trusted: chinese)`Signature` 之后不能有其他内容。"))
        case .date:
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) `Date` in Credential not valid."),
                .ours("\(trusted: chinese)Credential 中的 `Date` 无效。"))
        case .timestampNotInSeconds:
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) `X-TC-Timestamp` must be in seconds, not in milliseconds."),
                .ours("\(trusted: chinese)`X-TC-Timestamp` 的单位必须为秒，而不是毫秒。"))
        case .service:
            Message(
                .authFailureInvalidAuthorization,
                .vendor("\(trusted: english) `Service` in Credential not valid."),
                .ours("\(trusted: chinese)Credential 中的 `Service` 无效。"))
        case .notSigned(let header):
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) `SignedHeaders` must include `\(header)`."),
                .ours("\(trusted: chinese)`SignedHeaders` 必须包含 `\(header)`。"))
        case .absent(let header):
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) the request has no header `\(header)`, which must be there and signed."),
                .ours("\(trusted: chinese)请求缺少头部 `\(header)`，该头部必须存在并参与签名。"))
        case .repeated(let header):
            Message(
                .authFailureInvalidAuthorization,
                .ours("\(trusted: english) the request has the header `\(header)` more than once."),
                .ours("\(trusted: chinese)请求头部 `\(header)` 重复。"))
        case .unsignedPayload:
            Message(
                .authFailureInvalidAuthorization,
                .ours(
                    """
                    \(trusted: english) this account must sign the payload of this action, not `UNSIGNED-PAYLOAD`. \
                    Nothing was done.
                    """),
                .ours("\(trusted: chinese)该账号调用此接口时必须对请求正文签名，不能使用 `UNSIGNED-PAYLOAD`。未执行任何操作。"))
        }
    }
}

extension DenialReason {
    var message: Message {
        switch self {
        case .expired(let time):
            Message(
                .operationDenied,
                .ours(
                    """
                    The kill plan has expired: it could be committed until `\(time)`. Nothing was killed, please \
                    prepare again.
                    """),
                .ours("终止计划已过期：最晚可在 `\(time)` 之前执行 Commit。未终止任何线程，请重新执行 Prepare。"))
        case .approvalsTooLate(let time):
            Message(
                .operationDenied,
                .ours(
                    """
                    The kill plan has expired: it could be approved until `\(time)`. Nothing was killed, please \
                    prepare again.
                    """),
                .ours("终止计划已过期：最晚可在 `\(time)` 之前批准。未终止任何线程，请重新执行 Prepare。"))
        case .decided(let state, let time?, let person?):
            Message(
                .operationDenied,
                .ours("The kill plan is `\(state)` since `\(time)`, by `\(person)`. This request changed nothing."),
                .ours("终止计划自 `\(time)` 起状态为 `\(state)`，操作人：`\(person)`。本次请求未做任何更改。"))
        case .decided(let state, let time?, nil):
            Message(
                .operationDenied,
                .ours("The kill plan is `\(state)` since `\(time)`. This request changed nothing."),
                .ours("终止计划自 `\(time)` 起状态为 `\(state)`。本次请求未做任何更改。"))
        case .decided(let state, nil, _):
            Message(
                .operationDenied,
                .ours("The kill plan is `\(state)`. This request changed nothing."),
                .ours("终止计划的状态为 `\(state)`。本次请求未做任何更改。"))
        case .serverRestarted(let mayHaveKilled):
            Message(
                .operationDenied,
                .ours(
                    """
                    The kill plan is stale: the database server was restarted since Prepare, so the thread ids may \
                    belong to others now. \(trusted: Self.ending(mayHaveKilled).english)
                    """),
                .ours(
                    """
                    终止计划已失效：数据库服务器在 Prepare 之后重启过，线程 ID 可能已属于其他连接。\
                    \(trusted: Self.ending(mayHaveKilled).chinese)
                    """))
        case .serverReplaced(let mayHaveKilled):
            Message(
                .operationDenied,
                .ours(
                    """
                    The kill plan is stale: another database server answers than the one that it was prepared for. \
                    \(trusted: Self.ending(mayHaveKilled).english)
                    """),
                .ours(
                    """
                    终止计划已失效：当前应答的数据库服务器不是 Prepare 时的服务器。\
                    \(trusted: Self.ending(mayHaveKilled).chinese)
                    """))
        case .configurationChanged:
            Message(
                .operationDenied,
                .ours(
                    """
                    The configuration was changed while the request waited, and does not permit it as it was begun. \
                    This request killed nothing, please commit again.
                    """),
                .ours("等待期间配置已更改，不再允许按原有方式执行。本次请求未终止任何线程，请重新执行 Commit。"))
        case .riskRose(let mayHaveKilled):
            Message(
                .operationDenied,
                .ours(
                    """
                    The kill plan is stale: its threads would cost more to kill now than what was approved. \
                    \(trusted: Self.ending(mayHaveKilled).english)
                    """),
                .ours("终止计划已失效：当前终止这些线程的代价高于已批准的风险等级。\(trusted: Self.ending(mayHaveKilled).chinese)"))
        case .notYetApproved(let missing):
            Message(
                .operationDenied,
                .ours(
                    """
                    The kill plan `\(missing.plan)` needs `\(missing.count)` more of `\(missing.required)` approvals \
                    until `\(missing.until)`. Approved by: `\(missing.approvers(or: "nobody"))`. Can approve: \
                    `\(missing.others(or: "nobody"))`. Nothing was killed. To approve: killd approve `\(missing.plan)`
                    """),
                .ours(
                    """
                    终止计划 `\(missing.plan)` 需要 `\(missing.required)` 个批准，还缺 `\(missing.count)` 个，\
                    截止时间为 `\(missing.until)`。已批准：`\(missing.approvers(or: "无"))`。可批准：\
                    `\(missing.others(or: "无"))`。未终止任何线程。批准命令：killd approve `\(missing.plan)`
                    """))
        case .ownPlan:
            Message(
                .operationDenied,
                .ours("Nobody approves a kill plan of their own, by no account. This request changed nothing."),
                .ours("不能批准自己的终止计划，使用其他账号也不行。本次请求未做任何更改。"))
        case .requestedByYou:
            Message(
                .operationDenied,
                .ours(
                    "The kill plan was prepared for you: somebody else has to approve it. This request changed nothing."
                ),
                .ours("该终止计划是应您的请求而准备的，须由其他人批准。本次请求未做任何更改。"))
        case .alreadyApproved:
            Message(
                .operationDenied,
                .ours("You have approved the kill plan already: nobody counts twice. This request changed nothing."),
                .ours("您已批准过该终止计划，每人只计一次。本次请求未做任何更改。"))
        case .otherDigest:
            Message(
                .operationDenied,
                .ours(
                    """
                    The `Digest` is not that of the kill plan: something else was looked at. This request changed \
                    nothing, please look at the plan again: killd show
                    """),
                .ours("`Digest` 与终止计划不符：所查看的并非该计划。本次请求未做任何更改，请重新查看计划：killd show"))
        case .notYourPlan:
            Message(
                .operationDenied,
                .ours("Only the account that prepared the kill plan can do this. This request changed nothing."),
                .ours("只有准备该终止计划的账号才能执行此操作。本次请求未做任何更改。"))
        case .nothingToReview:
            Message(
                .operationDenied,
                .ours(
                    """
                    There is nothing to approve or to review: the kill plan needs no approval, or no glass was broken \
                    for it. This request changed nothing.
                    """),
                .ours("无需批准或复核：该终止计划不需要批准，或并非紧急强制执行。本次请求未做任何更改。"))
        case .approvalsAskedFor:
            Message(
                .operationDenied,
                .ours(
                    """
                    The instance asks for approvals, so nothing is killed there by a rule: nobody could approve \
                    beforehand whom it meets. Nothing was done, please use `KillMySqlThreads`.
                    """),
                .ours("该实例要求批准，因此不能按规则终止线程：无法事先批准规则命中的对象。未执行任何操作，请使用 `KillMySqlThreads`。"))
        }
    }
}

extension MissingApprovals {
    fileprivate var count: Int { max(0, required - approvedBy.count) }

    fileprivate func approvers(or nobody: String) -> String { Self.list(approvedBy, or: nobody) }
    fileprivate func others(or nobody: String) -> String { Self.list(couldApprove, or: nobody) }

    private static func list(_ names: [String], or nobody: String) -> String {
        names.isEmpty ? nobody : names.joined(separator: ", ")
    }
}

extension DenialReason {
    /// What a stale plan means for its threads.
    private static func ending(_ mayHaveKilled: Bool) -> (english: String, chinese: String) {
        mayHaveKilled
            ? (
                "This request killed nothing, but a Commit that was interrupted before it may have.",
                "本次请求未终止任何线程，但之前被中断的 Commit 可能已终止部分线程。"
            )
            : ("Nothing was killed, please prepare again.", "未终止任何线程，请重新执行 Prepare。")
    }
}

extension FailureReason {
    var message: Message {
        switch self {
        case .storeUnavailable:
            Message(
                .failedOperation,
                .ours("The operation could not be recorded, so this request killed nothing."),
                .ours("无法写入操作记录，因此本次请求未终止任何线程。"))
        case .serverUnreachable(let words):
            Message(
                .failedOperation,
                .ours("The database server of the instance cannot be reached: \(words)"),
                .ours("无法连接实例的数据库服务器：\(words)"))
        case .resultTooLarge:
            Message(
                .failedOperation,
                .ours(
                    """
                    The database server of the instance answered with more than the service reads at a time. \
                    This request killed nothing.
                    """),
                .ours("实例的数据库服务器返回的数据超出了服务单次读取的上限。本次请求未终止任何线程。"))
        case .privilegeMissing(let privilege):
            Message(
                .failedOperation,
                .ours("The service's account on the database server lacks the privilege `\(privilege)`."),
                .ours("服务在数据库服务器上的账号缺少权限 `\(privilege)`。"))
        case .tlsUnavailable(let words):
            Message(
                .failedOperation,
                .ours(
                    """
                    TLS is required for the connection to the database server, but could not be established: \(words)
                    """),
                .ours("连接数据库服务器要求使用 TLS，但无法建立 TLS 连接：\(words)"))
        case .serverFull(let words):
            Message(
                .failedOperation,
                .ours(
                    """
                    The database server of the instance has no connection left. This request killed nothing. It said: \
                    \(words)
                    """),
                .ours("实例的数据库服务器连接数已满。本次请求未终止任何线程。服务器返回：\(words)"))
        case .loginRefused(let words):
            Message(
                .failedOperation,
                .ours(
                    """
                    The database server of the instance refused the service's account. This request killed nothing. \
                    It said: \(words)
                    """),
                .ours("实例的数据库服务器拒绝了服务账号的登录。本次请求未终止任何线程。服务器返回：\(words)"))
        case .callerLoginRefused:
            Message(
                .failedOperation,
                .ours("The database server of the instance refused the login: please check `User` and `Password`."),
                .ours("实例的数据库服务器拒绝了该账号的登录，请检查 `User` 和 `Password`。"))
        case .behindProxy:
            Message(
                .failedOperation,
                .ours(
                    """
                    A proxy stands before the database server, so thread ids cannot be relied on. This request killed nothing.
                    """),
                .ours("数据库服务器前有代理，线程 ID 不可靠。本次请求未终止任何线程。"))
        case .unexpectedServerKind:
            Message(
                .failedOperation,
                .ours(
                    """
                    The database server is of another kind than the configuration of the instance says. This request \
                    killed nothing.
                    """),
                .ours("数据库服务器的类型与实例的配置不符。本次请求未终止任何线程。"))
        case .serverJustStarted(let wait):
            Message(
                .failedOperation,
                .ours(
                    """
                    The database server was started a moment ago, and nothing would tell if it were started again. \
                    This request killed nothing, please repeat it in \(wait) seconds.
                    """),
                .ours("数据库服务器刚刚启动，尚无法识别其是否再次重启。本次请求未终止任何线程，请在 \(wait) 秒后重试。"))
        case .planAltered:
            Message(
                .failedOperation,
                .ours(
                    "The stored kill plan is not what was prepared. This request killed nothing, please prepare again."),
                .ours("存储的终止计划与所准备的内容不一致。本次请求未终止任何线程，请重新执行 Prepare。"))
        case .beingCommitted:
            Message(
                .failedOperation,
                .ours("Another process is carrying out the kill plan, please commit again in a moment."),
                .ours("另一个进程正在执行该终止计划，请稍后重新执行 Commit。"))
        case .outcomesNotStored:
            Message(
                .failedOperation,
                .ours(
                    "Threads were being killed, but the outcome could not be recorded. Please commit again to hear it."),
                .ours("已开始终止线程，但结果无法写入。请重新执行 Commit 以获取结果。"))
        case .cancellationNotStored:
            Message(
                .failedOperation,
                .ours(
                    """
                    The kill task was stopped, but its cancellation could not be recorded: if the service is restarted \
                    now, the task goes on. Please cancel it again.
                    """),
                .ours("终止任务已停止，但无法写入取消记录：如果服务此时重启，该任务将继续运行。请重新取消。"))
        case .refusedByServer(let words):
            Message(
                .failedOperation,
                .ours("The database server refused the operation: \(words)"),
                .ours("数据库服务器拒绝了该操作：\(words)"))
        case .serverUnusable(let words):
            Message(
                .failedOperation,
                .ours("The database server cannot be used: \(words)"),
                .ours("无法使用数据库服务器：\(words)"))
        }
    }
}
