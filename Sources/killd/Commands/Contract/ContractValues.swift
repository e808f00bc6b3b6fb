import APIClient
import ContractFixtures
import Parameters
import RequestSigning
import Settings

/// What a file of values holds: `{"instance": …, "people": {"alice": {"secretId": …, "secretKey": …}}}`.
struct ContractValues {
    var values = Values()
    var people: [String: APICredentials] = [:]

    /// - Throws: ``CommandFailure``.
    init(file path: String) throws(CommandFailure) {
        let bytes: [UInt8]
        do throws(UnreadableFile) {
            bytes = try [UInt8](contentsOf: path)
        } catch {
            throw CommandFailure("\(error)")
        }
        do throws(ConfigurationError) {
            guard case .object(let members) = try ParameterTree(file: bytes, ConfigurationError.self) else { return }
            for member in members { try add(member) }
        } catch {
            throw CommandFailure("\(path): \(error)")
        }
    }

    private mutating func add(_ member: ParameterTree.Member) throws(ConfigurationError) {
        switch member.value {
        case .object(let people) where member.name == "people":
            for person in people { try add(person: person) }
        case .string(let text) where Template.isName(member.name): values[member.name] = text
        default: throw ConfigurationError(member.name, "expected a text, or an object under \"people\"")
        }
    }

    private mutating func add(person: ParameterTree.Member) throws(ConfigurationError) {
        var reader = try ConfigurationReader(
            person.value, at: SettingsPlace.file.member("people").member(person.name))
        people[person.name] = APICredentials(
            secretID: try reader.requiredString("secretId"), secretKey: Secret(try reader.requiredString("secretKey")))
        try reader.refuseUnknownKeys()
    }
}
