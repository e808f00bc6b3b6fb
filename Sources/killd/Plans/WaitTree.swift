import DBbrainAPI
import SessionKill
import Text

/// Who waited for whom when a plan was made: under each session those that wait for its locks.
struct WaitTree {
    private let plan: KillPlanDescription
    private let planned: [ThreadID: KillPlanThread]
    /// By the session that they wait for; `nil` for a lock that no session holds.
    private let waiters: [ThreadID?: [KillPlanWaitEdge]]
    private let waiting: Set<ThreadID>

    private static let deepest = 32
    private static let mostLines = 400

    init(_ plan: KillPlanDescription) {
        self.plan = plan
        planned = Dictionary(plan.Threads.map { ($0.Id, $0) }, uniquingKeysWith: { first, _ in first })
        waiters = Dictionary(grouping: plan.WaitEdges, by: \.Holder)
        waiting = Set(plan.WaitEdges.map(\.Waiter))
    }

    /// Empty where nobody waited.
    var text: VisibleText {
        guard !plan.WaitEdges.isEmpty else { return "" }
        var drawing = Drawing()
        for root in roots { draw(root, in: &drawing) }
        // Who is in none of these trees waits in a circle.
        let rest = plan.Threads.map(\.Id).filter(waiting.contains) + waiting.sorted()
        for thread in rest where !drawing.drawn.contains(thread) { draw(thread, in: &drawing) }
        if let more = plan.MoreWaitEdges {
            drawing.lines.append("… and \(more) more waits, which the plan does not list")
        }
        return VisibleText(joining: drawing.lines.map { "\($0)\n" })
    }

    /// Who waits for nobody: the plan's own first, in its order.
    private var roots: [ThreadID?] {
        let holders = Set(plan.WaitEdges.compactMap(\.Holder)).subtracting(waiting)
        let own = plan.Threads.map(\.Id).filter(holders.contains)
        let roots: [ThreadID?] = own + holders.subtracting(own).sorted()
        return waiters[nil] == nil ? roots : roots + [nil]
    }

    // MARK: Drawing

    private struct Drawing {
        var lines: [VisibleText] = []
        var drawn: Set<ThreadID> = []
        /// From the root to where the drawing is.
        var path: [ThreadID?] = []
    }

    private func draw(_ root: ThreadID?, in drawing: inout Drawing) {
        guard let root else {
            drawing.lines.append("a prepared XA transaction that is no session's")
            return drawWaiters(for: nil, "", in: &drawing)
        }
        drawing.drawn.insert(root)
        drawing.lines.append(line(of: root))
        drawWaiters(for: root, "", in: &drawing)
    }

    private func drawWaiters(for holder: ThreadID?, _ indent: VisibleText, in drawing: inout Drawing) {
        drawing.path.append(holder)
        defer { drawing.path.removeLast() }
        var groups: [(waiter: ThreadID, edges: [KillPlanWaitEdge])] = []
        for edge in waiters[holder] ?? [] {
            if let index = groups.firstIndex(where: { $0.waiter == edge.Waiter }) {
                groups[index].edges.append(edge)
            } else {
                groups.append((edge.Waiter, [edge]))
            }
        }
        for (index, group) in groups.enumerated() {
            let isLast = index == groups.count - 1
            let branch: VisibleText = isLast ? "\(indent)└─ " : "\(indent)├─ "
            guard drawing.lines.count < Self.mostLines, drawing.path.count <= Self.deepest else {
                let count = leaveOut(groups[index...].map(\.waiter), in: &drawing)
                drawing.lines.append("\(indent)└─ … \(count) more here")
                return
            }
            let isInCircle = drawing.path.contains(group.waiter)
            let isKnown = isInCircle || !drawing.drawn.insert(group.waiter).inserted
            let note = isInCircle ? "  in a circle: see above" : isKnown ? "  also shown above" : ""
            drawing.lines.append(
                "\(branch)\(line(of: group.waiter, waitingBy: group.edges))\(VisibleText(trusted: note))")
            guard !isKnown else { continue }
            drawWaiters(for: group.waiter, isLast ? "\(indent)   " : "\(indent)│  ", in: &drawing)
        }
    }

    /// - Returns: how many these are, with all that wait for them and were not drawn.
    private func leaveOut(_ threads: [ThreadID], in drawing: inout Drawing) -> Int {
        var left = threads.filter { drawing.drawn.insert($0).inserted }
        var count = 0
        while let thread = left.popLast() {
            count += 1
            left += (waiters[thread] ?? []).map(\.Waiter).filter { drawing.drawn.insert($0).inserted }
        }
        return count
    }

    /// `12  batch@10.0.0.9  Sleep 95 s  1,203,004 rows to undo  DIES`
    private func line(of thread: ThreadID) -> VisibleText {
        guard let session = planned[thread] else { return "\(thread)  not in this plan" }
        var parts: [VisibleText] = ["\(thread)"]
        if let user = session.User { parts.append("\(user)@\(session.Host ?? "")") }
        if let command = session.Command {
            parts.append(session.Time.map { "\(command) \($0) s" } ?? "\(command)")
        }
        if let rows = session.Transaction?.RowsModified { parts.append("\(rows.counted("row")) to undo") }
        if let fate = fate(of: thread) { parts.append(fate) }
        return VisibleText(joining: parts, separator: "  ")
    }

    /// `31  app@10.0.0.4  waits 41 s for shop.orders PRIMARY X`
    private func line(of thread: ThreadID, waitingBy edges: [KillPlanWaitEdge]) -> VisibleText {
        let locks = edges.map { edge in
            ([edge.Kind == "user" ? "the lock '\(edge.Object)'" : edge.Object, edge.Index, edge.Mode] as [String?])
                .compactMap { $0 }.joined(separator: " ")
        }
        let time = edges.first?.Seconds.map { " \($0) s" } ?? ""
        var parts: [VisibleText] = ["\(thread)"]
        if let edge = edges.first, !edge.User.isEmpty { parts.append("\(edge.User)@\(edge.Host)") }
        parts.append("waits\(time) for \(locks.joined(separator: ", "))")
        if let fate = fate(of: thread) { parts.append(fate) }
        return VisibleText(joining: parts, separator: "  ")
    }

    /// What the plan does with a session; `nil` if it is not in it.
    private func fate(of thread: ThreadID) -> VisibleText? {
        guard let session = planned[thread] else { return nil }
        if let outcome = session.Outcome { return "\(outcome)" }
        if session.Protection != nil { return "protected" }
        return plan.isOpen ? "DIES" : nil
    }
}

extension KillPlanDescription {
    /// Whether its sessions may still be ended.
    var isOpen: Bool { ["prepared", "approved", "committing"].contains(State) }

    /// How many sessions it ends, as far as Prepare could tell.
    var sessionsToEnd: Int { Threads.count { $0.Found && $0.Protection == nil } }
}
