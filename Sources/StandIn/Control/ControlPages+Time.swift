import StandInKeys
import FoundationEssentials
import HTTPServer
import SessionKill

extension ControlPages {
    struct ClockRequest: WorldRequest {
        var World: String?
        var Set: String?
        var AdvanceSeconds: Int?
        var Stopped: Bool?
    }

    struct ClockAnswer: Encodable, Sendable {
        var World: String
        var Now: String
        var Stopped: Bool

        init(_ world: World) {
            World = world.name.description
            Now = world.clock.now.controlText
            Stopped = world.clock.isStopped
        }
    }

    static func ofTime(_ worlds: Worlds) -> [ControlPage] {
        [
            ControlPage("GET", "/clock", OfWorld.self, in: worlds) { _, world in ClockAnswer(world) },
            ControlPage("POST", "/clock", ClockRequest.self, in: worlds) { request, world in
                guard request.Set == nil || request.AdvanceSeconds == nil else {
                    throw ControlError(.badRequest, "expected one of Set and AdvanceSeconds, found both")
                }
                guard request.Set != nil || request.AdvanceSeconds != nil || request.Stopped != nil else {
                    throw ControlError(.badRequest, "expected one of Set, AdvanceSeconds and Stopped, found none")
                }
                let time = try request.Set.map { text throws(ControlError) in try UnixTime(control: text) }
                if request.Stopped == true { world.clock.stop() }
                do throws(WorldClockError) {
                    if let time { try world.clock.set(to: time) }
                    if let seconds = request.AdvanceSeconds { try world.clock.advance(by: .seconds(seconds)) }
                } catch {
                    throw ControlError(.badRequest, "\(time == nil ? "AdvanceSeconds" : "Set"): \(error)")
                }
                if request.Stopped == false { world.clock.resume() }
                return ClockAnswer(world)
            },
        ]
    }
}

extension UnixTime {
    fileprivate init(control text: String) throws(ControlError) {
        guard let date = try? Date(text, strategy: .iso8601) else {
            throw ControlError(.badRequest, "Set: expected a time such as 2026-12-31T23:59:59Z, found \(text)")
        }
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded(.down)
        self.init(milliseconds: Int64(exactly: milliseconds) ?? .min)
    }

    var controlText: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
            .formatted(
                .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }
}
