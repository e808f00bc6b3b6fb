import SessionKill

extension Log {
    func task(_ event: KillTaskRunner.Event) {
        switch event {
        case .committed(let report):
            let content = report.plan.content
            info(
                "a plan of a kill task was carried out",
                [
                    ("task", content.task?.rawValue ?? ""), ("instance", content.instance.rawValue),
                    ("plan", report.plan.name.rawValue), ("killed", String(report.killed.count)),
                    ("spared", String(content.threads.count - report.killed.count)),
                ])
        case .failed(let instance, let cause):
            warning("a kill task fails; it is tried again", [("instance", instance.rawValue), ("cause", "\(cause)")])
        case .recovered(let instance): info("a kill task works again", [("instance", instance.rawValue)])
        case .ended(let task, let ending):
            let how =
                switch ending {
                case .expired: "expired"
                case .cancelled(let account): "cancelled by \(account.rawValue)"
                }
            info("a kill task ended", task.fields + [("how", how)])
        case .suspended(let task, let obstacle):
            warning("a kill task does not run", task.fields + [("reason", "\(obstacle)")])
        }
    }
}

extension KillTask {
    fileprivate var fields: [Log.Field] {
        [("task", name.rawValue), ("instance", instance.rawValue)]
    }
}
