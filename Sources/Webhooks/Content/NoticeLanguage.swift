import FoundationEssentials
import SessionKill

/// The language of messages for people.
public enum NoticeLanguage: String, Hashable, Sendable, CaseIterable {
    case english = "en-US"
    case chinese = "zh-CN"

    func text(_ english: String, _ chinese: String) -> String {
        switch self {
        case .english: english
        case .chinese: chinese
        }
    }

    /// An instant with its time zone: in China's for who reads Chinese.
    func text(_ time: UnixTime) -> String {
        let hours: Double = self == .chinese ? 8 : 0
        let date = Date(timeIntervalSince1970: Double(time.milliseconds) / 1_000 + hours * 3_600)
        let digits = date.formatted(
            .iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
        return text("\(digits) UTC", "北京时间 \(digits)")
    }

    func text(_ grade: RiskGrade) -> String {
        switch grade {
        case .low: text("low", "低")
        case .medium: text("medium", "中")
        case .high: text("high", "高")
        }
    }

    func text(_ reason: RiskReason) -> String {
        let count = reason.count.map(String.init) ?? "?"
        let chinese =
            switch reason.kind {
            case .rowsToUndo: "需回滚 \(count) 行"
            case .unknownRowsToUndo where reason.grade == .high: "回滚行数未知，事务已超过一分钟"
            case .unknownRowsToUndo: "回滚行数未知"
            case .preparedXA: "存在或可能存在已 PREPARE 的 XA 事务"
            case .definitionChange: "正在执行 DDL、REPAIR、OPTIMIZE、LOAD 或建索引"
            case .sessions: "涉及 \(count) 个会话"
            case .shareOfSessions: "涉及 \(count) 个会话，占全部的四分之一以上"
            case .globalLock: "持有全局读锁或备份锁"
            case .userLock: "持有 GET_LOCK 锁"
            case .changingStatement: "正在执行的语句不是单纯的读"
            case .backupClient: "客户端自称为导出或备份程序"
            }
        return text(reason.words, chinese)
    }

    func text(_ reason: StaleReason) -> String {
        switch reason.rawValue {
        case "another-server": text("another server answers at its address", "该地址已是另一台服务器")
        case "server-restarted": text("its server was restarted", "服务器已重启")
        case "risk-rose":
            text("its sessions have become riskier than what was approved", "会话的风险已高于批准时的等级")
        default: reason.rawValue
        }
    }
}
