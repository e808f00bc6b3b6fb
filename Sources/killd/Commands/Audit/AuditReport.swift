import AuditTrail
import FoundationEssentials
import SQLiteStore
import Text

/// What a check of an audit has proven, apart from what it has not.
struct AuditReport {
    private let findings: AuditFindings
    private let outside: OutsideHeads
    private let checksRequests: Bool

    init(_ findings: AuditFindings, outside: OutsideHeads, checksRequests: Bool) {
        self.findings = findings
        self.outside = outside
        self.checksRequests = checksRequests
    }

    var isFine: Bool { findings.faults.count == 0 && outside.unsigned.isEmpty }

    private var chain: ChainFindings { findings.chain }

    // MARK: For people

    var text: VisibleText {
        var lines: [(String, VisibleText)] = [
            ("chain", chainText), ("plans", plansText), ("heads", headsText), ("tail", tailText),
        ]
        lines += moreTexts.map { ("", $0) }
        var text = VisibleText(
            joining: lines.map { "\(VisibleText(trusted: $0.0.padded(to: 8))) \($0.1)\n" })
        if !isFine {
            text = VisibleText(
                joining: [text, "\n"] + problems.map { "BROKEN   \($0)\n" }
                    + (findings.faults.count > findings.faults.first.count
                        ? ["         and \(findings.faults.count - findings.faults.first.count) more\n"] : []))
        }
        return text
    }

    private var problems: [VisibleText] {
        findings.faults.first.map { $0.words(rollbacks: chain.rollbacks) }
            + outside.unsigned.map { "\($0.words): the head there is not signed by the key of --public-key" }
    }

    private var chainText: VisibleText {
        guard chain.entries > 0 else { return "there is no entry" }
        let whole: VisibleText = chain.faults.first.contains(where: \.isOfChain) ? "BROKEN" : "whole"
        let dropped: VisibleText =
            chain.droppedPayloads > 0
            ? "; \(chain.droppedPayloads) payloads are no longer kept (auditRetentionDays)" : ""
        return "\(whole), 1 to \(chain.last)\(dropped)"
    }

    private var plansText: VisibleText {
        let earlier: VisibleText =
            findings.earlierPlans > 0
            ? "; \(findings.earlierPlans) are older than the audit, and no entry tells what they pinned" : ""
        let requests: VisibleText =
            switch (findings.decisions, checksRequests) {
            case (0, _): ""
            case (let count, false): ", \(count) decisions' signatures are not checked (--config FILE)"
            case (let count, true): ", \(findings.verifiedRequests) of \(count) decisions with their signatures"
            }
        return "\(findings.agreeingPlans) of \(findings.plans) agree with their entries\(requests)\(earlier)"
    }

    private var headsText: VisibleText {
        guard outside.files > 0 else { return "none was given (--against FILE)" }
        guard chain.heads > 0 else { return "none found in \(files)" }
        let found: VisibleText = "\(chain.heads) found in \(files)"
        guard chain.headsOnChain > 0 else { return "\(found): none is on this chain" }
        let signed: VisibleText =
            outside.signed.isEmpty ? "" : "; \(outside.signed.count) signed by the key, the last at \(lastSigned)"
        let on: VisibleText =
            chain.headsOnChain == chain.heads
            ? "all on this chain" : "\(chain.heads - chain.headsOnChain) are NOT on this chain"
        return "\(found), the last that is on it at \(chain.provenThrough): \(on)\(signed)"
    }

    private var files: VisibleText { "\(outside.files.counted("file"))" }
    private var lastSigned: Int64 { outside.signed.map(\.sequence).max() ?? 0 }

    private var tailText: VisibleText {
        let count = chain.last - chain.provenThrough
        guard count > 0 else { return "none: the last entry is known outside this store" }
        return """
            \(chain.provenThrough + 1) to \(chain.last) (\(count.counted("entry", "entries"))) \
            \(count == 1 ? "is" : "are") proven by nothing outside this store
            """
    }

    /// What is not proven, besides the tail.
    private var moreTexts: [VisibleText] {
        findings.unprovenRequests.prefix(20).map {
            "not proven: \($0.decision) of \($0.plan) by \($0.account): \($0.reason)"
        }
            + (findings.unprovenRequests.count > 20 ? ["and \(findings.unprovenRequests.count - 20) more"] : [])
            + chain.rollbacks.map {
                "entry \($0) says that killd was started with a store that was older than its heads file"
            }
    }

    // MARK: For programs

    private struct JSON: Encodable {
        struct Chain: Encodable {
            var whole: Bool
            var first: Int64
            var last: Int64
            var hash: String
            var store: String?
            var droppedPayloads: Int64
        }
        struct Plans: Encodable {
            var total: Int
            var agreeing: Int
            var olderThanAudit: Int
            var decisions: Int
            var verifiedSignatures: Int
            var unprovenSignatures: Int
        }
        struct Heads: Encodable {
            var files: Int
            var found: Int
            var onChain: Int
            var last: Int64
            var signed: Int
        }
        struct Tail: Encodable {
            var first: Int64
            var last: Int64
            var entries: Int64
        }
        var fine: Bool
        var chain: Chain
        var plans: Plans
        var heads: Heads
        var unprovenTail: Tail?
        var rollbacks: [Int64]
        var problems: [String]
        var problemCount: Int
    }

    /// One line.
    var json: String {
        let tail = chain.last - chain.provenThrough
        let report = JSON(
            fine: isFine,
            chain: JSON.Chain(
                whole: !chain.faults.first.contains(where: \.isOfChain), first: min(1, chain.last), last: chain.last,
                hash: chain.lastHash, store: chain.store, droppedPayloads: chain.droppedPayloads),
            plans: JSON.Plans(
                total: findings.plans, agreeing: findings.agreeingPlans, olderThanAudit: findings.earlierPlans,
                decisions: findings.decisions, verifiedSignatures: findings.verifiedRequests,
                unprovenSignatures: findings.unprovenRequests.count),
            heads: JSON.Heads(
                files: outside.files, found: chain.heads, onChain: chain.headsOnChain, last: chain.provenThrough,
                signed: outside.signed.count),
            unprovenTail: tail > 0
                ? JSON.Tail(first: chain.provenThrough + 1, last: chain.last, entries: tail) : nil,
            rollbacks: chain.rollbacks, problems: problems.map(\.text),
            problemCount: findings.faults.count + outside.unsigned.count)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers and texts alone: nothing that could not be encoded.
        return (try? encoder.encode(report)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
