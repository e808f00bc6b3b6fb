import HTTPServer
import Metrics
import SessionKill
import Webhooks

/// The text of `GET /metrics`. Each metric is explained in the page
/// `Operations` of killd.docc.
enum MetricsPage {
    static func text(
        of counts: ServiceMetrics.Counts, report: Readiness.Report, process: ProcessFigures?
    ) -> [UInt8] {
        var text = MetricsText()
        add(requests: counts, to: &text)
        add(plansAndStore: counts, to: &text)
        add(connections: counts, to: &text)
        text.addGauge(
            "killd_instance_up", "Whether the instance's server answers and gives killd the rights it needs.",
            report.instances.map { (["instance": $0.id ?? ""], $0.works ? 1 : 0) })
        text.addGauge("killd_store_writable", "Whether the store can be written.", [([:], report.store.works ? 1 : 0)])
        text.addGauge("killd_ready", "Whether /readyz answers 200.", [([:], report.isReady ? 1 : 0)])
        add(webhooks: report.standings, to: &text)
        text.add("killd_reloads_total", "Reloads of the configuration.", counts.reloads) { ["result": $0] }
        text.addGauge(
            "killd_build_info", "The version that runs; always 1.", [(["version": VersionCommand.version], 1)])
        if let process { add(process, to: &text) }
        return text.bytes
    }

    private static func add(webhooks: [WebhookStanding], to text: inout MetricsText) {
        var deliveries = Counter<[String]>()
        for webhook in webhooks {
            for result in DeliveryMachine.Fate.allCases where result != .unwanted {
                deliveries.increment([webhook.target, result.rawValue], by: webhook.counts[result] ?? 0)
            }
        }
        text.add("killd_webhook_deliveries_total", "Messages by what became of an attempt to deliver them.", deliveries)
        {
            ["target": $0[0], "result": $0[1]]
        }
        text.addGauge(
            "killd_webhook_waiting", "Messages that are still to be delivered.",
            webhooks.compactMap { webhook in
                webhook.waiting.map { (["target": webhook.target], Double($0)) }
            })
    }

    private static func add(requests counts: ServiceMetrics.Counts, to text: inout MetricsText) {
        text.add("killd_requests_total", "Requests answered, by action and code.", counts.answers) {
            ["action": $0.action, "code": $0.code]
        }
        text.add(
            "killd_request_duration_seconds", "From the whole request to its answer.", counts.durations
        ) { ["action": $0] }
        text.addGauge("killd_requests_in_flight", "Requests being worked on.", [([:], Double(counts.inFlight))])
        text.add(
            "killd_requests_rate_limited_total", "Requests answered with RequestLimitExceeded.", counts.rateLimited
        ) { ["account": $0] }
    }

    private static func add(plansAndStore counts: ServiceMetrics.Counts, to text: inout MetricsText) {
        text.add("killd_plans_total", "Kill plans that came to be in a state.", counts.plans) {
            ["state": $0.rawValue]
        }
        text.addCounter(
            "killd_break_glass_total", "Kill plans committed without the approvals that they needed.",
            Double(counts.brokenGlass))
        text.add("killd_kills_total", "Threads of plans that ended, by outcome.", counts.kills) {
            ["outcome": $0.rawValue]
        }
        text.add(
            "killd_store_write_duration_seconds", "From a write's wish to its being on disk.", counts.storeWrites
        ) { ["write": $0.rawValue] }
        text.add("killd_store_write_failures_total", "Writes that the store refused.", counts.storeFailures) {
            ["write": $0.rawValue]
        }
    }

    private static func add(connections counts: ServiceMetrics.Counts, to text: inout MetricsText) {
        text.addGauge(
            "killd_http_connections", "Open connections of clients.",
            ServiceMetrics.Listener.allCases.map { listener in
                (["listener": listener.rawValue], Double(counts.openConnections[listener] ?? 0))
            })
        text.add("killd_http_connections_total", "Connections accepted.", counts.connections) {
            ["listener": $0.rawValue]
        }
        text.add(
            "killd_http_refused_total", "Clients refused on the level of HTTP, or too slow.", counts.refusals
        ) { ["listener": $0.listener.rawValue, "status": "\($0.status.rawValue)"] }
        text.add(
            "killd_http_accept_pauses_total", "Pauses of accepting, for lack of descriptors or memory.",
            counts.acceptPauses
        ) { ["listener": $0.rawValue] }
        text.add(
            "killd_http_tls_failures_total", "Connections whose TLS failed.", counts.tlsFailures
        ) { ["listener": $0.rawValue] }
        text.add(
            "killd_http_turned_away_total", "Connections closed at once: their address had as many as one may have.",
            counts.turnedAway
        ) { ["listener": $0.rawValue] }
    }

    // Named as Prometheus's own client libraries name them.
    private static func add(_ process: ProcessFigures, to text: inout MetricsText) {
        text.addGauge(
            "process_start_time_seconds", "Start of the process, in Unix time.", [([:], process.startTime)])
        text.addCounter("process_cpu_seconds_total", "Processor time used.", process.processorTime)
        text.addGauge("process_resident_memory_bytes", "Memory in use.", [([:], process.residentBytes)])
        text.addGauge("process_open_fds", "Open descriptors.", [([:], Double(process.openDescriptors))])
        if let limit = process.descriptorLimit {
            text.addGauge("process_max_fds", "Descriptors that may be open.", [([:], Double(limit))])
        }
    }
}
