import SessionKill
import Text

/// A message for people: what happened in a line, and what there is to know, the most needed first. Nothing in it is
/// escaped yet.
struct NoticeText {
    var title: String
    var rows: [(label: String, value: String)]
    /// Where the audit holds it. Whoever keeps the message can prove later that no entry up to that one was rewritten.
    var audit: (label: String, value: String)?
    var link: (title: String, address: String)?

    /// How many users of a plan are named.
    static let mostUsers = 10
    /// How much is shown of what somebody wrote, in bytes.
    static let longestComment = 512

    /// The message about one notice.
    init(_ notice: Notice, in language: NoticeLanguage) {
        title = Self.title(notice, language)
        rows = Self.rows(notice, language)
        audit = Self.audit(notice.audit, language)
        link = notice.link.map { (language.text("Open the plan", "打开计划"), $0) }
    }

    /// One message for several notices, a row each.
    init(summaryOf notices: [Notice], in language: NoticeLanguage) {
        title = language.text("\(notices.count) messages of killd", "killd 的 \(notices.count) 条消息")
        rows = notices.map { notice in
            let deadline = notice.asksForDecision ? notice.content?.deadline : nil
            let until = deadline.map { language.text(", until ", "，截止 ") + language.text($0) } ?? ""
            return (notice.plan.rawValue, Self.title(notice, language) + until)
        }
        // Each entry's hash stands for all before it.
        audit = Self.audit(notices.map(\.audit).max { $0.entry < $1.entry }, language)
        link = nil
    }

    private static func audit(
        _ receipt: AuditReceipt?, _ language: NoticeLanguage
    ) -> (label: String, value: String)? {
        receipt.map { (language.text("Audit", "审计 audit"), "\($0.entry) hash \($0.hash)") }
    }

    private static func title(_ notice: Notice, _ language: NoticeLanguage) -> String {
        let content = notice.content
        let sessions =
            content.map { language.text("\($0.sessions.counted("session")) on ", "\($0.sessions) 个会话，实例 ") } ?? ""
        let grade = content?.risk.map { language.text(" (risk: ", "（风险：") + language.text($0.grade) } ?? ""
        let what = sessions + notice.instance.rawValue + grade + (grade.isEmpty ? "" : language.text(")", "）"))
        let missing = content?.missingApprovals ?? 0
        let event =
            switch notice.kind {
            case .prepared where notice.asksForDecision:
                language.text("Approval needed to end ", "待审批：结束 ")
            case .prepared: language.text("Prepared to end ", "已准备结束 ")
            case .approved where missing > 0 && content?.deadline != nil:
                language.text("Approved, \(missing) more needed, to end ", "已批准，还需 \(missing) 人：结束 ")
            case .approved: language.text("Approved to end ", "已批准结束 ")
            case .rejected: language.text("Rejected to end ", "已驳回：结束 ")
            case .cancelled: language.text("Cancelled by its preparer: to end ", "已由发起方取消：结束 ")
            case .brokeGlass:
                language.text("GLASS BROKEN, without the approvals needed, to end ", "紧急放行（未获所需审批）：结束 ")
            case .claimed: language.text("Being committed: to end ", "正在执行：结束 ")
            case .committed: language.text("Committed: to end ", "已执行：结束 ")
            case .stale: language.text("Stale: to end ", "已失效：结束 ")
            case .expired: language.text("Expired: to end ", "已过期：结束 ")
            case .reviewed: language.text("Reviewed after breaking glass: to end ", "紧急放行已复核：结束 ")
            case .abandoned: language.text("Abandoned: to end ", "已放弃：结束 ")
            }
        return event + what
    }

    private static func rows(_ notice: Notice, _ language: NoticeLanguage) -> [(label: String, value: String)] {
        var rows: [(label: String, value: String)] = []
        func add(_ english: String, _ chinese: String, _ value: String?) {
            if let value { rows.append((language.text(english, chinese), value)) }
        }
        let content = notice.content
        add("Plan", "计划", notice.plan.rawValue)
        add("Instance", "实例", notice.instance.rawValue)
        if let deadline = content?.deadline {
            let isWaiting = (content?.missingApprovals ?? 0) > 0
            add(
                isWaiting ? "Approve until" : "Commit until", isWaiting ? "审批截止" : "执行截止",
                language.text(deadline))
        }
        if let actor = notice.actor { add("By", "操作人", named(actor.account.rawValue, actor.person, language)) }
        add("Comment", "说明", notice.comment.map { $0.beginning(bytes: longestComment) })
        if let content {
            add("Risk", "风险", content.risk.map { risk($0, language) })
            add("Sessions", "会话", sessions(content, language))
            if notice.kind == .committed || notice.kind == .stale {
                add("Ended", "已结束", outcomes(content, language))
            }
            add("Stale because", "失效原因", content.staleReason.map { language.text($0) })
            add("Prepared by", "发起", preparer(content, language))
            add("Reason", "理由", content.reason.map { $0.beginning(bytes: longestComment) })
            if content.required > 0 {
                let names = content.approvedBy.map(\.rawValue).joined(separator: ", ")
                let count = language.text(
                    "\(content.approvedBy.count) of \(content.required)",
                    "\(content.approvedBy.count)/\(content.required)")
                add("Approvals", "审批", count + (names.isEmpty ? "" : " (\(names))"))
            }
        }
        if notice.asksForDecision { add("Look at it", "查看", "killd show \(notice.plan.rawValue)") }
        return rows
    }

    private static func named(_ account: String, _ person: PersonName, _ language: NoticeLanguage) -> String {
        person.rawValue.isSame(as: account)
            ? account : language.text("\(person.rawValue) (\(account))", "\(person.rawValue)（\(account)）")
    }

    private static func preparer(_ content: Notice.Content, _ language: NoticeLanguage) -> String {
        guard let requester = content.requestedBy else { return content.preparedBy.rawValue }
        return language.text(
            "\(content.preparedBy.rawValue), for \(requester.rawValue)",
            "\(content.preparedBy.rawValue)，代 \(requester.rawValue)")
    }

    private static func risk(_ risk: RiskAssessment, _ language: NoticeLanguage) -> String {
        let reasons = risk.reasons.map { language.text($0) }.joined(separator: language.text("; ", "；"))
        return language.text(risk.grade) + (reasons.isEmpty ? "" : language.text(": ", "：") + reasons)
    }

    private static func sessions(_ content: Notice.Content, _ language: NoticeLanguage) -> String {
        let named = content.users.prefix(mostUsers).map(\.text).joined(separator: ", ")
        let more = content.users.count - mostUsers
        let users = named + (more > 0 ? language.text(" and \(more) more", " 等 \(content.users.count) 个用户") : "")
        return "\(content.sessions)" + (users.isEmpty ? "" : language.text(", of ", "，用户 ") + users)
    }

    private static func outcomes(_ content: Notice.Content, _ language: NoticeLanguage) -> String {
        let kinds = Outcome.Kind.allCases.compactMap { kind in content.outcomes[kind].map { "\(kind.rawValue) \($0)" } }
        let count = language.text("\(content.killed) of \(content.sessions)", "\(content.killed)/\(content.sessions)")
        return count + (kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))")
    }
}
