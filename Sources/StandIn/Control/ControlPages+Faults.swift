import RequestSigning
import HTTPServer

extension ControlPages {
    struct ArmRequest: WorldRequest {
        var World: String?
        var Action: String
        var Calls: Int?
        var Code: String?
        var DelayMilliseconds: Int?
        var Cut: String?
        var TruncateAfterBytes: Int?
        var BadGateway: String?

        var fault: FaultRequest {
            var fault = FaultRequest(action: Action)
            fault.calls = Calls ?? 1
            fault.code = Code
            fault.delayMilliseconds = DelayMilliseconds
            fault.cut = Cut
            fault.truncateAfterBytes = TruncateAfterBytes
            fault.badGateway = BadGateway
            return fault
        }
    }

    struct FaultItem: Encodable, Sendable {
        var Number: Int
        var API: String
        var Action: String
        var Calls: Int
        var Hits: Int
        var Code: String?
        var DelayMilliseconds: Int?
        var Cut: String?
        var TruncateAfterBytes: Int?
        var BadGateway: String?

        init(_ armed: ArmedFault) {
            Number = armed.number
            API = armed.api.rawValue
            Action = armed.action
            Calls = armed.calls
            Hits = armed.hits
            if armed.fault.delay > .zero { DelayMilliseconds = Int(armed.fault.delay / .milliseconds(1)) }
            switch armed.fault.kind {
            case .none: break
            case .rejection(let rejection): Code = rejection.code
            case .cut(let moment): Cut = moment.rawValue
            case .truncated(let count): TruncateAfterBytes = count
            case .badGateway(let moment): BadGateway = moment.rawValue
            }
        }
    }

    struct FaultList: Encodable, Sendable {
        var Faults: [FaultItem]
    }

    struct Disarmed: Encodable, Sendable {
        var Disarmed: Int
    }

    static func ofFaults(_ worlds: Worlds) -> [ControlPage] {
        [
            ControlPage("GET", "/faults", OfWorld.self, in: worlds) { _, world in
                FaultList(Faults: world.faults.armed.map(FaultItem.init))
            },
            ControlPage("POST", "/faults", ArmRequest.self, in: worlds) { request, world in
                do throws(FaultRefusal) {
                    return FaultItem(try world.faults.arm(request.fault))
                } catch {
                    throw ControlError(.badRequest, error.description)
                }
            },
            ControlPage("DELETE", "/faults", OfWorld.self, in: worlds) { _, world in
                let count = world.faults.armed.count
                world.faults.disarm()
                return Disarmed(Disarmed: count)
            },
        ]
    }
}
