import Text

extension KeyedDecodingContainer {
    /// The value of a parameter that may be absent, but not null: null is what
    /// clients send for a variable that was not set, and without the parameter the
    /// request would mean more than with it.
    public func decodeUnlessAbsent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard contains(key) else { return nil }
        guard try !decodeNil(forKey: key) else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "null")
        }
        return try decode(type, forKey: key)
    }
}

/// An object of which every name is known to `Key`; names of more than 128 bytes
/// are not.
struct ObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let members: [ParameterTree.Member]
    private let names: NameList
    let codingPath: [any CodingKey]

    init(_ members: [ParameterTree.Member], codingPath: [any CodingKey]) throws(ParameterError) {
        var names = NameList()
        for member in members {
            let name = ExactText(member.name)
            guard member.name.canBeName, let key = Key(stringValue: member.name),
                ExactText(key.stringValue) == name, names.insert(name).inserted
            else { throw .unknown(path: ParameterPath.text(of: codingPath, then: member.name)) }
        }
        self.members = members
        self.names = names
        self.codingPath = codingPath
    }

    var allKeys: [Key] { members.compactMap { Key(stringValue: $0.name) } }

    private func value(for key: some CodingKey) throws(ParameterError) -> ParameterValue {
        guard let index = names.index(of: ExactText(key.stringValue)) else {
            throw .missing(path: ParameterPath.text(of: codingPath, then: key.stringValue))
        }
        return ParameterValue(members[index].value, codingPath: codingPath + [key])
    }

    func contains(_ key: Key) -> Bool {
        names.index(of: ExactText(key.stringValue)) != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try value(for: key).decodeNil()
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try value(for: key).decode(type)
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try value(for: key).decode(type)
    }

    func decode<T: FixedWidthInteger & Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try value(for: key).decode(type)
    }

    func decode<T: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: T.Type, forKey key: Key
    ) throws -> T {
        try value(for: key).decode(type)
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try value(for: key).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try value(for: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try value(for: key).unkeyedContainer()
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try value(for: key)
    }

    func superDecoder() throws -> any Decoder {
        try value(for: ParameterPath.Name("super"))
    }
}
