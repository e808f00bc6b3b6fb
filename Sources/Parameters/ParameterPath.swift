/// The vendor's form of the way to a parameter: `StatDimensions.0.Data.0`.
enum ParameterPath {
    static func text(of keys: [any CodingKey]) -> String {
        keys.map(\.stringValue).joined(separator: ".")
    }

    static func text(of keys: [any CodingKey], then name: String) -> String {
        text(of: keys + [Name(name)])
    }

    /// A position in an array, counted from 0.
    struct Index: CodingKey {
        let position: Int

        init(_ position: Int) {
            self.position = position
        }

        init?(intValue: Int) {
            self.init(intValue)
        }

        init?(stringValue: String) {
            guard let position = Int(stringValue) else { return nil }
            self.init(position)
        }

        var intValue: Int? { position }
        var stringValue: String { String(position) }
    }

    /// Any name, whether a type asked for has it or not.
    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) {
            stringValue = name
        }

        init?(stringValue: String) {
            self.init(stringValue)
        }

        init?(intValue: Int) {
            self.init(String(intValue))
        }
    }
}
